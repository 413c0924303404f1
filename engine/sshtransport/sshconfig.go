package sshtransport

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kevinburke/ssh_config"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// imported reports whether a directive is taken from an OpenSSH client configuration. Whatever else matches a host is
// named in a warning: silence would suggest that it holds.
func imported(key string) bool {
	switch strings.ToLower(key) {
	case "hostname", "port", "user", "identityfile", "identitiesonly", "certificatefile", "proxyjump",
		"userknownhostsfile", "hostkeyalias", "connecttimeout", "serveraliveinterval", "serveralivecountmax":
		return true
	}
	return false
}

// sshConfig is a client configuration as it applies to one name.
type sshConfig struct {
	file, name string
	config     *ssh_config.Config
	user       string // for %r
	home       string // for %d
}

// configured is h with what it does not say taken from its ssh_config, files of further known hosts, and warnings. h
// itself stays as it is. Defaults of OpenSSH are never taken: the library's are those of an old version.
func (t *Transport) configured(h *runbooks.Host) (*runbooks.Host, []string, []string, error) {
	file := h.Connection.SSHConfig
	if file == "" {
		return h, nil, nil, nil
	}
	data, err := t.opts.readFile(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return h, nil, nil, fmt.Errorf("ssh_config %s does not exist", file)
		}
		return h, nil, nil, fmt.Errorf("ssh_config: %w", err)
	}
	config, err := ssh_config.DecodeBytes(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	if err != nil {
		return h, nil, nil, fmt.Errorf("ssh_config %s: %w", file, err)
	}
	c := sshConfig{file: file, name: h.Address, config: config, user: t.login(h), home: t.opts.HomeDir}
	if err := c.checkMatches(); err != nil {
		return h, nil, nil, err
	}
	merged := *h
	known, err := c.merge(&merged)
	if err != nil {
		return h, nil, nil, fmt.Errorf("ssh_config %s: %w", file, err)
	}
	for i, k := range known {
		known[i] = t.opts.path(k)
	}
	return &merged, known, c.unsupported(), nil
}

// merge fills what h leaves open.
func (c sshConfig) merge(h *runbooks.Host) (known []string, err error) {
	conn := &h.Connection
	get := func(key string) string {
		v, e := c.config.Get(c.name, key)
		err = errors.Join(err, e)
		return v
	}
	if v := get("Port"); v != "" && (h.Port == 0 || h.Port == 22) {
		n, e := strconv.ParseUint(v, 10, 16)
		err = errors.Join(err, e)
		h.Port = int(n)
	}
	if v := get("User"); v != "" && conn.User == "" {
		conn.User = v
		c.user = v
	}
	if v := get("HostKeyAlias"); conn.HostKeyAlias == "" {
		conn.HostKeyAlias = v
	}
	own := conn.Keepalive != 0
	err = errors.Join(err, duration(&conn.ConnectTimeout, get("ConnectTimeout")), duration(&conn.Keepalive, get("ServerAliveInterval")))
	if v := get("ServerAliveCountMax"); v != "" && !own {
		n, e := strconv.ParseUint(v, 10, 16)
		err = errors.Join(err, e)
		conn.Keepalive = conn.Keepalive * time.Duration(n) / keepaliveMisses // a silent server is given up after as long
	}
	if v := get("HostName"); v != "" {
		v, e := c.expand(v, h)
		err = errors.Join(err, e)
		h.Address = v
	}
	if len(conn.IdentityFiles) == 0 {
		conn.IdentityFiles, err = c.all("IdentityFile", h, err)
	}
	if conn.CertificateFile == "" {
		var certs []string
		if certs, err = c.all("CertificateFile", h, err); len(certs) > 0 {
			conn.CertificateFile = certs[0]
		}
	}
	if v := get("ProxyJump"); v != "" && !strings.EqualFold(v, "none") && conn.Via == nil {
		via, e := c.jumps(v, h)
		err = errors.Join(err, e)
		conn.Via = via
	}
	var files []string
	files, err = c.all("UserKnownHostsFile", h, err)
	for _, f := range files {
		for name := range strings.FieldsSeq(f) {
			if name != "none" && name != "/dev/null" {
				known = append(known, name)
			}
		}
	}
	return known, err
}

func duration(d *time.Duration, v string) error {
	if v == "" || *d != 0 {
		return nil
	}
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		*d = time.Duration(n) * time.Second
		return nil
	}
	n, err := time.ParseDuration(v)
	if err == nil {
		*d = n
	}
	return err
}

func (c sshConfig) all(key string, h *runbooks.Host, err error) ([]string, error) {
	values, e := c.config.GetAll(c.name, key)
	err = errors.Join(err, e)
	var out []string
	for _, v := range values {
		v, e := c.expand(strings.Trim(v, `"`), h)
		err = errors.Join(err, e)
		out = append(out, v)
	}
	return out, err
}

// expand replaces the tokens of OpenSSH that do not need this machine.
func (c sshConfig) expand(v string, h *runbooks.Host) (string, error) {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '%' {
			b.WriteByte(v[i])
			continue
		}
		i++
		if i == len(v) {
			return "", fmt.Errorf("%q ends with %%", v)
		}
		switch v[i] {
		case '%':
			b.WriteByte('%')
		case 'h':
			b.WriteString(h.Address)
		case 'n':
			b.WriteString(c.name)
		case 'p':
			b.WriteString(strconv.Itoa(port(h)))
		case 'r':
			b.WriteString(c.user)
		case 'd':
			b.WriteString(c.home)
		default:
			return "", fmt.Errorf("%q: %%%c is not supported", v, v[i])
		}
	}
	return b.String(), nil
}

// jumps makes the hosts of a ProxyJump list, the first hop first. Each is looked up in the same configuration.
func (c sshConfig) jumps(list string, h *runbooks.Host) (*runbooks.Host, error) {
	var via *runbooks.Host
	for hop := range strings.SplitSeq(list, ",") {
		hop = strings.TrimPrefix(strings.TrimSpace(hop), "ssh://")
		user, rest, ok := strings.Cut(hop, "@")
		if !ok {
			user, rest = "", hop
		}
		address, portText, ok := strings.Cut(rest, ":")
		n := uint64(0)
		if ok {
			var err error
			if n, err = strconv.ParseUint(portText, 10, 16); err != nil {
				return nil, fmt.Errorf("jump host %q: %w", hop, err)
			}
		}
		if address == "" || strings.HasPrefix(address, "-") {
			return nil, fmt.Errorf("jump host %q has no name", hop)
		}
		if address == c.name || via != nil && address == via.Name {
			return nil, fmt.Errorf("jump host %q leads to itself", hop)
		}
		via = &runbooks.Host{Name: address, Address: address, Port: int(n), Connection: runbooks.Connection{User: user, Via: via,
			Agent: h.Connection.Agent, SSHConfig: h.Connection.SSHConfig}}
	}
	return via, nil
}

// unsupported are the directives that match and are not taken, also those of included files.
func (c sshConfig) unsupported() []string {
	var out []string
	c.walk(c.file, c.config, 0, func(file string, block *ssh_config.Host) bool {
		if !block.Matches(c.name) {
			return false
		}
		for _, n := range block.Nodes {
			if kv, ok := n.(*ssh_config.KV); ok && kv.Key != "" && !imported(kv.Key) {
				out = append(out, fmt.Sprintf("%s:%d: %s is not taken over for %s", file, kv.Pos().Line, kv.Key, c.name))
			}
		}
		return true
	})
	return out
}

// checkMatches mends what the library makes of Match lines: it takes each word after `host` for a pattern, also a list with
// commas, and further criteria. Lists are split; what it would misunderstand is an error.
func (c sshConfig) checkMatches() error {
	var err error
	c.walk(c.file, c.config, 0, func(file string, block *ssh_config.Host) bool {
		first := strings.Fields(strings.ReplaceAll(block.String(), "=", " "))
		if len(first) < 2 || !strings.EqualFold(first[0], "match") || !strings.EqualFold(first[1], "host") {
			return true
		}
		list := block.Patterns[0].String()
		switch {
		case len(block.Patterns) > 1:
			err = errors.Join(err, fmt.Errorf("ssh_config %s: Match host %s with further criteria is not supported", file, list))
		case !strings.Contains(list, ","):
		case file != c.file:
			err = errors.Join(err, fmt.Errorf("ssh_config %s: Match host %s in an included file: a list is not supported there; write it as Host", file, list))
		default:
			block.Patterns = nil
			for word := range strings.SplitSeq(list, ",") {
				p, e := ssh_config.NewPattern(word)
				if e != nil {
					err = errors.Join(err, fmt.Errorf("ssh_config %s: Match host %s: %w", file, list, e))
					continue
				}
				block.Patterns = append(block.Patterns, p)
			}
		}
		return true
	})
	return err
}

// includeDepth is how deep files are included at most, as in the library, which has read them by now.
const includeDepth = 5

// walk visits the blocks of a configuration, and of the files that are included by those for which visit says so.
func (c sshConfig) walk(file string, config *ssh_config.Config, depth int, visit func(file string, block *ssh_config.Host) (deeper bool)) {
	for _, block := range config.Hosts {
		if !visit(file, block) || depth == includeDepth {
			continue
		}
		for _, n := range block.Nodes {
			if include, ok := n.(*ssh_config.Include); ok {
				for f, config := range c.included(include) {
					c.walk(f, config, depth+1, visit)
				}
			}
		}
	}
}

// included reads the files of an Include again: the library does not show what it has read of them. Whatever cannot be read
// was an error before.
func (c sshConfig) included(include *ssh_config.Include) iter.Seq2[string, *ssh_config.Config] {
	return func(yield func(string, *ssh_config.Config) bool) {
		for _, pattern := range strings.Fields(strings.Replace(include.String(), "=", " ", 1))[1:] {
			if strings.HasPrefix(pattern, "#") {
				return
			}
			switch rest, ok := strings.CutPrefix(pattern, "~/"); {
			case ok:
				pattern = filepath.Join(c.home, rest)
			case !filepath.IsAbs(pattern):
				pattern = filepath.Join(c.home, ".ssh", pattern)
			}
			files, _ := filepath.Glob(pattern)
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					continue
				}
				if config, err := ssh_config.DecodeBytes(data); err == nil && !yield(f, config) {
					return
				}
			}
		}
	}
}
