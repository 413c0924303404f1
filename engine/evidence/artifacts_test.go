package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
)

var _ engine.Artifacts = (*Artifacts)(nil)

func hexSum(data string) string {
	d := sha256.Sum256([]byte(data))
	return hex.EncodeToString(d[:])
}

func TestOutputsAreKept(t *testing.T) {
	t.Parallel()
	const limit = 32 << 10
	big := strings.Repeat("0123456789abcdef", limit/16) // exactly the limit
	for name, c := range map[string]struct {
		text      string
		inline    bool
		truncated bool
		stored    string
	}{
		"empty":               {"", true, false, ""},
		"short":               {"ok\n", true, false, ""},
		"up to 4 KiB":         {strings.Repeat("x", MaxInline), true, false, ""},
		"over 4 KiB":          {strings.Repeat("x", MaxInline+1), false, false, strings.Repeat("x", MaxInline+1)},
		"short but binary":    {"\xff\xfe", false, false, "\xff\xfe"},
		"short but with NUL":  {"a\x00b", false, false, "a\x00b"},
		"exactly the limit":   {big, false, false, big},
		"one byte over":       {big + "!", false, true, big[:limit/2] + cutLine(1) + big[limit/2+1:] + "!"},
		"three times too big": {big + big + "tail", false, true, big[:limit/2] + cutLine(limit+4) + big[limit/2+4:] + "tail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, chunk := range []int{1 << 20, 1000, 7} {
				a := newArtifacts(fsx.OS{}, t.TempDir(), nil)
				a.limit = limit
				out := writeChunks(t, a, c.text, chunk)
				require.Equal(t, int64(len(c.text)), out.Size)
				require.Equal(t, hexSum(c.text), out.SHA256, "the digest is of the whole")
				require.Equal(t, c.truncated, out.Truncated)
				if c.inline {
					require.Equal(t, c.text, out.Text)
					require.Empty(t, out.Artifact)
					continue
				}
				require.Empty(t, out.Text)
				require.Equal(t, hexSum(c.stored), out.Artifact)
				data, err := a.Get(out.Artifact)
				require.NoError(t, err)
				require.Equal(t, c.stored, string(data))
				left, err := os.ReadDir(filepath.Join(a.dir, "artifacts", "tmp"))
				require.NoError(t, err)
				require.Empty(t, left, "no temporary file is left")
			}
		})
	}
}

func cutLine(n int) string { return fmt.Sprintf("\n[continuo: %d bytes are not kept here]\n", n) }

func writeChunks(t *testing.T, a *Artifacts, text string, chunk int) engine.ItemOutput {
	t.Helper()
	w, err := a.Create()
	require.NoError(t, err)
	for rest := text; rest != ""; rest = rest[min(chunk, len(rest)):] {
		n, err := w.Write([]byte(rest[:min(chunk, len(rest))]))
		require.NoError(t, err)
		require.Positive(t, n)
	}
	out, err := w.Finish()
	require.NoError(t, err)
	return out
}

func TestOutputsAreRedactedBeforeTheyAreHashed(t *testing.T) {
	t.Parallel()
	red := redact.New()
	require.NoError(t, red.Add("db", "correct-horse"))
	a := newArtifacts(fsx.OS{}, t.TempDir(), red)
	out := writeChunks(t, a, strings.Repeat("y", 5000)+" correct-horse\n", 5)
	want := strings.Repeat("y", 5000) + " [redacted:db]\n"
	require.Equal(t, 1, out.Redactions)
	require.Equal(t, hexSum(want), out.SHA256)
	require.Equal(t, out.SHA256, out.Artifact)
	digest, err := a.Put([]byte("argv correct-horse"))
	require.NoError(t, err)
	require.Equal(t, hexSum("argv [redacted:db]"), digest)
	again, err := a.Put([]byte("argv correct-horse"))
	require.NoError(t, err)
	require.Equal(t, digest, again)
}

func TestMemoryStaysBoundedWhateverIsWritten(t *testing.T) {
	t.Parallel()
	a := newArtifacts(fsx.OS{}, t.TempDir(), nil)
	w, err := a.Create()
	require.NoError(t, err)
	chunk := bytes.Repeat([]byte("z"), 1<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 40 {
		_, err := w.Write(chunk)
		require.NoError(t, err)
	}
	s, ok := w.(*stream)
	require.True(t, ok)
	require.Empty(t, s.memory)
	out, err := w.Finish()
	require.NoError(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.True(t, out.Truncated)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(16<<20))
	info, err := os.Stat(filepath.Join(a.dir, artifactName(out.Artifact)))
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(MaxArtifact+100))
}

func TestConcurrentOutputsOfTheSameContent(t *testing.T) {
	t.Parallel()
	a := newArtifacts(fsx.OS{}, t.TempDir(), nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			w, err := a.Create()
			require.NoError(t, err)
			_, _ = w.Write(bytes.Repeat([]byte("same"), 2000))
			out, err := w.Finish()
			require.NoError(t, err)
			_, err = a.Get(out.Artifact)
			require.NoError(t, err)
		})
	}
	wg.Wait()
}

// fullDisk takes the first bytes and then fails.
type fullDisk struct {
	fsx.OS
	room int
}

func (d *fullDisk) OpenFile(name string, flag int, perm os.FileMode) (fsx.File, error) {
	f, err := d.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &fullFile{f, d}, nil
}

type fullFile struct {
	fsx.File
	disk *fullDisk
}

func (f *fullFile) WriteAt(p []byte, at int64) (int, error) {
	if f.disk.room -= len(p); f.disk.room < 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return f.File.WriteAt(p, at)
}

func TestAFullDiskShowsInFinishAndNotInTheCommand(t *testing.T) {
	t.Parallel()
	a := newArtifacts(&fullDisk{room: 10_000}, t.TempDir(), nil)
	w, err := a.Create()
	require.NoError(t, err)
	for range 100 {
		n, err := w.Write(make([]byte, 1000))
		require.NoError(t, err, "the command's output is drained all the same")
		require.Equal(t, 1000, n)
	}
	out, err := w.Finish()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, int64(100_000), out.Size, "what was lost was counted")
	require.Equal(t, hexSum(string(make([]byte, 100_000))), out.SHA256)
	left, err := os.ReadDir(filepath.Join(a.dir, "artifacts", "tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestGetRefuses(t *testing.T) {
	t.Parallel()
	a := newArtifacts(fsx.OS{}, t.TempDir(), nil)
	digest, err := a.putRaw([]byte("content"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, artifactName(digest)), []byte("c0ntent"), 0o600))
	_, err = a.Get(digest)
	require.ErrorContains(t, err, "does not match its name")
	for _, bad := range []string{"", "../../etc/passwd", strings.Repeat("../", 21) + "x"} {
		_, err = a.Get(bad)
		require.ErrorIs(t, err, ErrName)
	}
}
