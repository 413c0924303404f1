package loader

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// build gives the blocks their meaning, in the order in which they depend on each other.
func (l *loader) build() {
	l.projectSettings()
	l.collectNames()
	l.roles()
	l.secrets()
	l.projectLocals()
	l.inventory()
	l.runbooks()
	sound := !l.diags.HasErrors()
	for _, n := range l.tests.of("test") {
		l.within(n.title(), func() { l.test(n, sound) })
	}
	l.sharedLocals()
}

func (l *loader) projectSettings() {
	p := l.project
	blocks := l.root.of("project")
	for _, again := range blocks[min(1, len(blocks)):] {
		l.duplicate("a second project block", again, blocks[0])
	}
	n := &node{schema: projectBlock()}
	if len(blocks) > 0 {
		n = blocks[0]
	}
	l.within(n.title(), func() {
		p.Name = n.label
		l.requiredVersion(n)
		if e := l.text(n, "environment"); e != "" {
			p.Environment = runbooks.Environment(e)
		}
		p.Timezone = l.text(n, "timezone")
		if _, err := time.LoadLocation(p.Timezone); err != nil {
			l.report("CON-P003", n.attr("timezone").Expr.Range(), "there is no time zone %q", p.Timezone).Hint =
				`write an IANA name such as "Europe/London", or leave it out for UTC`
		}
		p.KnownHosts = l.projectPath(n, "known_hosts")
		p.AllowedSigners = l.projectPath(n, "allowed_signers")
		l.keep(orElse(p.KnownHosts, "known_hosts"), orElse(p.AllowedSigners, "allowed_signers"))
	})
	if p.Name == "" {
		p.Name = path.Base(strings.ReplaceAll(p.Dir, "\\", "/"))
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// keep reads files that belong to the record when they are there.
func (l *loader) keep(names ...string) {
	for _, name := range names {
		_, _ = l.source.ReadFile(name)
	}
}

// projectPath reads the path of a file inside the project, which need not exist yet.
func (l *loader) projectPath(n *node, name string) string {
	s := l.text(n, name)
	if s == "" {
		return ""
	}
	clean, err := inside(s)
	if err != nil {
		l.report("CON-P004", n.attr(name).Expr.Range(), "%s: %q %s", name, s, ErrOutside).Hint =
			"write a path relative to the project, without .."
		return ""
	}
	return clean
}

// material reads a file of the project that must exist.
func (l *loader) material(n *node, name string) string {
	p := l.projectPath(n, name)
	if p == "" {
		return ""
	}
	if _, err := l.source.ReadFile(p); err != nil {
		l.report("CON-P005", n.attr(name).Expr.Range(), "%s: %s", name, err).Hint = "the path is relative to the project"
	}
	return p
}

// requiredVersion compares ">= 1.2, < 2" with the running version.
func (l *loader) requiredVersion(n *node) {
	s := l.text(n, "required_version")
	if s == "" {
		return
	}
	for part := range strings.SplitSeq(s, ",") {
		op, version := cutOperator(strings.TrimSpace(part))
		v := "v" + strings.TrimPrefix(version, "v")
		if !semver.IsValid(v) {
			l.report("CON-P002", n.attr("required_version").Expr.Range(), "required_version %q is not understood", s).Hint =
				`write comparisons such as ">= 0.1" or ">= 1.2, < 2"`
			return
		}
		have := "v" + strings.TrimPrefix(l.opts.Version, "v")
		if !semver.IsValid(have) {
			continue // a build without a version
		}
		if !holds(op, semver.Compare(have, v)) {
			l.report("CON-P002", n.attr("required_version").Expr.Range(), "the project wants continuo %s, and this is %s", s, l.opts.Version).Hint =
				"use another version of continuo, or change required_version after reading its release notes"
			return
		}
	}
}

func cutOperator(s string) (op, version string) {
	for _, op := range []string{">=", "<=", "!=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, strings.TrimSpace(rest)
		}
	}
	return "=", s
}

func holds(op string, c int) bool {
	switch op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	case "!=":
		return c != 0
	}
	return c == 0
}

// names are the places of what can be referred to, per kind.
type names map[string]map[string]*node

func (s names) add(kind, name string, n *node) (first *node, ok bool) {
	if s[kind] == nil {
		s[kind] = map[string]*node{}
	}
	if first, found := s[kind][name]; found {
		return first, false
	}
	s[kind][name] = n
	return nil, true
}

// of returns the names of a kind, sorted.
func (s names) of(kind string) []string { return slices.Sorted(maps.Keys(s[kind])) }

// collectNames finds what the project declares, and duplicates.
func (l *loader) collectNames() {
	l.names = names{}
	for _, n := range l.root.blocks {
		kind := n.schema.Type
		switch kind {
		case "project", "locals":
			continue
		case "fleet": // a fleet is a group too
			if first, ok := l.names.add("group", n.label, n); !ok {
				l.duplicate(n.title(), n, first)
			}
			continue
		}
		if first, ok := l.names.add(kind, n.label, n); !ok {
			l.duplicate(n.title(), n, first)
		}
		if kind == "host" && n.label == runbooks.ControlName {
			l.report("CON-S020", n.labelRange(), "a host cannot be called %q", n.label).Hint = "control is the control host itself"
		}
	}
	for _, n := range l.tests.blocks {
		if first, ok := l.names.add("test", n.label, n); !ok {
			l.duplicate(n.title(), n, first)
		}
	}
}

func (l *loader) duplicate(what string, n, first *node) {
	d := l.report("CON-S040", n.labelRange(), "%s is declared twice", what)
	d.Related = []diag.Related{{Message: "the first one", Range: place(first.rng())}}
	d.Hint = "rename or remove one"
}

// exists checks that a reference names something that the project declares.
func (l *loader) exists(r expr.Ref, code string) bool {
	if _, ok := l.names[r.Root][r.Name]; ok {
		return true
	}
	d := l.reportAt(code, l.nameOf(r), "there is no %s %q", r.Root, r.Name)
	d.Hint = l.didYouMean(r.Root, r.Name)
	return false
}

// nameOf is the place of the name in a reference, without the dot before it.
func (l *loader) nameOf(r expr.Ref) diag.Range {
	at := r.NameRange
	if src := l.parsed[at.File]; at.Start.Byte < at.End.Byte && at.End.Byte <= len(src) && src[at.Start.Byte] == '.' {
		at.Start.Byte++
		at.Start.Column++
	}
	return at
}

// didYouMean suggests a declared name with its place, or says what there is.
func (l *loader) didYouMean(kind, name string) string {
	all := l.names.of(kind)
	if s := diag.Suggest(name, all); s != "" {
		n := l.names[kind][s]
		return "did you mean " + refText(kind, s) + placeOf(n) + "?"
	}
	for _, other := range []string{"host", "group", "role", "secret", "runbook"} {
		if n := l.names[other][name]; n != nil && other != kind {
			return "did you mean " + refText(other, name) + placeOf(n) + "?"
		}
	}
	if len(all) == 0 {
		return "the project declares no " + kind
	}
	return "declared: " + shortList(all)
}

func placeOf(n *node) string {
	if n == nil || n.block == nil {
		return ""
	}
	r := place(n.rng())
	return " (" + strings.TrimSuffix(r.String(), ":1") + ")"
}

func refText(kind, name string) string { return expr.Ref{Root: kind, Name: name}.String() }

func shortList(names []string) string {
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func (l *loader) roles() {
	for _, n := range l.root.of("role") {
		l.within(n.title(), func() {
			members := l.texts(n, "members")
			for i, m := range members {
				if strings.TrimSpace(m) == "" || slices.Contains(members[:i], m) {
					l.report("CON-S026", n.attr("members").Expr.Range(), "member %q is empty or listed twice", m).Hint =
						"list each person once, by a principal of allowed_signers"
				}
			}
			if a := n.attr("members"); a != nil && len(members) == 0 && !l.failed(a.Expr.Range()) {
				l.report("CON-S026", n.attr("members").Expr.Range(), "role %q has no members", n.label).Hint = "nobody could ever approve"
			}
			l.project.Roles = append(l.project.Roles, &runbooks.Role{Name: n.label, Members: members, Range: place(n.rng())})
		})
	}
}

func (l *loader) secrets() {
	for _, n := range l.root.of("secret") {
		l.within(n.title(), func() {
			s := &runbooks.Secret{
				Name: n.label, Env: l.text(n, "env"), File: l.text(n, "file"), Command: l.texts(n, "command"),
				Prompt: l.flag(n, "prompt"), Age: l.text(n, "age"), Range: place(n.rng()),
			}
			l.exactlyOne(n, "where it comes from", "env", "file", "command", "prompt", "age")
			if a := n.attr("env"); a != nil && s.Env != "" && !envName.MatchString(s.Env) {
				l.report("CON-S029", a.Expr.Range(), "%q is no name of an environment variable", s.Env).Hint =
					"letters, digits and _, not beginning with a digit"
			}
			if a := n.attr("command"); a != nil && len(s.Command) == 0 && !l.failed(a.Expr.Range()) {
				l.report("CON-S026", a.Expr.Range(), "the command is empty").Hint = `write command = ["pass", "show", "x"]`
			}
			if a := n.attr("prompt"); a != nil && !s.Prompt {
				l.report("CON-S026", a.Expr.Range(), "prompt can only be true").Hint = "leave it out"
			}
			l.project.Secrets = append(l.project.Secrets, s)
		})
	}
}

// exactlyOne checks that one of some attributes or blocks is given.
func (l *loader) exactlyOne(n *node, what string, names ...string) bool {
	var given []string
	for _, name := range names {
		if n.attr(name) != nil || n.one(name) != nil {
			given = append(given, name)
		}
	}
	switch len(given) {
	case 1:
		return true
	case 0:
		if slices.ContainsFunc(names, n.meant) {
			return false // it is misspelt, which has been said
		}
		l.report("CON-S027", n.rng(), "%s does not say %s", n.title(), what).Hint = "give one of: " + strings.Join(names, ", ")
	default:
		rng := n.rng()
		if a := n.attr(given[1]); a != nil {
			rng = a.NameRange
		} else if b := n.one(given[1]); b != nil {
			rng = b.rng()
		}
		l.report("CON-S027", rng, "%s has both %s", n.title(), strings.Join(given, " and ")).Hint = "keep exactly one"
	}
	return false
}
