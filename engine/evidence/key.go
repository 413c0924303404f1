package evidence

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// executorKeyFile is the executor key's name in the user's state directory; its public half has ".pub" behind it.
const executorKeyFile = "executor_ed25519"

// ErrKey is in the error of every key that cannot sign.
var ErrKey = errors.New("key cannot be used")

// Signer signs seals, checkpoints, approvals and reviews with one SSH key.
type Signer struct {
	ssh  ssh.Signer
	name string
}

// Fingerprint is the key as `ssh-keygen -l` names it: SHA256:….
func (s *Signer) Fingerprint() string { return ssh.FingerprintSHA256(s.ssh.PublicKey()) }

// Name says where the key is.
func (s *Signer) Name() string { return s.name }

// AllowedSigner is the line that makes the key known in an allowed_signers file, without LF.
func (s *Signer) AllowedSigner(principal, namespace string) string {
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.ssh.PublicKey())))
	return fmt.Sprintf("%s namespaces=%q %s", principal, namespace, key)
}

// Sign makes an armored SSH signature over data, as `ssh-keygen -Y sign -n namespace` does.
func (s *Signer) Sign(data []byte, namespace string) ([]byte, error) {
	return sign(data, s.ssh, namespace)
}

// ExecutorKey returns the key in dir that signs what this machine records, and makes it, 0600 and without passphrase,
// when it is not there: made is true then, and the user is told. Whoever can read it can forge a run.
func ExecutorKey(dir, comment string) (s *Signer, made bool, err error) {
	return executorKey(fsx.OS{}, dir, comment, rand.Reader)
}

func executorKey(fsys fsx.FS, dir, comment string, random io.Reader) (*Signer, bool, error) {
	name := filepath.Join(dir, executorKeyFile)
	if s, err := SignerFromFile(name, nil); !errors.Is(err, fs.ErrNotExist) {
		return s, false, err
	}
	if err := fsx.MkdirAll(fsys, dir, 0o700); err != nil {
		return nil, false, fmt.Errorf("make executor key: %w", err)
	}
	lock, err := fsys.Lock(dir)
	if err != nil {
		return nil, false, fmt.Errorf("make executor key: %w", err)
	}
	defer lock.Close()
	if s, err := SignerFromFile(name, nil); !errors.Is(err, fs.ErrNotExist) {
		return s, false, err // another process made it meanwhile
	}
	if err := writeKey(fsys, name, comment, random); err != nil {
		return nil, false, fmt.Errorf("make executor key: %w", err)
	}
	s, err := SignerFromFile(name, nil)
	return s, err == nil, err
}

func writeKey(fsys fsx.FS, name, comment string, random io.Reader) error {
	pub, priv, err := ed25519.GenerateKey(random)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(priv, comment)
	if err != nil {
		return err
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		return err
	}
	line := bytes.TrimSpace(ssh.MarshalAuthorizedKey(sshPub))
	line = append(append(line, ' '), comment+"\n"...)
	if err := fsx.ReplaceFile(fsys, name+".pub", line, 0o644); err != nil {
		return err
	}
	return fsx.ReplaceFile(fsys, name, pem.EncodeToMemory(block), 0o600)
}

// SignerFromFile opens a private key that only its owner can read. passphrase is called for an encrypted one; nil means
// that there is nobody to ask.
func SignerFromFile(name string, passphrase func() ([]byte, error)) (*Signer, error) {
	data, err := readPrivateKey(name)
	if err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) && passphrase != nil {
		var phrase []byte
		if phrase, err = passphrase(); err == nil {
			key, err = ssh.ParsePrivateKeyWithPassphrase(data, phrase)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w: %w", name, ErrKey, err)
	}
	if err := checkKeyType(key.PublicKey()); err != nil {
		return nil, fmt.Errorf("open key %s: %w", name, err)
	}
	return &Signer{ssh: key, name: name}, nil
}

func readPrivateKey(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %s: %w; chmod 600 it", name, info.Mode(), ErrKey)
	}
	return io.ReadAll(io.LimitReader(f, 1<<20))
}

// SignerFromAgent uses the key of an SSH agent whose public half is in the file name. The connection stays open as long
// as the signer is used.
func SignerFromAgent(socket, name string) (*Signer, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w: not a public key", name, ErrKey)
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("ask the SSH agent: %w", err)
	}
	keys, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask the SSH agent: %w", err), conn.Close())
	}
	for _, k := range keys {
		if bytes.Equal(k.PublicKey().Marshal(), pub.Marshal()) {
			return &Signer{ssh: k, name: name + " (agent)"}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("open key %s: %w: the SSH agent does not hold it", name, ErrKey), conn.Close())
}
