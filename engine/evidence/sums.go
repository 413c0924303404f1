package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Entry is one line of SHA256SUMS.
type Entry struct {
	Name   string
	SHA256 string
}

// ErrSums is in the error of a SHA256SUMS that is not exactly as Seal writes it.
var ErrSums = errors.New("SHA256SUMS is malformed")

// formatSums writes entries as `sha256sum` does, sorted by name in byte order.
func formatSums(entries []Entry) []byte {
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	for _, e := range sorted {
		fmt.Fprintf(&b, "%s  %s\n", e.SHA256, e.Name)
	}
	return b.Bytes()
}

// parseSums reads SHA256SUMS strictly: every line of the one form, sorted, no name twice nor twice but for case, no file
// that must not be listed.
func parseSums(data []byte) ([]Entry, error) {
	var out []Entry
	folded := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		n := len(out) + 1
		text, ok := strings.CutSuffix(line, "\n")
		digest, name, ok2 := strings.Cut(text, "  ")
		if !ok || !ok2 || len(digest) != 64 || strings.Trim(digest, "0123456789abcdef") != "" || checkName(name) != nil {
			return nil, fmt.Errorf("line %d: %w", n, ErrSums)
		}
		if len(out) > 0 && out[len(out)-1].Name >= name || folded[strings.ToLower(name)] {
			return nil, fmt.Errorf("line %d: %s is out of order or there twice: %w", n, name, ErrSums)
		}
		if !listed(name) {
			return nil, fmt.Errorf("line %d: %s cannot be listed: %w", n, name, ErrSums)
		}
		folded[strings.ToLower(name)] = true
		out = append(out, Entry{Name: name, SHA256: digest})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no file is listed: %w", ErrSums)
	}
	return out, nil
}

// listed reports whether SHA256SUMS covers a file of that name: all but the list itself, its signature and after/.
func listed(name string) bool {
	return name != SumsFile && name != SignatureFile && !strings.HasPrefix(name, AfterDir+"/")
}
