package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// checkpointsDir holds the signed checkpoints of a ledger, by their size.
const checkpointsDir = "checkpoints"

// Checkpoint is the state of a ledger at one moment: its size in lines and the root of the RFC 6962 tree over them. Kept
// by someone else, it shows every later change of what it covers.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   string // base64
	// Text is the signed note (C2SP tlog-checkpoint), where there is one.
	Text string
}

// Pin is the checkpoint in one word, for `ledger verify --pin`.
func (c Checkpoint) Pin() string { return strconv.FormatInt(c.Size, 10) + ":" + c.Root }

// ErrPin is in the error of a ledger that is not the one that was pinned.
var ErrPin = errors.New("ledger was rewritten: it does not continue what was pinned")

// leaves gives tlog the hashes of a tree that is held in memory.
type leaves []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (l leaves) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(l)) {
			return nil, fmt.Errorf("hash %d of %d", x, len(l))
		}
		out[i] = l[x]
	}
	return out, nil
}

// Checkpoint computes the state of the first size lines; without a size, of all.
func (r *LedgerRecord) Checkpoint(size int64) (Checkpoint, error) {
	if size > int64(len(r.lines)) || size < 0 {
		return Checkpoint{}, fmt.Errorf("the ledger has %d lines, not %d: %w", len(r.lines), size, ErrPin)
	}
	var stored leaves
	for i := range size {
		hashes, err := tlog.StoredHashes(i, r.lines[i], stored)
		if err != nil {
			return Checkpoint{}, err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{Origin: r.Origin(), Size: size, Root: base64.StdEncoding.EncodeToString(root[:])}, nil
}

// CheckPin compares the ledger with a checkpoint that was kept elsewhere, SIZE:ROOT.
func (r *LedgerRecord) CheckPin(pin string) error {
	text, root, ok := strings.Cut(pin, ":")
	size, err := strconv.ParseInt(text, 10, 64)
	if raw, derr := base64.StdEncoding.DecodeString(root); !ok || err != nil || size < 1 || derr != nil || len(raw) != tlog.HashSize {
		return fmt.Errorf("pin %q is not SIZE:ROOT", pin)
	}
	if size > int64(len(r.lines)) {
		return fmt.Errorf("the ledger has %d lines, the pin knows %d: its end was cut off: %w", len(r.lines), size, ErrPin)
	}
	c, err := r.Checkpoint(size)
	if err != nil {
		return err
	}
	if c.Root != root {
		return fmt.Errorf("the first %d lines are not those that were pinned: %w", size, ErrPin)
	}
	return nil
}

// Checkpoint signs the present state of the ledger and keeps it beside it. Only an Ed25519 key can.
func (l *Ledger) Checkpoint(s *Signer) (Checkpoint, error) {
	rec, _, err := l.load()
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := rec.Checkpoint(int64(len(rec.lines)))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	if c.Text, err = signNote(c, s); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	dir := filepath.Join(l.dir, checkpointsDir)
	if err := fsx.MkdirAll(l.fs, dir, 0o700); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	name := filepath.Join(dir, fmt.Sprintf("%010d.txt", c.Size))
	if err := fsx.ReplaceFile(l.fs, name, []byte(c.Text), 0o600); err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

// noteText is what is signed: origin, size and root, one a line.
func (c Checkpoint) noteText() string { return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root) }

// edKey is the Ed25519 public key in an SSH key.
func edKey(k ssh.PublicKey) (ed25519.PublicKey, error) {
	if c, ok := k.(ssh.CryptoPublicKey); ok {
		if pub, ok := c.CryptoPublicKey().(ed25519.PublicKey); ok {
			return pub, nil
		}
	}
	return nil, fmt.Errorf("%s: %w: a checkpoint takes an Ed25519 key", k.Type(), ErrWeakKey)
}

// verifierKey is the key in the form that notes use.
func verifierKey(origin string, k ssh.PublicKey) (string, error) {
	pub, err := edKey(k)
	if err != nil {
		return "", err
	}
	return note.NewEd25519VerifierKey(origin, pub)
}

// VerifierKey is the signer's key as tools for C2SP checkpoints take it.
func (s *Signer) VerifierKey(origin string) (string, error) {
	return verifierKey(origin, s.ssh.PublicKey())
}

// noteSigner lets an SSH key sign notes: an SSH signature by Ed25519 is over the bytes themselves.
type noteSigner struct {
	note.Verifier
	ssh ssh.Signer
}

// Sign implements note.Signer.
func (n noteSigner) Sign(msg []byte) ([]byte, error) {
	sig, err := n.ssh.Sign(rand.Reader, msg)
	if err != nil {
		return nil, err
	}
	return sig.Blob, nil
}

func signNote(c Checkpoint, s *Signer) (string, error) {
	key, err := s.VerifierKey(c.Origin)
	if err != nil {
		return "", err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return "", err
	}
	text, err := note.Sign(&note.Note{Text: c.noteText()}, noteSigner{Verifier: verifier, ssh: s.ssh})
	return string(text), err
}

// ParseCheckpoint reads a signed checkpoint and checks its signature with the key of the signers that made it.
func ParseCheckpoint(text []byte, signers *Signers) (Checkpoint, error) {
	origin, _, _ := bytes.Cut(text, []byte("\n"))
	var known []note.Verifier
	seen := map[string]bool{}
	for _, l := range signers.lines {
		key, err := verifierKey(string(origin), l.key)
		if err != nil || l.authority || seen[key] || signers.revoked[ssh.FingerprintSHA256(l.key)] {
			continue
		}
		seen[key] = true
		v, err := note.NewVerifier(key)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
		}
		known = append(known, v)
	}
	n, err := note.Open(text, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, fmt.Errorf("checkpoint: want origin, size and root: %w", ErrLedger)
	}
	c := Checkpoint{Origin: lines[0], Root: lines[2], Text: string(text)}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.noteText() != n.Text {
		return Checkpoint{}, fmt.Errorf("checkpoint: malformed: %w", ErrLedger)
	}
	return c, nil
}

// checkpoints reads the kept checkpoints, oldest first.
func checkpoints(stateDir string) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(stateDir, checkpointsDir, "*.txt"))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
