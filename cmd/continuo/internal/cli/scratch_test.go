package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScratch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := scratch(dir).Create()
	require.NoError(t, err)
	_, err = f.Write([]byte("large"))
	require.NoError(t, err)
	got := make([]byte, 3)
	_, err = f.ReadAt(got, 2)
	require.NoError(t, err)
	require.Equal(t, "rge", string(got))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "nobody finds it, and nothing is left when the process is killed")
	require.NoError(t, f.Close())

	named, err := os.CreateTemp(dir, "scratch-*")
	require.NoError(t, err)
	require.NoError(t, (&namedScratch{named}).Close())
	require.NoFileExists(t, named.Name())
	_, err = scratch(filepath.Join(dir, "none")).Create()
	require.ErrorContains(t, err, "scratch file")
}
