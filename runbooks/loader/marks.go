package loader

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// markNames checks the form of mark names.
func (b *book) markNames() {
	for _, e := range b.order {
		for _, name := range append(slices.Clone(e.item.Marks), e.item.MarksStart...) {
			if validName(name) {
				continue
			}
			a := e.node.attr("marks")
			if slices.Contains(e.item.MarksStart, name) {
				a = e.node.attr("marks_start")
			}
			b.report("CON-S020", a.Expr.Range(), "%q is no name of a mark", name).Hint = suggestName(name)
		}
	}
}

// marksExist checks, once all runbooks are read, that objectives name marks that something sets or declares.
func (l *loader) marksExist() {
	for _, n := range l.root.of("runbook") {
		rb := l.project.Runbook(n.label)
		if rb == nil || place(n.rng()) != rb.Range {
			continue
		}
		known := l.marksOf(rb, nil)
		l.within(n.title(), func() {
			for _, o := range n.of("objective") {
				for _, name := range []string{"from", "to"} {
					l.markExists(o, name, known)
				}
				if o.attr("recovery_point") != nil && o.attr("from") == nil && !slices.Contains(known, "disruption") {
					l.report("CON-R018", o.rng(), "nothing sets or declares the mark %q", "disruption").Hint =
						`declare it: mark "disruption" {}; or name another with from`
				}
			}
		})
	}
}

func (l *loader) markExists(o *node, name string, known []string) {
	a := o.attr(name)
	if a == nil {
		return
	}
	s, ok := literal(a.Expr)
	if !ok || slices.Contains(known, s) {
		return
	}
	d := l.report("CON-R018", a.Expr.Range(), "nothing sets or declares the mark %q", s)
	d.Hint = fmt.Sprintf("list it in the marks of an item, or declare it: mark %q {}", s)
	if m := diag.Suggest(s, known); m != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", m)
	}
}

// marksOf are the marks that a runbook sets or declares, those of its calls as x/mark.
func (l *loader) marksOf(rb *runbooks.Runbook, above []string) []string {
	var out []string
	for _, m := range rb.Marks {
		out = append(out, m.Name)
	}
	if slices.Contains(above, rb.Name) {
		return out
	}
	for _, i := range rb.AllItems() {
		out = append(append(out, i.Marks...), i.MarksStart...)
		if child := l.project.Runbook(i.Runbook); i.Kind == runbooks.Call && child != nil {
			for _, m := range l.marksOf(child, append(above, rb.Name)) {
				out = append(out, i.Name+"/"+m)
			}
		}
	}
	return out
}
