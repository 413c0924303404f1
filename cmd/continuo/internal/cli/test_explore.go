package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// findingTitles names the codes of findings.
func findingTitles() map[string]string {
	out := map[string]string{}
	for _, d := range simulation.Docs() {
		out[d.Code] = d.Title
	}
	return out
}

// explore makes everything go wrong in each of the runbooks.
func (a *app) explore(cmd *cobra.Command, p *runbooks.Project, rbs []*runbooks.Runbook, o testOptions) error {
	if (o.format == "html" || o.format == "markdown") && len(rbs) != 1 {
		return failf(Usage, "name the runbook", "--format %s is one document, of one runbook", o.format)
	}
	var all []*simulation.Exploration
	code := OK
	for _, rb := range rbs {
		progress := a.err.Counter("cases of "+view.Clean(rb.Name), a.env.Now)
		x, err := simulation.Explore(cmd.Context(), p, rb, simulation.Options{Pairs: o.pairs, Progress: progress.At})
		progress.End()
		if caller := callerOf(rb, rbs); errors.Is(err, simulation.ErrBaseline) && caller != "" {
			a.err.Warn(fmt.Sprintf("%s is explored where %s calls it, not by itself: no test of it passes without faults", rb.Name, caller), "")
			continue
		}
		if errors.Is(err, simulation.ErrBaseline) {
			return fail(Fail, fmt.Errorf("explore %w", err), "explore breaks a run that works; `on` blocks say what the hosts answer in it")
		}
		if err != nil {
			return fail(Defect, fmt.Errorf("explore: %w", err), "")
		}
		if len(x.Findings) > 0 {
			code = worst(code, Fail)
		}
		all = append(all, x)
		if o.format == "text" {
			a.out.Exploration(report.NewExploration(projectName(p), x.Plan, x.Explored()))
		}
		if o.file {
			code = worst(code, a.fileExploration(cmd.Context(), p, x, o))
		}
	}
	if err := a.exploreResults(p, all, o); err != nil {
		return err
	}
	return exit(code)
}

// callerOf is another of these runbooks that calls one; empty without.
func callerOf(called *runbooks.Runbook, rbs []*runbooks.Runbook) string {
	for _, rb := range rbs {
		for _, i := range rb.AllItems() {
			if rb != called && i.Kind == runbooks.Call && i.Runbook == called.Name {
				return rb.Name
			}
		}
	}
	return ""
}

// exploreResults writes what was found in the form that is wanted.
func (a *app) exploreResults(p *runbooks.Project, all []*simulation.Exploration, o testOptions) error {
	if o.format == "json" {
		return a.written(o.output, asJSON(view.NewExploreDocument(all)))
	}
	if o.format == "text" {
		if o.output != "" {
			return failf(Usage, "--format html, markdown or json", "--output wants a format for a file")
		}
		return nil
	}
	x := report.NewExploration(projectName(p), all[0].Plan, all[0].Explored())
	write := func(w io.Writer) error { return x.HTML(w, findingTitles()) }
	if o.format == "markdown" {
		write = func(w io.Writer) error { return x.Markdown(w, findingTitles()) }
	}
	return a.written(o.output, write)
}

// fileExploration seals an exploration as evidence: a record of mode test in which no item ran, so that nobody takes it for
// that of a drill.
func (a *app) fileExploration(ctx context.Context, p *runbooks.Project, x *simulation.Exploration, o testOptions) Code {
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	end := view.Ending{}
	dir, err := a.recordExploration(p, x, o)
	if err != nil {
		a.err.Error(fmt.Errorf("file the exploration: %w", err), stateHint(err, a.stateDir()))
		return BadEvidence
	}
	end.Bundle = dir
	code := a.sealDir(ctx, &end, dir, ask, sealFlags{signWith: o.signWith, by: o.by}, nil)
	a.err.Filed(end)
	return code
}

func (a *app) recordExploration(p *runbooks.Project, x *simulation.Exploration, o testOptions) (string, error) {
	id, err := evidence.NewRunID(a.env.Now(), rand.Reader)
	if err != nil {
		return "", err
	}
	nonce, err := evidence.NewNonce(rand.Reader)
	if err != nil {
		return "", err
	}
	run, err := evidence.Create(a.stateDir(), evidence.RunOptions{Run: id, Nonce: nonce, Mode: engine.Simulate, Plan: x.Plan, Files: p.Files, FS: a.env.FS})
	if err != nil {
		return "", err
	}
	if err := a.writeExploration(p, run, x, engine.RunOpened{Run: id, Nonce: nonce, Operator: a.operator(o.by)}); err != nil {
		return "", errors.Join(err, run.Close())
	}
	return run.Dir, run.Close()
}

// writeExploration writes the whole journal of an exploration.
func (a *app) writeExploration(p *runbooks.Project, run *evidence.Run, x *simulation.Exploration, o engine.RunOpened) error {
	o.Project, o.Runbook, o.Title, o.OperatorHost, o.Tool = projectName(p), x.Runbook, x.Plan.Title, a.env.Hostname, tool()
	o.BootID, o.Variables, o.Hosts, o.Items = journal.BootID(), x.Plan.Variables, len(x.Plan.Hosts), len(x.Plan.Items)
	o.Exercise, o.ClockSource = "simulation", clockSource()
	run.Digests.Fill(&o)
	result, err := engine.NewExplorationResult(*x.Explored())
	if err != nil {
		return err
	}
	to := run.Ledgered(a.ledger(), func(err error) { a.err.Warn("the ledger of runs is not up to date: "+err.Error(), "") })
	folder := engine.NewFolder(x.Plan)
	for _, payload := range []engine.Payload{&o, result} {
		e, err := to.Append(context.Background(), payload)
		if err == nil {
			err = folder.Apply(e)
		}
		if err != nil {
			return err
		}
	}
	verdict, why, unknown := folder.Preview()
	_, err = to.Append(context.Background(), &engine.RunClosed{Verdict: verdict, Unknown: unknown, Reason: why})
	return err
}

// reportExploration writes a face of an exploration that is filed. It has those for people only: it is the result of no test
// of the world.
func (a *app) reportExploration(x *report.Exploration, format, output string) error {
	switch format {
	case "html":
		return a.written(output, func(w io.Writer) error { return x.HTML(w, findingTitles()) })
	case "md":
		return a.written(output, func(w io.Writer) error { return x.Markdown(w, findingTitles()) })
	case "json":
		return a.written(output, x.JSON)
	}
	return failf(Usage, "there are html, md, json", "--format: %q is for runs; %s is an exploration in simulation", format, x.Run)
}
