package loader

import (
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// Docs explain every code that this package gives, in order of code.
func Docs() []diag.Doc {
	out := slices.Concat(docsGuard(), docsProject(), docsReferences(), docsSchema(), docsTypes(), docsVariables())
	slices.SortFunc(out, func(a, b diag.Doc) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// inRunbook puts items into a runbook, for examples that would be hard to read with everything around them.
func inRunbook(items string) string {
	return "runbook \"example\" {\n  phase \"work\" {\n" + indent(items) + "  }\n}\n"
}

// indent moves lines to where the attributes of a phase stand.
func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}
