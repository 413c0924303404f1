package memfs_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx/memfs"
)

var _ fsx.FS = (*memfs.FS)(nil)

func image(t *testing.T, m *memfs.FS, loss float64, seed uint64) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, m.Image(to, loss, rand.New(rand.NewPCG(seed, 0))))
	return to
}

func TestOnlyWhatWasSyncedSurvivesForCertain(t *testing.T) {
	t.Parallel()
	m := memfs.New()
	require.NoError(t, fsx.MkdirAll(m, "/a/b", 0o700))
	require.NoError(t, fsx.WriteFile(m, "/a/b/entry-lost", []byte("x"), 0o600)) // content synced, entry not
	require.NoFileExists(t, filepath.Join(image(t, m, 1, 1), "a/b/entry-lost"))
	require.NoError(t, m.SyncDir("/a/b"))
	f, err := m.OpenFile("/a/b/entry-lost", os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.Write(make([]byte, 2000))
	require.NoError(t, err)

	data, err := os.ReadFile(filepath.Join(image(t, m, 1, 1), "a/b/entry-lost"))
	require.NoError(t, err)
	require.Equal(t, "x", string(data))
	data, err = os.ReadFile(filepath.Join(image(t, m, 0, 1), "a/b/entry-lost"))
	require.NoError(t, err)
	require.Len(t, data, 2001)
	sizes := map[int]bool{}
	for seed := range uint64(40) {
		data, err = os.ReadFile(filepath.Join(image(t, m, 0.5, seed), "a/b/entry-lost"))
		require.NoError(t, err)
		sizes[len(data)] = true
	}
	require.Greater(t, len(sizes), 2, "sectors are lost one by one")
	require.NoError(t, f.Sync())
	data, err = os.ReadFile(filepath.Join(image(t, m, 1, 1), "a/b/entry-lost"))
	require.NoError(t, err)
	require.Len(t, data, 2001)
}

func TestARenameMayBeLostUntilTheDirectoryIsSynced(t *testing.T) {
	t.Parallel()
	m := memfs.New()
	require.NoError(t, fsx.ReplaceFile(m, "/f", []byte("old"), 0o600))
	require.NoError(t, fsx.WriteFile(m, "/g", []byte("new"), 0o600))
	require.NoError(t, m.Rename("/g", "/f"))
	data, err := os.ReadFile(filepath.Join(image(t, m, 1, 1), "f"))
	require.NoError(t, err)
	require.Equal(t, "old", string(data))
	require.NoError(t, m.SyncDir("/"))
	data, err = os.ReadFile(filepath.Join(image(t, m, 1, 1), "f"))
	require.NoError(t, err)
	require.Equal(t, "new", string(data))
}

func TestErrorsAreThoseOfARealFileSystem(t *testing.T) {
	t.Parallel()
	m := memfs.New()
	_, err := m.OpenFile("/none", os.O_RDONLY, 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = m.OpenFile("/no/dir", os.O_CREATE, 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, m.Mkdir("/d", 0))
	require.ErrorIs(t, m.Mkdir("/d", 0), fs.ErrExist)
	require.NoError(t, fsx.WriteFile(m, "/d/f", nil, 0))
	require.ErrorIs(t, fsx.WriteFile(m, "/d/f", nil, 0), fs.ErrExist)
	require.Error(t, m.Remove("/d"))
	require.NoError(t, fsx.RemoveAll(m, "/d"))
	require.ErrorIs(t, m.Remove("/d"), fs.ErrNotExist)
	lock, err := m.Lock("/")
	require.NoError(t, err)
	_, err = m.Lock("/")
	require.ErrorIs(t, err, fsx.ErrLocked)
	require.NoError(t, lock.Close())
	_, err = m.Lock("/")
	require.NoError(t, err)
}
