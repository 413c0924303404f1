package loader

import (
	"github.com/continuo-runbooks/continuo/runbooks"
)

// expansions reports calls that come to more items than anyone could run: a plan holds the items of a called runbook anew
// for each call, and twenty runbooks that each call the next one twice are a million. It is false when there is one. The
// calls have no cycle.
func (l *loader) expansions() bool {
	sizes := map[string]int{}
	var size func(rb *runbooks.Runbook) int
	size = func(rb *runbooks.Runbook) int {
		if n, ok := sizes[rb.Name]; ok {
			return n
		}
		n := 0
		for _, i := range rb.AllItems() {
			n++
			if child := l.project.Runbook(i.Runbook); i.Kind == runbooks.Call && child != nil {
				n += size(child)
			}
			n = min(n, l.opts.Limits.Items+1)
		}
		sizes[rb.Name] = n
		return n
	}
	ok := true
	for _, rb := range l.project.Runbooks {
		if size(rb) <= l.opts.Limits.Items || !ok {
			continue
		}
		ok = false
		l.reportAt("CON-G011", rb.Range, "with the runbooks that it calls, runbook %q has more than %d items", rb.Name, l.opts.Limits.Items).Hint =
			"call each runbook once, and let for_each in it do what is to be done more than once"
	}
	return ok
}
