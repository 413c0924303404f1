package sshtransport

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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
	err = errors.Join(err, duration(&conn.ConnectTimeout, get("ConnectTimeout")), duration(&conn.Keepalive, get("ServerAliveInterval")))
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

// unsupported are the directives that match and are not taken.
func (c sshConfig) unsupported() []string {
	var out []string
	for _, block := range c.config.Hosts {
		if !block.Matches(c.name) {
			continue
		}
		for _, n := range block.Nodes {
			kv, ok := n.(*ssh_config.KV)
			if !ok || kv.Key == "" || imported(kv.Key) {
				continue
			}
			out = append(out, fmt.Sprintf("%s:%d: %s is not taken over for %s", c.file, kv.Pos().Line, kv.Key, c.name))
		}
	}
	return out
}
