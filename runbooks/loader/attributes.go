package loader

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// expr makes an expression of an attribute, or nil when it is not given.
func (l *loader) expr(a *hclsyntax.Attribute) *expr.Expr {
	if a == nil {
		return nil
	}
	if e := l.exprs[a]; e != nil {
		return e
	}
	e := l.newExpr(a.Expr)
	l.exprs[a] = e
	return e
}

func (l *loader) newExpr(e hclsyntax.Expression) *expr.Expr {
	file := e.Range().Filename
	out, ds := expr.New(e, l.parsed[file], file)
	l.addAll(ds)
	return out
}

// addAll takes the diagnostics of another package and adds the context.
func (l *loader) addAll(ds diag.List) {
	for _, d := range ds {
		if d.Context == "" {
			d.Context = l.context
		}
		if l.full() {
			continue
		}
		l.diags = append(l.diags, d)
	}
}

// constant evaluates an attribute that must be known before anything runs. scope holds the names allowed; nil: none.
func (l *loader) constant(a *hclsyntax.Attribute, scope *expr.Scope) (expr.Value, bool) {
	if a == nil {
		return expr.Value{}, false
	}
	e := l.expr(a)
	if scope == nil {
		scope = l.plain
		if refs := e.Refs(); len(refs) > 0 {
			d := l.reportAt("CON-S021", refs[0].Range, "%s must be a constant, and %s is not", a.Name, refs[0])
			d.Detail = "It shapes the plan, so it is known before anything runs and the same in every run."
			d.Hint = "write the value itself"
			return expr.Value{}, false
		}
	}
	v, ds := e.Eval(scope)
	l.addAll(ds)
	if ds.HasErrors() || v.Absent() {
		return expr.Value{}, false
	}
	if v.IsSensitive() {
		l.report("CON-T006", a.Expr.Range(), "%s cannot hold a secret", a.Name).Hint = "secrets go by env or stdin"
		return expr.Value{}, false
	}
	if !v.Known() {
		l.report("CON-S021", a.Expr.Range(), "%s must be known before anything runs", a.Name)
		return expr.Value{}, false
	}
	return v, true
}

// wrong reports a constant of the wrong type.
func (l *loader) wrong(a *hclsyntax.Attribute, want string, v expr.Value) {
	d := l.report("CON-S022", a.Expr.Range(), "%s is %s, not %s", a.Name, want, v.Type())
	d.Hint = fmt.Sprintf("write %s = %s", a.Name, exampleOf(want))
}

func exampleOf(want string) string {
	switch want {
	case "a text":
		return `"…"`
	case "true or false":
		return "true"
	case "a whole number":
		return "3"
	case "a number":
		return "1.5"
	case "a list of texts":
		return `["…", "…"]`
	case "a list of whole numbers":
		return "[200, 204]"
	case "a map of texts":
		return `{ key = "…" }`
	}
	return "…"
}

func (l *loader) text(n *node, name string) string { return l.textIn(n, name, nil) }

// textIn reads a constant text and checks it against the words that the schema allows.
func (l *loader) textIn(n *node, name string, scope *expr.Scope) string {
	a := n.attr(name)
	v, ok := l.constant(a, scope)
	if !ok {
		return ""
	}
	s, err := v.Text()
	if err != nil || !isText(v) {
		l.wrong(a, "a text", v)
		return ""
	}
	if words := n.schema.attr(name).Words; len(words) > 0 {
		l.word(a, s, words)
	}
	return s
}

func (l *loader) word(a *hclsyntax.Attribute, s string, words []string) {
	if slices.Contains(words, s) {
		return
	}
	d := l.report("CON-S023", a.Expr.Range(), "%s cannot be %q", a.Name, s)
	d.Hint = "one of: " + strings.Join(words, ", ")
	if w := diag.Suggest(s, words); w != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", w)
	}
}

func (l *loader) flag(n *node, name string) bool {
	a := n.attr(name)
	v, ok := l.constant(a, nil)
	if !ok {
		return false
	}
	b, err := v.Truth()
	if err != nil || isText(v) {
		l.wrong(a, "true or false", v)
	}
	return b
}

// whole reads a whole number within bounds; 0 when it is not given.
func (l *loader) whole(n *node, name string, low, high int64, scope *expr.Scope) int {
	a := n.attr(name)
	v, ok := l.constant(a, scope)
	if !ok {
		return 0
	}
	i, err := v.Whole()
	if err != nil || isText(v) && scope == nil {
		l.wrong(a, "a whole number", v)
		return 0
	}
	if i < low || i > high {
		l.report("CON-S026", a.Expr.Range(), "%s is %d, not from %d to %d", name, i, low, high).Hint =
			fmt.Sprintf("write a whole number from %d to %d", low, high)
		return 0
	}
	return int(i)
}

func (l *loader) number(n *node, name string) *float64 {
	a := n.attr(name)
	v, ok := l.constant(a, nil)
	if !ok {
		return nil
	}
	f, err := v.Float()
	if err != nil || isText(v) {
		l.wrong(a, "a number", v)
		return nil
	}
	return &f
}

// The bounds of durations: what is longer is surely a mistake of units.
const (
	minDuration = time.Millisecond
	maxDuration = 30 * 24 * time.Hour
)

func (l *loader) duration(n *node, name string) time.Duration {
	a := n.attr(name)
	v, ok := l.constant(a, nil)
	if !ok {
		return 0
	}
	s, err := v.Text()
	d, perr := time.ParseDuration(s)
	if err != nil || !isText(v) || perr != nil {
		out := l.report("CON-S024", a.Expr.Range(), "%s is a duration, not %s", name, v)
		out.Hint = `write a number and a unit in quotes: "90s", "15m", "2h30m", "500ms"`
		return 0
	}
	if d < minDuration || d > maxDuration {
		l.report("CON-S026", a.Expr.Range(), "%s is %s, not from %s to %s", name, s, minDuration, maxDuration).Hint =
			"perhaps the unit is another: ms, s, m or h"
		return 0
	}
	return d
}

func (l *loader) texts(n *node, name string) []string { return l.textsIn(n, name, nil) }

func (l *loader) textsIn(n *node, name string, scope *expr.Scope) []string {
	a := n.attr(name)
	v, ok := l.constant(a, scope)
	if !ok {
		return nil
	}
	s, err := v.Strings()
	if err != nil || !allText(v) {
		l.wrong(a, "a list of texts", v)
		return nil
	}
	if words := n.schema.attr(name).Words; len(words) > 0 {
		for _, w := range s {
			l.word(a, w, words)
		}
	}
	return s
}

func allText(v expr.Value) bool {
	elems, err := v.Elements()
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(elems, func(k expr.Keyed) bool { return !isText(k.Value) })
}

func (l *loader) wholes(n *node, name string, low, high int64) []int {
	a := n.attr(name)
	v, ok := l.constant(a, nil)
	if !ok {
		return nil
	}
	elems, err := v.Elements()
	if err != nil {
		l.wrong(a, "a list of whole numbers", v)
		return nil
	}
	var out []int
	for _, e := range elems {
		i, err := e.Value.Whole()
		if err != nil || isText(e.Value) {
			l.wrong(a, "a list of whole numbers", v)
			return nil
		}
		if i < low || i > high {
			l.report("CON-S026", a.Expr.Range(), "%s holds %d, not from %d to %d", name, i, low, high).Hint =
				fmt.Sprintf("write whole numbers from %d to %d", low, high)
			return nil
		}
		out = append(out, int(i))
	}
	return out
}

func (l *loader) stringMap(n *node, name string, scope *expr.Scope) map[string]string {
	a := n.attr(name)
	v, ok := l.constant(a, scope)
	if !ok {
		return nil
	}
	elems, err := v.Elements()
	if err != nil || !isMapping(v) {
		l.wrong(a, "a map of texts", v)
		return nil
	}
	out := make(map[string]string, len(elems))
	for _, e := range elems {
		s, err := e.Value.Text()
		if err != nil {
			l.wrong(a, "a map of texts", v)
			return nil
		}
		out[e.Key] = s
	}
	return out
}

// sizes reads counts and percentages: 3, "25%" or a list of them.
func (l *loader) sizes(n *node, name string, low int64) []runbooks.Size {
	a := n.attr(name)
	v, ok := l.constant(a, nil)
	if !ok {
		return nil
	}
	parts := []expr.Keyed{{Value: v}}
	if elems, err := v.Elements(); err == nil && !isText(v) {
		parts = elems
	}
	var out []runbooks.Size
	for _, p := range parts {
		s, ok := size(p.Value, low)
		if !ok {
			d := l.report("CON-S025", a.Expr.Range(), "%s is no number of hosts", p.Value)
			d.Summary = name + ": " + d.Summary
			d.Hint = fmt.Sprintf(`write a whole number from %d, a percentage from "1%%" to "100%%", or a list of them`, low)
			return nil
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		l.report("CON-S025", a.Expr.Range(), "%s is empty", name).Hint = "leave it out"
	}
	return out
}

func size(v expr.Value, low int64) (runbooks.Size, bool) {
	if isText(v) {
		s, _ := v.Text()
		num, isPercent := strings.CutSuffix(s, "%")
		i, err := expr.String(num).Whole()
		if err != nil || !isPercent || i < max(low, 0) || i > 100 {
			return runbooks.Size{}, false
		}
		return runbooks.Size{Percent: int(i)}, true
	}
	i, err := v.Whole()
	if err != nil || i < low || i > 1_000_000 {
		return runbooks.Size{}, false
	}
	return runbooks.Size{Count: int(i)}, true
}

func isText(v expr.Value) bool { return v.Type().String() == "string" }

func isMapping(v expr.Value) bool {
	t := v.Type().String()
	return strings.HasPrefix(t, "map") || strings.HasPrefix(t, "object")
}

// ref reads an attribute that names one thing, such as role = role.dba, and checks the root.
func (l *loader) ref(n *node, name string) (expr.Ref, bool) {
	a := n.attr(name)
	if a == nil {
		return expr.Ref{}, false
	}
	roots := n.schema.attr(name).Roots
	e := l.expr(a)
	r, ok := e.AsRef()
	if !ok || len(r.Path) > 0 || !slices.Contains(roots, r.Root) {
		d := l.report("CON-R010", a.Expr.Range(), "%s is a reference to a %s", name, strings.Join(roots, " or "))
		d.Hint = fmt.Sprintf("write %s = %s.NAME, without quotes", name, roots[0])
		return expr.Ref{}, false
	}
	return r, true
}

// refs reads a written list of references, such as after = [step.a, check.b].
func (l *loader) refs(n *node, name string) ([]expr.Ref, bool) {
	a := n.attr(name)
	if a == nil {
		return nil, false
	}
	roots := n.schema.attr(name).Roots
	refs, ok := l.expr(a).RefList()
	ok = ok && !slices.ContainsFunc(refs, func(r expr.Ref) bool { return len(r.Path) > 0 || !slices.Contains(roots, r.Root) })
	if !ok {
		d := l.report("CON-R010", a.Expr.Range(), "%s is a list of references", name)
		d.Hint = fmt.Sprintf("write %s = [%s.NAME], without quotes", name, roots[0])
		if len(roots) == 1 {
			d.Summary = fmt.Sprintf("%s is a list of references to %ss", name, roots[0])
		}
		return nil, false
	}
	return refs, true
}
