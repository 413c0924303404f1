package cli

import (
	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/planner"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// variableFlags are the flags by which a runbook's inputs are given.
type variableFlags struct {
	vars  []string
	files []string
}

func (v *variableFlags) add(a *app, c *cobra.Command) {
	c.Flags().StringArrayVar(&v.vars, "var", nil, "set a variable: `NAME=VALUE`; repeated for more")
	c.Flags().StringArrayVar(&v.files, "var-file", nil, "read variables from `FILE`, a JSON object or NAME = value lines; --var wins")
	complete(c, "var", a.completeVariables)
}

func planCommand(a *app) *cobra.Command {
	var format string
	var inputs variableFlags
	c := &cobra.Command{
		Use:   "plan [RUNBOOK]",
		Short: "What would happen, in order, without connecting to anything",
		Long: `Prints every item with its hosts, what is decided at run time and what for, points of no return and the digest that
approvals name. Nothing is connected to and no secret is read.`,
		Example: `  continuo plan failover
  continuo plan failover --var max_lag=10 --json
  continuo plan failover --format markdown > on-paper.md
  continuo plan failover --format change-request > rfc.md
  continuo plan failover --format dot | dot -Tsvg > plan.svg`,
		Args:              atMost(1),
		ValidArgsFunction: a.completeRunbook,
		RunE: func(_ *cobra.Command, args []string) error {
			a.collectLess()
			if a.global.json {
				format = "json"
			}
			if err := oneOf("format", format, planFormats()...); err != nil {
				return err
			}
			w, err := a.plan(args, inputs)
			if err != nil {
				return err
			}
			return a.showPlan(w.plan, format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`FORMAT` is text, json, mermaid, dot, markdown (for paper) or change-request")
	complete(c, "format", wordsOf(planFormats()...))
	inputs.add(a, c)
	return c
}

func planFormats() []string {
	return []string{"text", "json", "mermaid", "dot", "markdown", "change-request"}
}

// work is a runbook with its inputs, ready to be shown or run.
type work struct {
	project   *runbooks.Project
	runbook   *runbooks.Runbook
	variables map[string]expr.Value
	plan      *engine.Plan
}

// plan loads the project and plans the runbook that is named.
func (a *app) plan(args []string, inputs variableFlags) (*work, error) {
	p, _, err := a.load()
	if err != nil {
		return nil, err
	}
	rb, err := a.soleRunbook(p, args)
	if err != nil {
		return nil, err
	}
	values, err := a.variables(p, rb, inputs)
	if err != nil {
		return nil, err
	}
	return planned(p, rb, values)
}

// planned plans a runbook with its variables.
func planned(p *runbooks.Project, rb *runbooks.Runbook, values map[string]expr.Value) (*work, error) {
	plan, list := planner.Plan(planner.Input{Project: p, Runbook: rb, Variables: values})
	if err := list.Err(); err != nil {
		return nil, err
	}
	return &work{project: p, runbook: rb, variables: values, plan: plan}, nil
}

func (a *app) showPlan(plan *engine.Plan, format string) error {
	switch format {
	case "json":
		return a.out.JSON(view.NewPlanDocument(plan, a.outlook(plan)))
	case "mermaid":
		a.out.PlanMermaid(plan)
	case "dot":
		a.out.PlanDot(plan)
	case "markdown":
		a.out.PlanMarkdown(plan)
	case "change-request":
		a.out.PlanChange(plan, a.outlook(plan))
	default:
		a.out.PlanText(plan)
		a.out.Outlook(a.outlook(plan))
	}
	return a.out.Err()
}

// complete gives a flag its completion. The flag exists, so it cannot fail.
func complete(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}
