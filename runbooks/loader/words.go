package loader

import (
	"regexp"
	"slices"
	"strings"
)

// validName reports [a-z][a-z0-9_-]*, at most 64 long.
func validName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// suggestName makes a name out of a text, or "".
func suggestName(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteRune(c)
		case b.Len() > 0:
			b.WriteByte('-')
		}
	}
	name := strings.Trim(strings.TrimLeft(b.String(), "0123456789-_"), "-_")
	if len(name) > 64 {
		name = name[:64]
	}
	if !validName(name) {
		return "begin it with a lower-case letter"
	}
	return `write "` + name + `"`
}

// validHostName reports a DNS name, a final dot not allowed; underscores are. At most 253 long.
func validHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || len(part) > 63 || part[0] == '-' || part[len(part)-1] == '-' {
			return false
		}
		for _, c := range part {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// userName is a login name that no program can take for an option.
var userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?$`)

// envName is the name of an environment variable.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// called gives our name for what other tools call otherwise, or "".
func called(name string, available []string) string {
	words := map[string]string{
		"command": "argv", "cmd": "argv", "exec": "argv", "run": "script", "shell": "script", "inline": "script", "body": "script",
		"depends_on": "after", "needs": "after", "dependencies": "after", "on": "hosts", "host": "hosts", "targets": "hosts",
		"target": "hosts", "group": "hosts", "user": "become", "become_user": "become", "run_as": "become", "sudo": "become",
		"if": "when", "only_if": "when", "condition": "when", "environment": "env", "variables": "env", "name": "title",
		"ignore_errors": "on_failure", "ignore_failure": "on_failure", "dir": "working_dir", "cwd": "working_dir",
		"chdir": "working_dir", "hostname": "address", "ip": "address", "ansible_host": "address", "tags": "labels",
		"exit_code": "success_codes", "success_exit_codes": "success_codes", "not_if": "unless", "creates": "unless",
		"loop": "for_each", "with_items": "for_each", "text": "instructions", "message": "question", "approvers": "role",
		"identity_file": "identity_files", "private_key": "identity_files", "key": "identity_files", "jump": "via",
		"proxy_jump": "via", "bastion": "via", "rto": "target", "rpo": "target", "src": "source", "dest": "destination",
		"path": "destination", "error_message": "message", "retries": "attempts", "interval": "every", "timeout": "within",
	}
	if w, ok := words[name]; ok && slices.Contains(available, w) {
		return w
	}
	return ""
}
