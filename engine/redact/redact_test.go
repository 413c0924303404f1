package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/redact"
)

const secret = `p4ss/w+rd "q'uote"$<é>`

// encoders are the ways in which programs print a secret, each written here a second time, apart from the package.
var encoders = map[string]func(string) string{
	"raw":                  func(s string) string { return s },
	"surrounded":           func(s string) string { return "user=x password=" + s + " host=y" },
	"base64 alignment 0":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("abc" + s + "tail")) },
	"base64 alignment 1":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("abcd" + s + "tail")) },
	"base64 alignment 2":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("abcde" + s + "tail")) },
	"base64 alone":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 with newline":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s + "\n")) },
	"base64url 0":          func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s + "tail")) },
	"base64url 1":          func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("a" + s + "tail")) },
	"base64url 2":          func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("ab" + s + "tail")) },
	"hex":                  func(s string) string { return hex.EncodeToString([]byte("a" + s + "b")) },
	"HEX":                  func(s string) string { return fmt.Sprintf("%X", s) },
	"URL query":            url.QueryEscape,
	"URL query, small":     func(s string) string { return lowerPercent(url.QueryEscape(s)) },
	"URL path":             url.PathEscape,
	"URL component":        func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	"JSON":                 func(s string) string { b, _ := json.Marshal(map[string]string{"k": s}); return string(b) },
	"JSON, no HTML escape": func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` },
	"JSON, ASCII":          func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `"`, `\"`), "é", `\u00e9`) },
	"shell, single":        func(s string) string { return `'` + strings.ReplaceAll(s, `'`, `'\''`) + `'` },
	"shell, double":        func(s string) string { return `"` + strings.NewReplacer(`"`, `\"`, `$`, `\$`).Replace(s) + `"` },
}

func lowerPercent(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// split redacts text cut into two writes.
func split(t testing.TB, r *redact.Redactor, text string, at int) string {
	t.Helper()
	var out bytes.Buffer
	w := r.NewWriter(&out)
	_, err := io.WriteString(w, text[:at])
	require.NoError(t, err)
	_, err = io.WriteString(w, text[at:])
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.String()
}

func TestEveryEncodingAtEverySplit(t *testing.T) {
	t.Parallel()
	r := redact.New()
	require.NoError(t, r.Add("db", secret))
	cases := 0
	for name, encode := range encoders {
		text := "before " + encode(secret) + " after"
		want := r.Redact(text)
		require.Contains(t, want, "[redacted:db]", name)
		require.True(t, strings.HasPrefix(want, "before ") && strings.HasSuffix(want, " after"), "%s: %s", name, want)
		for _, core := range []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret))[:24]} {
			require.NotContains(t, want, core, name)
		}
		for at := range len(text) + 1 {
			require.Equal(t, want, split(t, r, text, at), "%s split at %d", name, at)
			cases++
		}
		require.Equal(t, want, byByte(t, r, text), name)
	}
	t.Logf("%d encodings, %d splits", len(encoders), cases)
}

func byByte(t testing.TB, r *redact.Redactor, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := r.NewWriter(&out)
	for i := range len(text) {
		_, err := w.Write([]byte{text[i]})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.String()
}

func TestRedact(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN KEY-----\n" + strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0\n", 3) + "c2hvcnQ\n-----END KEY-----\n"
	for name, c := range map[string]struct {
		secrets map[string]string
		in, out string
	}{
		"no secret":                {nil, "plain text", "plain text"},
		"nothing found":            {map[string]string{"a": "s3cr3t"}, "s3cr3 t", "s3cr3 t"},
		"twice":                    {map[string]string{"a": "s3cr3t"}, "s3cr3ts3cr3t", "[redacted:a][redacted:a]"},
		"at both ends":             {map[string]string{"a": "s3cr3t"}, "s3cr3t x s3cr3t", "[redacted:a] x [redacted:a]"},
		"trimmed":                  {map[string]string{"a": " s3cr3t\n"}, "(s3cr3t)", "([redacted:a])"},
		"one inside another":       {map[string]string{"a": "s3cr3t", "b": "my-s3cr3t-long"}, "my-s3cr3t-long", "[redacted:b]"},
		"overlapping":              {map[string]string{"a": "abcdefgh", "b": "efghijkl"}, "xabcdefghijklx", "x[redacted:a]x"},
		"overlapping itself":       {map[string]string{"a": "abaaba"}, "abaabaabaaba!", "[redacted:a]!"},
		"prefix that fails":        {map[string]string{"a": "aaaaaab"}, "aaaaaaaaaab", "aaaa[redacted:a]"},
		"a line of many":           {map[string]string{"k": key}, "got QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0", "got [redacted:k]"},
		"frames are no secrets":    {map[string]string{"k": key}, "-----BEGIN KEY-----", "-----BEGIN KEY-----"},
		"whole PEM":                {map[string]string{"k": key}, "<" + key + ">", "<[redacted:k]>"},
		"binary around it":         {map[string]string{"a": "s3cr3t"}, "\x00\xffs3cr3t\xfe", "\x00\xff[redacted:a]\xfe"},
		"two values of one secret": {map[string]string{"a": "old-value"}, "old-value", "[redacted:a]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redact.New()
			for n, v := range c.secrets {
				require.NoError(t, r.Add(n, v))
			}
			require.Equal(t, c.out, r.Redact(c.in))
			require.Equal(t, c.out, byByte(t, r, c.in))
			require.Equal(t, c.out, r.Redact(c.out), "markers stay")
		})
	}
}

func TestWrappedBase64OfALongSecret(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdefghij", 12)
	r := redact.New()
	require.NoError(t, r.Add("k", long))
	for _, width := range []int{64, 76} {
		var wrapped strings.Builder
		for rest := base64.StdEncoding.EncodeToString([]byte(long)); rest != ""; rest = rest[min(width, len(rest)):] {
			wrapped.WriteString(rest[:min(width, len(rest))] + "\n")
		}
		for line := range strings.Lines(r.Redact(wrapped.String())) {
			require.Regexp(t, `^\[redacted:k\]=*\n$`, line)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value string
		want  error
	}{
		"empty":             {"", redact.ErrTooShort},
		"five characters":   {"abcde", redact.ErrTooShort},
		"five and a LF":     {"abcde\n", redact.ErrTooShort},
		"white space":       {"          ", redact.ErrTooShort},
		"over 64 KiB":       {strings.Repeat("x", 64<<10+1), redact.ErrTooLong},
		"part of a marker":  {"redacted", redact.ErrMarker},
		"part of its name":  {"cluster", redact.ErrMarker},
		"part of its names": {"acted:cl", redact.ErrMarker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redact.New()
			err := r.Add("clusterx", c.value)
			require.ErrorIs(t, err, c.want)
			require.Contains(t, err.Error(), `"clusterx"`)
			if len(c.value) > 5 && !errors.Is(err, redact.ErrMarker) {
				require.NotContains(t, err.Error(), c.value, "errors never hold the value")
			}
		})
	}
	r := redact.New()
	require.NoError(t, r.Add("a", "abcdef"), "six characters are enough")
	require.NoError(t, r.Add("a", "abcdef"), "the same again is no error")
	require.NoError(t, r.Add("a", "ghijkl"), "a second value of the same secret")
	require.Equal(t, "[redacted:a] [redacted:a]", r.Redact("abcdef ghijkl"))
}

func TestASecretAddedWhileAStreamRuns(t *testing.T) {
	t.Parallel()
	r := redact.New()
	require.NoError(t, r.Add("a", "abcdefgh"))
	var out bytes.Buffer
	w := r.NewWriter(&out)
	_, err := io.WriteString(w, "x abcdef")
	require.NoError(t, err)
	require.NoError(t, r.Add("b", "defXYZ"))
	_, err = io.WriteString(w, "XYZ abcdefgh defXYZ")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, "x abc[redacted:b] [redacted:a] [redacted:b]", out.String())
	require.Equal(t, 3, w.Count())
	_, err = w.Write([]byte("more"))
	require.Error(t, err)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := redact.New()
	require.NoError(t, r.Add("first", "s3cr3t-0"))
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			require.NoError(t, r.Add(fmt.Sprintf("n%d", n), fmt.Sprintf("another-%d", n)))
			require.Equal(t, "[redacted:first]", r.Redact("s3cr3t-0"))
			require.Equal(t, fmt.Sprintf("[redacted:n%d]", n), r.Redact(fmt.Sprintf("another-%d", n)))
		})
	}
	wg.Wait()
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterReportsTheErrorBelow(t *testing.T) {
	t.Parallel()
	w := redact.New().NewWriter(failing{})
	_, err := w.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrShortWrite)
	require.ErrorIs(t, w.Close(), io.ErrShortWrite)
	require.ErrorIs(t, w.Close(), io.ErrShortWrite)
}

func TestScan(t *testing.T) {
	t.Parallel()
	r := redact.New()
	hits, err := r.Scan(strings.NewReader("s3cr3t"), 0)
	require.NoError(t, err)
	require.Empty(t, hits)
	require.NoError(t, r.Add("a", "s3cr3t"))
	text := strings.Repeat("x", 70<<10) + "s3cr3t" + hex.EncodeToString([]byte("s3cr3t"))
	hits, err = r.Scan(strings.NewReader(text), 0)
	require.NoError(t, err)
	require.Equal(t, []redact.Hit{
		{Name: "a", Encoding: "raw", Offset: 70 << 10}, {Name: "a", Encoding: "hex", Offset: 70<<10 + 6},
	}, hits)
	hits, err = r.Scan(strings.NewReader(text), 1)
	require.NoError(t, err)
	require.Len(t, hits, 1)
}

func FuzzSplits(f *testing.F) {
	f.Add("abcabd", "abcabcabd", "xxabcabcabdabcabdxx", uint8(3), uint8(5))
	f.Add("aaaaaa", "aaaaaab", "aaaaaaaaaaaaabaaaaaab", uint8(1), uint8(7))
	f.Fuzz(func(t *testing.T, a, b, text string, cut1, cut2 uint8) {
		r := redact.New()
		var known []string
		for name, v := range map[string]string{"a": a, "b": b} {
			if r.Add(name, v) == nil {
				known = append(known, v)
			}
		}
		text += a + text + b
		want := r.Redact(text)
		at1, at2 := int(cut1)%(len(text)+1), int(cut2)%(len(text)+1)
		require.Equal(t, want, split(t, r, text, at1))
		require.Equal(t, want, split(t, r, text, at2))
		require.Equal(t, want, byByte(t, r, text))
		bare := strings.NewReplacer("[redacted:a]", "\x00", "[redacted:b]", "\x00").Replace(want)
		for _, v := range known {
			require.NotContains(t, bare, v)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	r := redact.New()
	for i := range 10 {
		require.NoError(b, r.Add(fmt.Sprintf("s%d", i), fmt.Sprintf("%d-correct-horse-battery-staple", i)))
	}
	chunk := bytes.Repeat([]byte("2026-11-21T18:20:01Z replication is 42 ms behind, correct so far\n"), 512)
	b.SetBytes(int64(len(chunk)))
	w := r.NewWriter(io.Discard)
	for b.Loop() {
		if _, err := w.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
