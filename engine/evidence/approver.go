package evidence

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine/approval"
)

// ApprovalVerifier says who signed an approval, by a signers file. It implements approval.Verifier.
type ApprovalVerifier struct{ Signers *Signers }

var _ approval.Verifier = ApprovalVerifier{}

// Verify implements approval.Verifier. A key of several principals is one person: the first of them by name, the others
// as aliases.
func (v ApprovalVerifier) Verify(text, signature []byte, at time.Time) (approval.Signer, error) {
	key, err := checkSignature(text, signature, ApprovalNamespace)
	if err != nil {
		return approval.Signer{}, err
	}
	who, err := v.Signers.Principals(key, ApprovalNamespace, at)
	if err != nil {
		return approval.Signer{}, fmt.Errorf("signed by %s: %w", ssh.FingerprintSHA256(key), err)
	}
	slices.Sort(who)
	return approval.Signer{Principal: who[0], Fingerprint: ssh.FingerprintSHA256(key), Aliases: who[1:]}, nil
}
