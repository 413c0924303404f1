package evidence

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// What can be wrong with a signature. Test with errors.Is.
var (
	ErrSignature = errors.New("signature does not match")
	ErrArmor     = errors.New("not an SSH signature in its exact form")
	ErrNamespace = errors.New("signature was made for another purpose")
	ErrWeakKey   = errors.New("key type is not accepted")
)

const (
	armorBegin = "-----BEGIN SSH SIGNATURE-----\n"
	armorEnd   = "-----END SSH SIGNATURE-----\n"
	armorWidth = 70 // as ssh-keygen writes it
)

// sign makes an armored SSHSIG over data, in the form of `ssh-keygen -Y sign`.
func sign(data []byte, s ssh.Signer, namespace string) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(data), s, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return armor(sig.Marshal()), nil
}

func armor(blob []byte) []byte {
	var b bytes.Buffer
	b.WriteString(armorBegin)
	for text := base64.StdEncoding.EncodeToString(blob); text != ""; {
		n := min(armorWidth, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString(armorEnd)
	return b.Bytes()
}

// unarmor takes the blob out of a signature. It accepts what ssh-keygen writes, of any version, and no other spelling of
// the same bytes: no byte of a signature can change unseen.
func unarmor(sig []byte) ([]byte, error) {
	text := string(sig)
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	body, ok := strings.CutPrefix(text, armorBegin)
	body, ok2 := strings.CutSuffix(body, armorEnd)
	if !ok || !ok2 {
		return nil, ErrArmor
	}
	lines := strings.SplitAfter(body, "\n")
	lines = lines[:len(lines)-1] // the empty rest after the last LF
	var digits strings.Builder
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\n")
		if last := i == len(lines)-1; !last && len(line)+1 != len(lines[0]) || line == "" || len(line)+1 > len(lines[0]) {
			return nil, ErrArmor
		}
		digits.WriteString(line)
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(digits.String())
	if err != nil || strings.ContainsAny(digits.String(), "\r\n") {
		return nil, ErrArmor
	}
	return blob, nil
}

// checkSignature verifies an armored SSHSIG over data for a namespace and returns the key that made it. Whether that
// key means anything is for Signers to say.
func checkSignature(data, armored []byte, namespace string) (ssh.PublicKey, error) {
	blob, err := unarmor(armored)
	if err != nil {
		return nil, err
	}
	sig, err := sshsig.ParseSignature(blob)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArmor, err)
	}
	if !bytes.Equal(sig.Marshal(), blob) {
		return nil, ErrArmor
	}
	if namespace == "" || sig.Namespace != namespace {
		return nil, fmt.Errorf("%w: namespace %q, want %q", ErrNamespace, sig.Namespace, namespace)
	}
	if err := checkKeyType(sig.PublicKey); err != nil {
		return nil, err
	}
	if err := sshsig.Verify(bytes.NewReader(data), sig, sig.PublicKey, sig.HashAlgorithm, namespace); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return sig.PublicKey, nil
}

// minRSA is the least size of an RSA key in bits.
const minRSA = 2048

// checkKeyType refuses keys that no longer prove anything, and certificates, which Signers does not judge.
func checkKeyType(k ssh.PublicKey) error {
	switch k.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return nil
	case ssh.KeyAlgoRSA:
		if c, ok := k.(ssh.CryptoPublicKey); ok {
			if pub, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && pub.N.BitLen() >= minRSA {
				return nil
			}
		}
		return fmt.Errorf("RSA under %d bits: %w", minRSA, ErrWeakKey)
	}
	return fmt.Errorf("%s: %w", k.Type(), ErrWeakKey)
}
