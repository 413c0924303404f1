package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// layout knows the paths inside a lab's directory.
type layout string

func (l layout) path(name ...string) string {
	return filepath.Join(append([]string{string(l)}, name...)...)
}
func (l layout) clientKey() string           { return l.path("id_ed25519") }
func (l layout) knownHosts() string          { return l.path("known_hosts") }
func (l layout) hostsFile() string           { return l.path("lab.json") }
func (l layout) lockFile() string            { return l.path("lock") }
func (l layout) logFile() string             { return l.path("log") }
func (l layout) hostKey(name string) string  { return l.path("keys", name) }
func (l layout) sandbox(name string) string  { return l.path("hosts", name) }
func (l layout) mkdir(parts ...string) error { return os.MkdirAll(l.path(parts...), 0o700) }

// readHosts returns the hosts of the lab; fs.ErrNotExist when there is no lab.
func (l layout) readHosts() ([]Host, error) {
	data, err := os.ReadFile(l.hostsFile())
	if err != nil {
		return nil, err
	}
	var hosts []Host
	if err := json.Unmarshal(data, &hosts); err != nil {
		return nil, fmt.Errorf("read %s: %w", l.hostsFile(), err)
	}
	return hosts, nil
}

// prepare makes the directory, the keys, the sandboxes and the lab's known_hosts. It can be repeated: what is there
// stays, sandboxes too unless cfg.Fresh.
func (l layout) prepare(cfg Config) error {
	for _, dir := range []string{"keys", "hosts"} {
		if err := l.mkdir(dir); err != nil {
			return fmt.Errorf("make lab: %w", err)
		}
	}
	if err := os.WriteFile(l.path(".gitignore"), []byte("*\n"), 0o600); err != nil {
		return fmt.Errorf("make lab: %w", err)
	}
	if _, err := ensureKey(l.clientKey(), "continuo-lab"); err != nil {
		return err
	}
	for _, h := range cfg.Hosts {
		if _, err := ensureKey(l.hostKey(h.Name), h.Name); err != nil {
			return err
		}
		if err := l.prepareSandbox(cfg, h.Name); err != nil {
			return fmt.Errorf("make sandbox of %s: %w", h.Name, err)
		}
	}
	return nil
}

// prepareSandbox makes the sandbox of a host and fills it from the seed when it is new.
func (l layout) prepareSandbox(cfg Config, name string) error {
	dir := l.sandbox(name)
	if cfg.Fresh {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if cfg.Seed == "" {
		return nil
	}
	seed := filepath.Join(cfg.Seed, name)
	if _, err := os.Stat(seed); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return copyTree(seed, dir)
}

// copyTree copies directories and regular files with their permission bits. Anything else is an error: a seed has no
// business with links out of the project or devices.
func copyTree(from, to string) error {
	root, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, filepath.FromSlash(path))
		switch {
		case d.IsDir():
			return os.Mkdir(target, info.Mode().Perm()|0o700)
		case info.Mode().IsRegular():
			data, err := root.ReadFile(path)
			if err != nil {
				return err
			}
			return writeExact(target, data, info.Mode().Perm())
		}
		return fmt.Errorf("%s: neither a file nor a directory", filepath.Join(from, path))
	})
}

// writeExact writes a new file with exactly this mode, whatever the umask.
func writeExact(path string, data []byte, mode fs.FileMode) error {
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(data, '\n'), 0o600)
}

// replaceFile writes beside the file and renames, so that a reader sees the old or the new one.
func replaceFile(path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
