package sshtransport

import (
	"path/filepath"
	"strings"
)

// path makes an absolute path of one in the configuration: ~/ is the home directory, the rest is relative to BaseDir.
func (o Options) path(p string) string {
	switch {
	case p == "~" || strings.HasPrefix(p, "~/"):
		return filepath.Join(o.HomeDir, strings.TrimPrefix(p, "~"))
	case filepath.IsAbs(p) || o.BaseDir == "":
		return p
	}
	return filepath.Join(o.BaseDir, p)
}
