package evidence

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func exported(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Export(dir, &b))
	return b.Bytes()
}

func writeTar(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), string(sampleRun)+".tar")
	require.NoError(t, os.WriteFile(name, data, 0o600))
	return name
}

func TestExportIsDeterministicAndVerifies(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	first := exported(t, dir)
	require.Equal(t, first, exported(t, copyTree(t, dir)))
	res := mustVerify(t, writeTar(t, first))
	require.Empty(t, res.Reasons())
	require.True(t, res.OK())

	list, err := exec.Command(tool(t, "tar"), "-tvf", writeTar(t, first)).CombinedOutput()
	require.NoError(t, err, "%s", list)
	require.Contains(t, string(list), "1970-01-01")
	out := t.TempDir()
	got, err := exec.Command("tar", "-C", out, "-xf", writeTar(t, first)).CombinedOutput()
	require.NoError(t, err, "%s", got)
	require.True(t, mustVerify(t, filepath.Join(out, string(sampleRun))).OK(), "unpacked it is the same bundle")
}

func TestATarOfAnotherToolVerifies(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	pack := func(format string) string {
		name := filepath.Join(t.TempDir(), "x.tar")
		out, err := exec.Command(tool(t, "tar"), "-C", filepath.Dir(dir), "--format="+format, "-cf", name, filepath.Base(dir)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return name
	}
	require.True(t, mustVerify(t, pack("ustar")).OK())
	_, err := Verify(pack("gnu"), verifyOptions(t))
	require.ErrorContains(t, err, "unpack it, or pack it with continuo export", "its extensions are not guessed at")
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	dir := s.close()
	require.ErrorIs(t, Export(dir, io.Discard), ErrNotSealed)
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	require.NoError(t, os.Symlink("x", filepath.Join(dir, "link")))
	require.ErrorContains(t, Export(dir, io.Discard), "link: not a regular file")
}

// entry is one member of a hostile tar.
type entry struct {
	name string
	kind byte
	body string
	link string
	pax  map[string]string
}

func hostile(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.body)), Linkname: e.link, PAXRecords: e.pax, Mode: 0o644}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.body)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestStrictTarReaderRefuses(t *testing.T) {
	t.Parallel()
	good := exported(t, sealedSample(t))
	file := entry{name: "r/journal.jsonl", kind: tar.TypeReg, body: "x"}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"parent":            {hostile(t, file, entry{name: "r/../../x", kind: tar.TypeReg}), "name is not allowed"},
		"absolute":          {hostile(t, file, entry{name: "/etc/passwd", kind: tar.TypeReg}), "name is not allowed"},
		"two tops":          {hostile(t, file, entry{name: "s/x", kind: tar.TypeReg}), "one top directory"},
		"no top":            {hostile(t, entry{name: "journal.jsonl", kind: tar.TypeReg}), "name is not allowed"},
		"twice":             {hostile(t, file, file), "is there twice"},
		"symlink":           {hostile(t, file, entry{name: "r/l", kind: tar.TypeSymlink, link: "/etc/passwd"}), "neither file nor directory"},
		"hard link":         {hostile(t, file, entry{name: "r/l", kind: tar.TypeLink, link: "r/journal.jsonl"}), "neither file nor directory"},
		"device":            {hostile(t, file, entry{name: "r/d", kind: tar.TypeChar}), "neither file nor directory"},
		"FIFO":              {hostile(t, file, entry{name: "r/p", kind: tar.TypeFifo}), "neither file nor directory"},
		"extended header":   {hostile(t, entry{name: "r/journal.jsonl", kind: tar.TypeReg, pax: map[string]string{"X.y": "z"}}), "neither file nor directory"},
		"bad name":          {hostile(t, file, entry{name: "r/a b", kind: tar.TypeReg}), "name is not allowed"},
		"cut in a header":   {good[:700], "cut off"},
		"cut in a file":     {good[:len(good)/2/512*512+100], "cut off"},
		"no end":            {bytes.TrimRight(good, "\x00"), "cut off"},
		"something behind":  {append(bytes.Clone(good), bytes.Repeat([]byte("x"), 512)...), "something follows the end"},
		"a bomb of zeros":   {append(bytes.Clone(good), make([]byte, 2<<20)...), "want two blocks of zeros"},
		"checksum":          {flip(good, 10), "checksum does not match"},
		"not a tar":         {bytes.Repeat([]byte("not a tar "), 200), "checksum does not match"},
		"empty":             {nil, "cut off"},
		"a size beyond end": {resize(good), "cut off"},
		"only zeros":        {make([]byte, 2048), "not a bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Verify(writeTar(t, c.data), verifyOptions(t))
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Verify("/dev/zero", verifyOptions(t))
	require.ErrorIs(t, err, ErrTar)
}

func flip(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 1
	return out
}

// resize writes the greatest size into the first header, with a checksum that holds.
func resize(data []byte) []byte {
	out := bytes.Clone(data)
	copy(out[124:136], strings.Repeat("7", 11)+"\x00")
	copy(out[148:156], "        ")
	total := int64(0)
	for _, c := range out[:512] {
		total += int64(c)
	}
	copy(out[148:156], octal6(total))
	return out
}

func octal6(n int64) string {
	digits := []byte("000000\x00 ")
	for i := 5; i >= 0; i-- {
		digits[i] = byte('0' + n%8)
		n /= 8
	}
	return string(digits)
}

func TestEveryByteOfATarCounts(t *testing.T) {
	t.Parallel()
	data := exported(t, sealedSample(t))
	name := writeTar(t, data)
	harmless := 0
	for at := 0; at < len(data); at += 151 {
		require.NoError(t, os.WriteFile(name, flip(data, at), 0o600))
		res, err := Verify(name, verifyOptions(t))
		if err == nil && res.OK() {
			harmless++ // padding between files, which no unpacker gives to anyone
			require.Zero(t, data[at], "byte %d", at)
		}
	}
	t.Logf("%d bytes of padding may differ", harmless)
}

func FuzzTar(f *testing.F) {
	f.Add(exported(f, sealedSample(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		src, err := openTar(writeTar(t, data))
		if err != nil {
			return
		}
		defer src.Close()
		for _, file := range src.files() {
			require.NoError(t, checkName(file.name))
			r, err := src.open(file.name)
			require.NoError(t, err)
			n, err := io.Copy(io.Discard, r)
			require.NoError(t, err)
			require.Equal(t, file.size, n)
		}
	})
}
