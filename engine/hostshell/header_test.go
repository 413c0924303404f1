package hostshell

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const testNonce = "0123456789abcdef0123456789abcdef"

// pieces writes data in two pieces, cut at i.
func pieces(w io.Writer, data string, i int) {
	_, _ = io.WriteString(w, data[:i])
	_, _ = io.WriteString(w, data[i:])
}

func TestHeaderIsFoundAtEveryCut(t *testing.T) {
	t.Parallel()
	data := "noise " + testNonce[:20] + "\n" + testNonce + "x\nmore" + testNonce + " ok 12 34\nout\x00put " + testNonce + " ok again\n"
	for i := range len(data) + 1 {
		var out bytes.Buffer
		var got []string
		calls := 0
		w := &headerWriter{nonce: testNonce, found: func(f []string) io.Writer { got = f; calls++; return &out }}
		pieces(w, data, i)
		require.Equal(t, 1, calls, "cut at %d", i)
		require.Equal(t, []string{"ok", "12", "34"}, got)
		require.Equal(t, "out\x00put "+testNonce+" ok again\n", out.String())
		require.Equal(t, "noise "+testNonce[:20]+"\n"+testNonce+"x\nmore", w.Junk())
	}
}

func TestHeaderMemoryIsBounded(t *testing.T) {
	t.Parallel()
	for name, chunk := range map[string]string{"noise": strings.Repeat("x", 1000), "an answer without an end": testNonce + " " + strings.Repeat("y", 1000)} {
		w := &headerWriter{nonce: testNonce, found: func([]string) io.Writer { t.Error("found"); return nil }}
		for range 1000 {
			_, _ = io.WriteString(w, chunk)
		}
		require.Less(t, len(w.buf), 2*maxHeader, name)
		require.LessOrEqual(t, len(w.junk), maxJunk, name)
	}
}

func TestNilSinkIsDrained(t *testing.T) {
	t.Parallel()
	w := &headerWriter{nonce: testNonce, found: func([]string) io.Writer { return nil }}
	n, err := io.WriteString(w, testNonce+" ok\nrest")
	require.NoError(t, err)
	require.Equal(t, len(testNonce)+8, n)
}

func TestSplitAtEveryCut(t *testing.T) {
	t.Parallel()
	first, second := "out "+testNonce+" er", "\x00err "+testNonce+" err\n"
	data := first + testNonce + " err\n" + second
	for i := range len(data) + 1 {
		var a, b bytes.Buffer
		w := newSplitWriter(testNonce, &a, &b)
		pieces(w, data, i)
		require.Equal(t, first, a.String(), "cut at %d", i)
		require.Equal(t, second, b.String(), "cut at %d", i)
		require.True(t, w.Complete())
	}
	var a, b bytes.Buffer
	w := newSplitWriter(testNonce, &a, &b)
	_, _ = io.WriteString(w, first)
	require.False(t, w.Complete())
	require.True(t, strings.HasPrefix(first, a.String()))
}

// Whatever bytes come in whatever pieces: only a line with the nonce is an answer, and nothing behind it is lost.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), uint16(3))
	f.Add([]byte(testNonce[:31]), []byte(testNonce), uint16(40))
	f.Fuzz(func(t *testing.T, before, after []byte, cut uint16) {
		if bytes.Contains(before, []byte(testNonce)) {
			t.Skip()
		}
		data := append(append(append([]byte(nil), before...), testNonce+" ok\n"...), after...)
		if bytes.Index(data, []byte(testNonce+" ")) != len(before) {
			t.Skip() // before and the nonce overlap into an earlier one
		}
		i := int(cut) % (len(data) + 1)
		var out bytes.Buffer
		w := &headerWriter{nonce: testNonce, found: func([]string) io.Writer { return &out }}
		_, _ = w.Write(data[:i])
		_, _ = w.Write(data[i:])
		if !bytes.Equal(after, out.Bytes()) {
			t.Fatalf("%q became %q", after, out.Bytes())
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("a"), []byte("b"), uint16(3))
	f.Fuzz(func(t *testing.T, first, second []byte, cut uint16) {
		mark := []byte(testNonce + " err\n")
		data := append(append(append([]byte(nil), first...), mark...), second...)
		if bytes.Index(data, mark) != len(first) {
			t.Skip()
		}
		i := int(cut) % (len(data) + 1)
		var a, b bytes.Buffer
		w := newSplitWriter(testNonce, &a, &b)
		_, _ = w.Write(data[:i])
		_, _ = w.Write(data[i:])
		if !bytes.Equal(first, a.Bytes()) || !bytes.Equal(second, b.Bytes()) {
			t.Fatalf("%q and %q became %q and %q", first, second, a.Bytes(), b.Bytes())
		}
	})
}
