package secrets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// fromAge decrypts a file, armored or not, with the identities, without its last newline.
func (r *Resolver) fromAge(path string) (string, error) {
	identities, err := r.identities()
	if err != nil {
		return "", err
	}
	f, _, err := openRegular(r.path(path))
	if err != nil {
		return "", err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var src io.Reader = in
	if head, _ := in.Peek(len(armor.Header)); string(head) == armor.Header {
		src = armor.NewReader(in)
	}
	plain, err := age.Decrypt(src, identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return "", ErrNoIdentity
	}
	if err != nil { // which may quote what it found
		return "", ErrNotAge
	}
	data, err := readBounded(plain)
	if errors.Is(err, ErrTooLarge) {
		return "", err
	}
	if err != nil {
		return "", ErrNotAge
	}
	return withoutNewline(string(data)), nil
}

// identities reads the identity files, which nobody else may read.
func (r *Resolver) identities() ([]age.Identity, error) {
	var out []age.Identity
	for _, path := range r.opts.AgeIdentities {
		data, err := readPrivate(r.path(path))
		if err != nil {
			return nil, fmt.Errorf("age identity: %w", err)
		}
		ids, err := age.ParseIdentities(bytes.NewReader(data))
		if err != nil { // which may quote the key
			return nil, fmt.Errorf("age identity %s: not an identity file as age-keygen writes it", path)
		}
		out = append(out, ids...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no identity file is given: %w", ErrNoIdentity)
	}
	return out, nil
}
