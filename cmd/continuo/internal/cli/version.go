package cli

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
)

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Version, commit, module versions, Go version",
		Example: "  continuo version\n  continuo version --json",
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			doc := versionDocument()
			if a.global.json {
				return a.out.JSON(doc)
			}
			a.out.Version(doc)
			return nil
		},
	}
}

// versionDocument is what the running binary knows of itself.
func versionDocument() view.VersionDocument {
	t := tool()
	doc := view.VersionDocument{
		Schema: view.VersionSchema, Version: t.Version, Commit: t.Commit, Go: t.Go, OS: t.OS,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return doc
	}
	for _, m := range info.Deps {
		version := m.Version
		if m.Replace != nil {
			version = m.Replace.Version
		}
		doc.Modules = append(doc.Modules, view.Module{Path: m.Path, Version: version})
	}
	return doc
}

// tool says which continuo this is, for journals.
func tool() engine.Tool {
	t := engine.Tool{Version: "devel", Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		t.Version = strings.TrimPrefix(v, "v")
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			t.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				t.Commit += "+modified"
			}
		}
	}
	return t
}
