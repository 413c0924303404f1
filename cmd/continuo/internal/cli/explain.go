package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/lint"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// codes explains every code that any package gives.
func codes() (*diag.Table, error) {
	return diag.NewTable(expr.Docs(), scope.Docs(), loader.Docs(), lint.Docs(), planner.Docs(), simulation.Docs())
}

func explainCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "What a diagnostic means, with a wrong and a right example; without a code, all of them",
		Example: "  continuo explain CON-R012\n  continuo explain",
		Args:    atMost(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (completed, cobra.ShellCompDirective) {
			var out completed
			if t, err := codes(); err == nil {
				for _, d := range t.All() {
					out = append(out, cobra.CompletionWithDesc(d.Code, d.Title))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := codes()
			if err != nil {
				return fail(Defect, err, "")
			}
			docs := t.All()
			if len(args) == 1 {
				d, ok := t.Lookup(args[0])
				if !ok {
					hint := "`continuo explain` lists them"
					if s := t.Suggest(args[0]); s != "" {
						hint = "did you mean " + s + "?"
					}
					return failf(Usage, hint, "explain: unknown code %q", args[0])
				}
				docs = []diag.Doc{d}
			}
			switch {
			case a.global.json:
				return a.out.JSON(view.NewExplainDocument(docs))
			case len(args) == 1:
				a.out.Explain(docs[0])
			default:
				a.out.Codes(docs)
			}
			return nil
		},
	}
}
