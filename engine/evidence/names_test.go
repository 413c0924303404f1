package evidence

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesOfProjectFiles(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"payments.hcl":  "payments.hcl",
		"a b":           "a%20b",
		"100%":          "100%25",
		"ü":             "%C3%BC",
		"a\nb":          "a%0Ab",
		"x/-rf":         "x/-rf",
		"dir/ü/A_b.txt": "dir/%C3%BC/A_b.txt",
	} {
		require.Equal(t, want, EncodeName(in, false))
		for _, letters := range []bool{false, true} {
			back, err := DecodeName(EncodeName(in, letters))
			require.NoError(t, err)
			require.Equal(t, in, back)
		}
	}
	for _, bad := range []string{"%", "%2", "%zz", "%c3"} {
		_, err := DecodeName(bad)
		require.ErrorIs(t, err, ErrName, bad)
	}
}

func TestNamesThatDifferOnlyInCaseAreToldApart(t *testing.T) {
	t.Parallel()
	got, err := encodeNames([]string{"a.hcl", "A.hcl", "Dir/x", "dir/y", "dir/X", "other/x"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"A.hcl": "A.hcl", "a.hcl": "%61.%68%63%6C", "Dir/x": "Dir/x", "dir/y": "%64%69%72/%79",
		"dir/X": "%64%69%72/%58", "other/x": "other/x",
	}, got)
	for _, bad := range [][]string{{"../x"}, {"/etc/passwd"}, {"a//b"}, {""}, {"a/./b"}, {"x", "x"}} {
		_, err := encodeNames(bad)
		require.ErrorIs(t, err, ErrName, "%q", bad)
	}
}

func FuzzEncodeNames(f *testing.F) {
	f.Add("a.hcl", "A.hcl")
	f.Add("d/x", "D/x")
	f.Fuzz(func(t *testing.T, a, b string) {
		if a == b {
			return
		}
		got, err := encodeNames([]string{a, b})
		if err != nil {
			return
		}
		require.NotEqual(t, strings.ToLower(got[a]), strings.ToLower(got[b]))
		for in, out := range got {
			back, err := DecodeName(out)
			require.NoError(t, err)
			require.Equal(t, in, back)
			require.NoError(t, checkName(out))
		}
	})
}

func TestParseSumsRefuses(t *testing.T) {
	t.Parallel()
	d := strings.Repeat("a", 64)
	good := d + "  a\n" + d + "  b/c\n"
	entries, err := parseSums([]byte(good))
	require.NoError(t, err)
	require.Equal(t, good, string(formatSums(entries)))
	for name, bad := range map[string]string{
		"empty":              "",
		"no LF at the end":   d + "  a",
		"binary mode":        d + " *a\n",
		"one blank":          d + " a\n",
		"short digest":       d[1:] + "  a\n",
		"capital digest":     strings.ToUpper(d) + "  a\n",
		"escaped name":       `\` + d + "  a\n",
		"unsorted":           d + "  b\n" + d + "  a\n",
		"twice":              d + "  a\n" + d + "  a\n",
		"twice but for case": d + "  A\n" + d + "  a\n",
		"parent":             d + "  ../a\n",
		"absolute":           d + "  /a\n",
		"itself":             d + "  SHA256SUMS\n",
		"its signature":      d + "  SHA256SUMS.sig\n",
		"after":              d + "  after/0001-review.txt\n",
		"CRLF":               d + "  a\r\n",
		"blank line":         d + "  a\n\n",
	} {
		_, err := parseSums([]byte(bad))
		require.ErrorIs(t, err, ErrSums, name)
	}
}
