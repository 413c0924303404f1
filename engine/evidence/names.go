package evidence

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The files of a bundle.
const (
	ReadmeFile    = "README.txt"
	SumsFile      = "SHA256SUMS"
	SignatureFile = "SHA256SUMS.sig"
	SealFile      = "seal.txt"
	PlanFile      = "plan.json"
	ProjectDir    = "project"
	ArtifactsDir  = "artifacts/sha256"
	ApprovalsDir  = "approvals"
	AfterDir      = "after"

	temporaryDir = "artifacts/tmp"
	sealingDir   = "seal.tmp"
)

// Namespaces of the SSH signatures that continuo makes and accepts: a signature for one purpose is none for another.
const (
	EvidenceNamespace = "evidence@continuo"
	ApprovalNamespace = "approval@continuo"
)

var (
	nameRE     = regexp.MustCompile(`^[A-Za-z0-9._%-]+(/[A-Za-z0-9._%-]+)*$`)
	artifactRE = regexp.MustCompile(`^artifacts/sha256/([0-9a-f]{2})/([0-9a-f]{64})$`)
)

// ErrName is in the error of every name that a bundle may not hold.
var ErrName = errors.New("name is not allowed in a bundle")

// checkName refuses what is not a plain relative path of the permitted characters.
func checkName(name string) error {
	if !nameRE.MatchString(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") {
		return fmt.Errorf("%s: %w", strconv.QuoteToASCII(name), ErrName)
	}
	return nil
}

// EncodeName gives the name that a project's file has in a bundle: bytes other than [A-Za-z0-9._/-] are written %XX, so
// that no tool on the way can misread one. letters also encodes all letters.
func EncodeName(name string, letters bool) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if letter && !letters || c >= '0' && c <= '9' || strings.IndexByte("._/-", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// DecodeName reverses EncodeName.
func DecodeName(name string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", fmt.Errorf("%q: %w", name, ErrName)
		}
		n, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
		if err != nil || strings.ToUpper(name[i+1:i+3]) != name[i+1:i+3] {
			return "", fmt.Errorf("%q: %w", name, ErrName)
		}
		b.WriteByte(byte(n))
		i += 2
	}
	return b.String(), nil
}

// encodeNames encodes the names of a project. A name that differs only in case from an earlier one in byte order, or that
// lies in a directory that does, has all its letters encoded, so that no file system can confuse the two.
func encodeNames(names []string) (map[string]string, error) {
	out := make(map[string]string, len(names))
	taken := spellings{}
	for _, n := range slices.Sorted(slices.Values(names)) {
		enc := EncodeName(n, false)
		if err := checkName(enc); err != nil {
			return nil, err
		}
		if !taken.fits(enc) {
			enc = EncodeName(n, true)
		}
		if !taken.fits(enc) || taken[strings.ToLower(enc)] != "" {
			return nil, fmt.Errorf("%s: %w", strconv.QuoteToASCII(n), ErrName)
		}
		taken.take(enc)
		out[n] = enc
	}
	return out, nil
}

// spellings holds the one spelling of every name and directory, by its small letters.
type spellings map[string]string

// fits reports whether no part of the path is there in another spelling.
func (s spellings) fits(name string) bool {
	for p := name; p != "."; p = path.Dir(p) {
		if known := s[strings.ToLower(p)]; known != "" && known != p {
			return false
		}
	}
	return true
}

func (s spellings) take(name string) {
	for p := name; p != "."; p = path.Dir(p) {
		s[strings.ToLower(p)] = p
	}
}
