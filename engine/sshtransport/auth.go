package sshtransport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// credentials are the ways to prove who we are to one host. last is the way that was used last, so the one that was
// accepted when authentication succeeded.
type credentials struct {
	methods []ssh.AuthMethod
	signers []ssh.Signer
	last    atomic.Pointer[string]
	close   func()
}

func (c *credentials) used(how string) { c.last.Store(&how) }

func (c *credentials) lastUsed() string {
	if p := c.last.Load(); p != nil {
		return *p
	}
	return "none"
}

// credentials collects them, asking for passphrases and secrets now: later the server's clock would be running.
func (t *Transport) credentials(ctx context.Context, h *runbooks.Host) (*credentials, error) {
	c := &credentials{}
	signers, closeAgent, err := t.keys.signers(ctx, h)
	if err != nil {
		return nil, err
	}
	c.close, c.signers = closeAgent, signers
	if len(signers) > 0 {
		// x/crypto/ssh tries the first instance of each method only: all signers go into one.
		watched := make([]ssh.Signer, len(signers))
		for i, s := range signers {
			watched[i] = c.watch(s)
		}
		c.methods = append(c.methods, ssh.PublicKeys(watched...))
	}
	if name := h.Connection.Password; name != "" {
		password, err := t.secret(ctx, name)
		if err != nil {
			closeAgent()
			return nil, err
		}
		c.methods = append(c.methods, c.password(password), c.keyboard(password))
	}
	return c, nil
}

func (t *Transport) secret(ctx context.Context, name string) (string, error) {
	if t.opts.Secrets == nil {
		return "", fmt.Errorf("no source for secret.%s", name)
	}
	v, err := t.opts.Secrets.Secret(ctx, name)
	if err != nil {
		return "", fmt.Errorf("secret.%s: %w", name, err)
	}
	return v, nil
}

func (c *credentials) password(password string) ssh.AuthMethod {
	return ssh.PasswordCallback(func() (string, error) {
		c.used("password")
		return password, nil
	})
}

var errPrompts = errors.New("the server asks for more than a password")

// keyboard answers one question that hides its answer, once: a wrong password is never tried again.
func (c *credentials) keyboard(password string) ssh.AuthMethod {
	answered := false
	return ssh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		if len(questions) > 1 || echos[0] || answered {
			return nil, errPrompts
		}
		answered = true
		c.used("keyboard-interactive")
		return []string{password}, nil
	})
}

// watch notes when a signer is used.
func (c *credentials) watch(s ssh.Signer) ssh.Signer {
	how := "publickey " + s.PublicKey().Type() + " " + ssh.FingerprintSHA256(plainKey(s.PublicKey()))
	w := watchedSigner{Signer: s, note: func() { c.used(how) }}
	if as, ok := s.(ssh.MultiAlgorithmSigner); ok {
		return &watchedMulti{watchedSigner: w, inner: as}
	}
	if as, ok := s.(ssh.AlgorithmSigner); ok {
		return &watchedAlgorithm{watchedSigner: w, inner: as}
	}
	return &w
}

type watchedSigner struct {
	ssh.Signer
	note func()
}

// Sign implements ssh.Signer.
func (w *watchedSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	w.note()
	return w.Signer.Sign(rand, data)
}

type watchedAlgorithm struct {
	watchedSigner
	inner ssh.AlgorithmSigner
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (w *watchedAlgorithm) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	w.note()
	return w.inner.SignWithAlgorithm(rand, data, algorithm)
}

type watchedMulti struct {
	watchedSigner
	inner ssh.MultiAlgorithmSigner
}

// SignWithAlgorithm implements ssh.AlgorithmSigner.
func (w *watchedMulti) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	w.note()
	return w.inner.SignWithAlgorithm(rand, data, algorithm)
}

// Algorithms implements ssh.MultiAlgorithmSigner.
func (w *watchedMulti) Algorithms() []string { return w.inner.Algorithms() }
