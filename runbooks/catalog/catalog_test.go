package catalog_test

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/catalog"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// What a newcomer gets is valid as it stands, for the version that writes it: nothing of it comes later.
func TestTemplates(t *testing.T) {
	t.Parallel()
	for _, tmpl := range catalog.Templates() {
		t.Run(tmpl.Name, func(t *testing.T) {
			t.Parallel()
			files, err := catalog.Files(tmpl.Name)
			require.NoError(t, err)
			p, ds, err := loader.LoadFS(files, "/project", loader.Options{})
			require.NoError(t, err)
			require.Empty(t, ds)
			require.NotEmpty(t, p.Runbooks)
			require.NotEmpty(t, p.Tests, "a template shows how a runbook is tested")
			for _, rb := range p.Runbooks {
				require.NotEmpty(t, rb.Title)
				require.NotEmpty(t, rb.Objectives, "a drill without an objective measures nothing")
				values, ds := loader.Values(p, rb, nil)
				require.Empty(t, ds, "it runs without being given anything")
				require.Len(t, values, len(rb.Variables))
			}
			require.NotEmpty(t, tmpl.Title)
			require.Equal(t, "continuo validate", tmpl.Next[0])
		})
	}
}

// Every file of a template is used: the loader has read it.
func TestTemplates_noStrayFiles(t *testing.T) {
	t.Parallel()
	for _, name := range catalog.Names() {
		files, err := catalog.Files(name)
		require.NoError(t, err)
		p, ds, err := loader.LoadFS(files, "/project", loader.Options{})
		require.NoError(t, err)
		require.Empty(t, ds)
		read := map[string]bool{}
		for _, f := range p.Files {
			read[f.Path] = true
		}
		err = fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				require.True(t, read[path], "%s/%s is not part of the project", name, path)
			}
			return err
		})
		require.NoError(t, err)
	}
}

func TestFiles_unknown(t *testing.T) {
	t.Parallel()
	_, err := catalog.Files("nonsense")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, ok := catalog.Find("nonsense")
	require.False(t, ok)
	require.Equal(t, catalog.Default, catalog.Names()[0])
}
