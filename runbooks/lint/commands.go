package lint

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"mvdan.cc/sh/v3/syntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// part is one command of an item, with what it may do.
type part struct {
	name    string
	command *runbooks.Command
	reads   bool
}

func parts(i *runbooks.Item) []part {
	out := []part{{string(i.ID()), i.Command, i.Kind == runbooks.Check}}
	add := func(name string, p *runbooks.Part, reads bool) {
		if p != nil {
			out = append(out, part{string(i.ID()) + "." + name, p.Command, reads})
		}
	}
	add("unless", i.Unless, true)
	add("verify", i.Verify, true)
	add("rollback", i.Rollback, false)
	return slices.DeleteFunc(out, func(p part) bool { return p.command == nil })
}

func (l *linter) parts() []part {
	var out []part
	for _, i := range l.rb.AllItems() {
		out = append(out, parts(i)...)
	}
	return out
}

// placeholders stand for what is not known, as a word that every shell reads.
//
//nolint:gochecknoglobals // immutable
var placeholders = strings.NewReplacer("(not known yet)", "VALUE", "(sensitive)", "VALUE")

// script is the text of a script as far as it is known, each unknown value replaced by a word.
func (l *linter) script(c *runbooks.Command) (*syntax.File, bool) {
	if c.Script == nil || l.scope == nil {
		return nil, false
	}
	shown, ds := c.Script.Show(l.scope)
	if ds.HasErrors() {
		return nil, false
	}
	lang := syntax.LangPOSIX
	if len(c.Interpreter) > 0 {
		name := path.Base(c.Interpreter[0])
		if name == "env" && len(c.Interpreter) > 1 {
			name = path.Base(c.Interpreter[1])
		}
		switch name {
		case "sh", "dash", "ash":
		case "bash":
			lang = syntax.LangBash
		default:
			return nil, false
		}
	}
	f, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(placeholders.Replace(shown.Text)), "")
	return f, err == nil
}

// pipes: in `a | b` the failure of a is lost under /bin/sh -eu, so a failing dump looks like a short one.
func (l *linter) pipes() {
	for _, p := range l.parts() {
		f, ok := l.script(p.command)
		if !ok || pipefail(p.command, f) {
			continue
		}
		found := false
		syntax.Walk(f, func(n syntax.Node) bool {
			if b, ok := n.(*syntax.BinaryCmd); ok && (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) && !cannotFail(b.X) {
				found = true
			}
			return !found
		})
		if found {
			l.warn("CON-W010", p.command.Script.Range(), `use interpreter = ["/bin/bash", "-euo", "pipefail"], or take the output apart with expressions`,
				"%s has a pipe, and a failure before the last command of it is lost", p.name)
		}
	}
}

// cannotFail reports a command that only says something: nothing is lost when its exit code is.
func cannotFail(s *syntax.Stmt) bool {
	call, ok := s.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && slices.Contains([]string{"echo", "printf", "true", ":"}, call.Args[0].Lit())
}

// pipefail reports whether the shell was told to notice.
func pipefail(c *runbooks.Command, f *syntax.File) bool {
	if slices.Contains(c.Interpreter, "pipefail") {
		return true
	}
	set := false
	syntax.Walk(f, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 1 && call.Args[0].Lit() == "set" && call.Args[len(call.Args)-1].Lit() == "pipefail" {
			set = true
		}
		return !set
	})
	return set
}

// changingChecks: a dry-run executes checks, so a check that changes something makes a rehearsal a change.
func (l *linter) changingChecks() {
	for _, p := range l.parts() {
		if !p.reads {
			continue
		}
		for _, words := range l.commands(p.command) {
			if what := changing(words); what != "" {
				l.warn("CON-W012", p.command.Range, "make it a step; checks run in a dry-run, too", "%s runs %s, which changes something", p.name, what)
				break
			}
		}
	}
}

// commands are the command lines of a command, as far as their words are known.
func (l *linter) commands(c *runbooks.Command) [][]string {
	if c.Argv != nil && l.scope != nil {
		return [][]string{l.argv(c.Argv)}
	}
	f, ok := l.script(c)
	if !ok {
		return nil
	}
	var out [][]string
	syntax.Walk(f, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			var words []string
			for _, w := range call.Args {
				words = append(words, literalWord(w))
			}
			out = append(out, words)
		}
		return true
	})
	return out
}

func (l *linter) argv(e *expr.Expr) []string {
	v, ds := e.Eval(l.scope)
	if ds.HasErrors() {
		return nil
	}
	if words, err := v.Strings(); err == nil {
		return words
	}
	shown, ds := e.Show(l.scope)
	if ds.HasErrors() {
		return nil
	}
	return shown.List
}

func literalWord(w *syntax.Word) string {
	var b strings.Builder
	for _, p := range w.Parts {
		switch x := p.(type) {
		case *syntax.Lit:
			b.WriteString(x.Value)
		case *syntax.SglQuoted:
			b.WriteString(x.Value)
		case *syntax.DblQuoted:
			for _, q := range x.Parts {
				if lit, ok := q.(*syntax.Lit); ok {
					b.WriteString(lit.Value)
				}
			}
		}
	}
	return b.String()
}

// changing names the program and its verb when they are known to change something, or gives "".
func changing(words []string) string {
	for len(words) > 1 && slices.Contains([]string{"sudo", "env", "nice", "timeout", "command", "exec"}, path.Base(words[0])) {
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	program := path.Base(words[0])
	always := []string{
		"rm", "mv", "cp", "mkdir", "rmdir", "touch", "truncate", "chmod", "chown", "ln", "dd", "mkfs", "mount", "umount", "kill",
		"pkill", "killall", "reboot", "shutdown", "poweroff", "halt", "tee", "useradd", "userdel", "usermod", "wipefs", "lvremove",
		"pg_restore", "createdb", "dropdb", "mysqladmin", "rsync", "scp", "setsebool", "iptables-restore",
	}
	if slices.Contains(always, program) || strings.HasPrefix(program, "mkfs.") {
		return program
	}
	verbs := map[string][]string{
		"systemctl": {"start", "stop", "restart", "reload", "enable", "disable", "mask", "unmask", "isolate", "kill", "daemon-reload", "reboot", "poweroff"},
		"service":   {"start", "stop", "restart", "reload"}, "pg_ctl": {"start", "stop", "restart", "promote", "reload", "initdb"},
		"pg_ctlcluster": {"start", "stop", "restart", "promote", "reload"}, "patronictl": {"failover", "switchover", "restart", "reinit", "edit-config", "pause", "resume", "remove"},
		"kubectl": {"apply", "delete", "create", "patch", "scale", "drain", "cordon", "uncordon", "replace", "rollout", "edit"},
		"docker":  {"rm", "run", "start", "stop", "restart", "kill", "rmi", "prune"}, "terraform": {"apply", "destroy", "import", "taint"},
		"apt-get": {"install", "remove", "purge", "upgrade", "dist-upgrade", "autoremove"}, "apt": {"install", "remove", "purge", "upgrade"},
		"dnf": {"install", "remove", "upgrade", "update"}, "yum": {"install", "remove", "update"},
		"git": {"push", "commit", "reset", "checkout", "clean", "merge", "pull"}, "ip": {"add", "del", "set", "replace", "flush"},
		"sysctl": {"-w", "-p"}, "sed": {"-i"}, "etcdctl": {"put", "del", "defrag", "compact"}, "redis-cli": {"set", "del", "flushall", "flushdb", "failover"},
		"vault": {"write", "delete", "operator", "lease"},
	}
	for _, w := range words[1:] {
		if slices.Contains(verbs[program], strings.ToLower(w)) {
			return program + " " + w
		}
	}
	return changingSQL(program, words)
}

// changingSQL looks at the statement that a database client is given.
func changingSQL(program string, words []string) string {
	if !slices.Contains([]string{"psql", "mysql", "mariadb", "sqlite3", "sqlcmd", "clickhouse-client"}, program) {
		return ""
	}
	for _, w := range words[1:] {
		verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(w)), " ")
		if slices.Contains([]string{"insert", "update", "delete", "drop", "alter", "truncate", "create", "grant", "revoke", "vacuum", "merge"}, verb) {
			return program + " with " + verb
		}
	}
	return ""
}

// interpolations: a value spliced into a script is read by the shell as a part of the script.
func (l *linter) interpolations() {
	for _, p := range l.parts() {
		if p.command.Script == nil {
			continue
		}
		for _, text := range spliced(p.command.Script) {
			l.warn("CON-W013", p.command.Script.Range(), `give it by env = { NAME = … } and write "$NAME", or use ${shellquote(…)}`,
				"%s splices ${%s} into a script: the shell reads it as a part of the script", p.name, text)
		}
	}
}

// spliced are the interpolations of a script that are neither quoted for the shell nor numbers.
func spliced(e *expr.Expr) []string {
	text := e.Text()
	x, ds := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if ds.HasErrors() {
		return nil
	}
	var pieces []hclsyntax.Expression
	switch t := x.(type) {
	case *hclsyntax.TemplateExpr:
		pieces = t.Parts
	case *hclsyntax.TemplateWrapExpr:
		return nil // the script as a whole comes from elsewhere
	}
	var out []string
	for _, part := range pieces {
		switch t := part.(type) {
		case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr:
			continue
		case *hclsyntax.FunctionCallExpr:
			if slices.Contains([]string{"shellquote", "tonumber", "length", "sum", "max", "min", "floor", "ceil", "duration", "sha256"}, t.Name) {
				continue
			}
		case *hclsyntax.BinaryOpExpr:
			continue // arithmetic or a comparison: no text
		}
		r := part.Range()
		if r.End.Byte <= len(text) {
			out = append(out, text[r.Start.Byte:r.End.Byte])
		}
	}
	return out
}
