package sshtransport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// keyring holds the identity files that were read, each asked for its passphrase at most once.
type keyring struct {
	opts Options
	mu   sync.Mutex
	keys map[string]*identity
}

// identity is one file.
type identity struct {
	once   sync.Once
	signer ssh.Signer
	err    error
}

func newKeyring(o Options) *keyring { return &keyring{opts: o, keys: map[string]*identity{}} }

// defaultIdentities are tried when a host names none, as in OpenSSH.
func defaultIdentities() []string {
	return []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
}

// signers returns everything that can prove who we are to h: certificates first, then files, then the agent's keys. When
// the host names identity files, the agent is used for those alone: a server counts every key that it is shown.
func (k *keyring) signers(ctx context.Context, h *runbooks.Host) ([]ssh.Signer, func(), error) {
	held, closeAgent, agentErr := k.agentSigners(ctx, h.Connection.Agent)
	files, named := h.Connection.IdentityFiles, len(h.Connection.IdentityFiles) > 0
	if !named && k.opts.HomeDir != "" {
		files = defaultIdentities()
	}
	var out []ssh.Signer
	for _, f := range files {
		s, err := k.file(ctx, f, held)
		switch {
		case err == nil:
			out = append(out, s)
		case named:
			closeAgent()
			return nil, nil, err
		}
	}
	if !named {
		out = append(out, held...)
	}
	out = distinct(out)
	certs, err := k.certificates(h, files, out)
	if err != nil {
		closeAgent()
		return nil, nil, err
	}
	if len(out) == 0 && agentErr != nil {
		return nil, nil, agentErr
	}
	return append(certs, out...), closeAgent, nil
}

// agentSigners are the keys of the agent. An agent that cannot be reached matters only when there is nothing else.
func (k *keyring) agentSigners(ctx context.Context, socket string) ([]ssh.Signer, func(), error) {
	none := func() {}
	if socket == "" {
		socket = k.opts.AgentSocket
	}
	if socket == "" || socket == "none" {
		return nil, none, nil
	}
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", k.opts.path(socket))
	if err != nil {
		return nil, none, fmt.Errorf("ssh agent: %w", err)
	}
	signers, err := agent.NewClient(c).Signers()
	if err != nil {
		_ = c.Close()
		return nil, none, fmt.Errorf("ssh agent: %w", err)
	}
	return signers, func() { _ = c.Close() }, nil
}

// file is the signer of an identity file; of an encrypted one the agent's, where it holds that key.
func (k *keyring) file(ctx context.Context, path string, held []ssh.Signer) (ssh.Signer, error) {
	data, err := k.opts.readFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("identity file %s does not exist", path)
		}
		return nil, fmt.Errorf("identity file: %w", err)
	}
	s, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, fmt.Errorf("identity file %s: %s", path, keyProblem(err))
		}
		return s, nil
	}
	if s := sameKey(held, k.publicHalf(path, locked)); s != nil {
		return s, nil
	}
	k.mu.Lock()
	id := k.keys[path]
	if id == nil {
		id = &identity{}
		k.keys[path] = id
	}
	k.mu.Unlock()
	id.once.Do(func() { id.signer, id.err = k.unlock(ctx, path, data) })
	return id.signer, id.err
}

func (k *keyring) unlock(ctx context.Context, path string, data []byte) (ssh.Signer, error) {
	if k.opts.Passphrase == nil {
		return nil, fmt.Errorf("identity file %s is encrypted and nobody can be asked for its passphrase; add it to an ssh agent", path)
	}
	pass, err := k.opts.Passphrase(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("passphrase of %s: %w", path, err)
	}
	s, err := ssh.ParsePrivateKeyWithPassphrase(data, []byte(pass))
	if err != nil {
		return nil, fmt.Errorf("identity file %s: %s", path, keyProblem(err))
	}
	return s, nil
}

// publicHalf is the public key of an encrypted file: OpenSSH's format shows it, for others the .pub beside it does.
func (k *keyring) publicHalf(path string, locked *ssh.PassphraseMissingError) ssh.PublicKey {
	if locked.PublicKey != nil {
		return locked.PublicKey
	}
	data, err := k.opts.readFile(path + ".pub")
	if err != nil {
		return nil
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil
	}
	return key
}

// certificates pairs certificate files with the signers that they are about: the host's certificate_file, or FILE-cert.pub
// beside an identity file.
func (k *keyring) certificates(h *runbooks.Host, files []string, signers []ssh.Signer) ([]ssh.Signer, error) {
	var out []ssh.Signer
	add := func(path string, must bool) error {
		cert, err := k.certificate(path)
		if err != nil {
			if must {
				return err
			}
			return nil
		}
		s := sameKey(signers, cert.Key)
		if s == nil {
			if must {
				return fmt.Errorf("certificate %s: none of the identities is its key", path)
			}
			return nil
		}
		cs, err := ssh.NewCertSigner(cert, s)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", path, err)
		}
		out = append(out, cs)
		return nil
	}
	if f := h.Connection.CertificateFile; f != "" {
		return out, add(f, true)
	}
	for _, f := range files {
		if err := add(f+"-cert.pub", false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (k *keyring) certificate(path string) (*ssh.Certificate, error) {
	data, err := k.opts.readFile(path)
	if err != nil {
		return nil, fmt.Errorf("certificate file: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, fmt.Errorf("certificate file %s: %w", path, err)
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, fmt.Errorf("certificate file %s holds a plain key", path)
	}
	return cert, nil
}

// expired is the first certificate among the signers that is not valid now, in words; empty: none.
func expired(signers []ssh.Signer, now time.Time) string {
	for _, s := range signers {
		c, ok := s.PublicKey().(*ssh.Certificate)
		if !ok {
			continue
		}
		if until := c.ValidBefore; until != ssh.CertTimeInfinity && now.Unix() >= int64(until) {
			return fmt.Sprintf("certificate %q expired at %s", c.KeyId, time.Unix(int64(until), 0).UTC().Format(time.RFC3339))
		}
		if now.Unix() < int64(c.ValidAfter) {
			return fmt.Sprintf("certificate %q is not valid before %s", c.KeyId, time.Unix(int64(c.ValidAfter), 0).UTC().Format(time.RFC3339))
		}
	}
	return ""
}

func sameKey(signers []ssh.Signer, key ssh.PublicKey) ssh.Signer {
	if key == nil {
		return nil
	}
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), key.Marshal()) {
			return s
		}
	}
	return nil
}

func distinct(signers []ssh.Signer) []ssh.Signer {
	var out []ssh.Signer
	for _, s := range signers {
		if sameKey(out, s.PublicKey()) == nil {
			out = append(out, s)
		}
	}
	return out
}

// keyProblem says what is wrong with a private key in words that help.
func keyProblem(err error) string {
	switch s := err.Error(); {
	case strings.Contains(s, "unhandled key type"):
		return "a key on a security device cannot be read from a file; use it through an ssh agent"
	case strings.Contains(s, "unknown cipher") || strings.Contains(s, "unsupported cipher"):
		return "encrypted with a cipher that is not supported here; re-encrypt it with ssh-keygen -p -Z aes256-ctr, or use an ssh agent"
	case strings.Contains(s, "decryption password incorrect") || strings.Contains(s, "x509: decryption"):
		return "wrong passphrase"
	case strings.Contains(s, "no key found"):
		return "this is no private key"
	default:
		return trimSSH(err)
	}
}
