package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// keyDir is the user's state directory: it holds the key that signs what this machine records.
func (a *app) keyDir() string {
	return filepath.Join(a.xdg("XDG_STATE_HOME", filepath.Join(".local", "state")), "continuo")
}

// signer opens the key that signs evidence: the one that was named, or this machine's own, which is made on first use and
// said so. A public key (.pub) is looked for in the SSH agent.
func (a *app) signer(ctx context.Context, ask *view.Asker, named string) (*evidence.Signer, error) {
	if named == "" {
		s, made, err := evidence.ExecutorKey(a.keyDir(), "continuo@"+a.env.Hostname)
		if made {
			a.err.Printf("made the key that signs this machine's evidence: %s (%s)\n", view.Clean(s.Name()), s.Fingerprint())
			a.err.Printf("  auditors add this line to their signers file: %s\n",
				s.AllowedSigner("continuo@"+a.env.Hostname, evidence.EvidenceNamespace))
		}
		return s, err
	}
	path := a.path(named)
	if strings.HasSuffix(path, ".pub") {
		return evidence.SignerFromAgent(a.env.get("SSH_AUTH_SOCK"), path)
	}
	var passphrase func() ([]byte, error)
	if ask.Present() {
		passphrase = func() ([]byte, error) {
			text, err := ask.Hidden(ctx, fmt.Sprintf("passphrase of %s:", view.Clean(path)))
			return []byte(text), err
		}
	}
	return evidence.SignerFromFile(path, passphrase)
}

// machineSigners are whom this machine trusts when it is not told: its own key, and the project's file.
func (a *app) machineSigners(project string) (*evidence.Signers, string, error) {
	all, err := evidence.ParseSigners(nil)
	if err != nil {
		return nil, "", err
	}
	var from []string
	own := filepath.Join(a.keyDir(), "executor_ed25519.pub")
	if pub, err := os.ReadFile(own); err == nil {
		line := fmt.Sprintf("continuo@%s namespaces=%q %s", a.env.Hostname, evidence.EvidenceNamespace, pub)
		s, err := evidence.ParseSigners([]byte(line))
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", own, err)
		}
		all.Merge(s)
		from = append(from, "this machine's own key")
	}
	if data, err := os.ReadFile(project); err == nil {
		s, err := evidence.ParseSigners(data)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", project, err)
		}
		all.Merge(s)
		from = append(from, "the project's "+filepath.Base(project))
	}
	if len(from) == 0 {
		return nil, "", nil
	}
	return all, strings.Join(from, " and "), nil
}

// signApproval signs an approval with the approver's own key.
func (a *app) signApproval(ctx context.Context, ask *view.Asker, key string, text []byte) ([]byte, error) {
	s, err := a.signer(ctx, ask, a.homePath(key))
	if err != nil {
		return nil, err
	}
	return s.Sign(text, evidence.ApprovalNamespace)
}

// approvers says whose approval a signature is, by the project's allowed_signers; nil where there is none, so that no
// approval counts.
func (a *app) approvers() approval.Verifier {
	data, err := os.ReadFile(a.signersFile())
	if err != nil {
		return nil
	}
	s, err := evidence.ParseSigners(data)
	if err != nil {
		a.err.Warn(fmt.Sprintf("%s: %v", a.signersFile(), err), "no approval counts until it is corrected")
		return nil
	}
	return evidence.ApprovalVerifier{Signers: s}
}
