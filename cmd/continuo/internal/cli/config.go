package cli

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// settable are the flags that the environment and the configuration file may preset. None of them can start a live run,
// confirm one, or say who somebody is.
func settable() []string {
	return []string{"chdir", "color", "json", "no-input", "state", "log", "tsa"}
}

// defaults fills the global flags that the command line left out: from CONTINUO_*, then from the configuration file.
func (a *app) defaults(flags *pflag.FlagSet) error {
	file, path, err := a.configFile()
	if err != nil {
		return err
	}
	for _, name := range settable() {
		flag := flags.Lookup(name)
		if flag == nil || flag.Changed {
			continue
		}
		variable := "CONTINUO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if v := a.env.get(variable); v != "" {
			if err := flag.Value.Set(v); err != nil {
				return failf(Usage, "", "%s: %w", variable, err)
			}
			continue
		}
		if v, ok := file[name]; ok {
			if err := flag.Value.Set(v); err != nil {
				return failf(Usage, "", "%s: %s: %w", path, name, err)
			}
		}
	}
	return nil
}

// setting is a setting from the environment or the configuration file, for a command that has no flag of its own for it.
func (a *app) setting(name string) (string, error) {
	if v := a.env.get("CONTINUO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))); v != "" {
		return v, nil
	}
	file, _, err := a.configFile()
	return file[name], err
}

// configFile reads `name = value` lines of the user's configuration. A missing file is an empty one.
func (a *app) configFile() (map[string]string, string, error) {
	path := filepath.Join(a.xdg("XDG_CONFIG_HOME", ".config"), "continuo", "config")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, path, nil
	}
	if err != nil {
		return nil, path, failf(Usage, "", "read configuration: %w", err)
	}
	defer f.Close()
	out := map[string]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || !slices.Contains(settable(), name) {
			return nil, path, failf(Usage, didYouMean(name, settable(), "lines are: name = value"),
				"%s:%d: unknown setting %q", path, n, name)
		}
		out[name] = strings.TrimSpace(value)
	}
	if err := lines.Err(); err != nil {
		return nil, path, failf(Usage, "", "read configuration: %w", err)
	}
	return out, path, nil
}

// xdg is a base directory of the user: the variable, else a directory under HOME.
func (a *app) xdg(variable, underHome string) string {
	if v := a.env.get(variable); filepath.IsAbs(v) {
		return v
	}
	return filepath.Join(a.env.get("HOME"), underHome)
}
