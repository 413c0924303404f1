package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// resumeFlags are the flags of `resume` and `rollback`.
type resumeFlags struct {
	variableFlags
	yes          bool
	parallel     int
	at           []string
	signWith, by string
	plain        bool
	// Of a rollback.
	reason, change, incident string
}

func (f *resumeFlags) add(a *app, c *cobra.Command) {
	f.variableFlags.add(a, c)
	s := c.Flags()
	s.BoolVarP(&f.yes, "yes", "y", false, "confirm without a question; answers no gate, decision or manual item")
	s.IntVar(&f.parallel, "parallel", 0, "work on at most `N` hosts at once (default 256)")
	s.StringVar(&f.signWith, "sign-with", "", "sign the evidence with this SSH private `KEY` instead of continuo's own")
	s.StringVar(&f.by, "by", "", "`PRINCIPAL` who does this (default: user@host)")
	s.BoolVar(&f.plain, "plain", false, "one line an event, also on a terminal")
}

func resumeCommand(a *app) *cobra.Command {
	var f resumeFlags
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run whose continuo was killed, or that was left: nothing is started twice",
		Long: `Takes up an unfinished live run from its journal. What has ended is not done again. Hosts are asked what became of what
was under way: it is collected, followed to its end, or proven never to have started. What nobody knows is asked of you, or
holds the run (see ` + "`continuo settle`" + `). Gates, decisions, marks, a rollback or a cleanup under way stand where they stood.

It refuses (exit code 4) when the project, the plan or the variables are not those that the run was opened with, when the
journal is damaged, when the run is finished, and while another continuo works on it. Changed host keys in known_hosts are
allowed and are a deviation. Variables keep the values that they had; sensitive ones, which are not on record, are given again
with --var or --var-file, or asked for.`,
		Example: `  continuo resume @latest
  continuo resume 20261121t18 --yes --by ann@example.org
  continuo resume @latest --var-file site.vars`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeUnfinished,
		RunE: func(c *cobra.Command, args []string) error {
			ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
			left, err := a.unfinished(args[0], "resume")
			if err != nil {
				return err
			}
			s, err := a.takeUp(c.Context(), left, f, ask, func(r *engine.Record) { a.err.ResumeWarning(r, "takes up") })
			if err != nil {
				return err
			}
			s.execute(c.Context())
			return s.finish(c.Context())
		},
	}
	f.add(a, c)
	c.Flags().StringArrayVar(&f.at, "at", nil, "when a mark was that nobody has set: `MARK=TIME` as 2026-11-21T03:15:00Z, 03:15, -20m or now")
	return c
}

// refuse is a refusal of resume with what to do about it.
func refuse(what string, l *evidence.Loaded, hint, format string, args ...any) error {
	return failf(Refused, hint, "%s %s: %s", what, filepath.Base(l.Dir), fmt.Sprintf(format, args...))
}

// unfinished reads a run that can be taken up, or says why it cannot.
func (a *app) unfinished(ref, what string) (*evidence.Loaded, error) {
	dir, err := a.runDir(ref)
	if err != nil {
		return nil, err
	}
	id := filepath.Base(dir)
	l, err := evidence.Load(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(l.Events) == 0 || errors.Is(err, journal.ErrEmpty) {
		return nil, failf(Refused, "begin it anew with `continuo run`", "%s %s: it ended before anything was recorded, and nothing was done to any host", what, id)
	}
	if err != nil {
		return nil, failf(Refused, "nothing was changed; `continuo verify "+id+"` says what is wrong, and the hosts keep what they know of its attempts",
			"%s %s: the journal is damaged, and nothing is concluded from it: %w", what, id, err)
	}
	name := l.Record.Opened.Runbook
	switch {
	case l.Sealed:
		return nil, refuse(what, l, "`continuo show "+id+"` shows it; `continuo rollback "+id+"` rolls it back in a run of its own", "the run is sealed: its record is finished")
	case l.Record.Closed:
		return nil, refuse(what, l, "finish its record: continuo seal "+id, "the run is finished")
	case l.Record.Mode != engine.Live:
		return nil, refuse(what, l, "make it again: continuo run "+name, "a dry-run changes nothing, and is not taken up")
	}
	return l, nil
}

// takeUp compares the project with that of the run, asks for confirmation, and takes the run's lock. Until then nothing is
// written; nothing is connected to.
func (a *app) takeUp(ctx context.Context, l *evidence.Loaded, f resumeFlags, ask *view.Asker, warn func(*engine.Record)) (*session, error) {
	w, keys, err := a.sameWork(ctx, l, f, ask)
	if err != nil {
		return nil, err
	}
	undoes, err := a.undoneBy(l)
	if err != nil {
		return nil, err
	}
	flags := runFlags{variableFlags: f.variableFlags, live: true, yes: f.yes, parallel: f.parallel, at: f.at, signWith: f.signWith, by: f.by, plain: f.plain}
	if err := a.settle(&flags, w); err != nil {
		return nil, err
	}
	if err := a.confirmResume(ctx, l, f, ask, warn); err != nil {
		return nil, err
	}
	s, err := a.reopen(l, w, flags, ask)
	if err != nil {
		return nil, err
	}
	if undoes != nil {
		s.undo(undoes, "")
	}
	if keys != "" {
		act := &engine.OperatorAction{Action: engine.ActionKnownHosts, By: flags.operator, Reason: keys}
		if _, err := s.recorder.Append(ctx, act); err != nil {
			return nil, errors.Join(fail(BadEvidence, err, ""), s.run.Close())
		}
	}
	return s, nil
}

// undoneBy reads the run that a rollback of its own undoes; nil for any other run.
func (a *app) undoneBy(l *evidence.Loaded) (*evidence.Loaded, error) {
	of := l.Record.Opened.RollbackOf
	if of == "" {
		return nil, nil //nolint:nilnil // it runs a runbook
	}
	was, err := evidence.Load(filepath.Join(filepath.Dir(l.Dir), of))
	if err != nil {
		return nil, fail(Refused, fmt.Errorf("resume %s: the run that it rolls back: %w", filepath.Base(l.Dir), err), "its record is needed to go on")
	}
	return was, nil
}

// confirmResume shows what is taken up and lets a person confirm it.
func (a *app) confirmResume(ctx context.Context, l *evidence.Loaded, f resumeFlags, ask *view.Asker, warn func(*engine.Record)) error {
	id, name := filepath.Base(l.Dir), l.Record.Opened.Runbook
	warn(l.Record)
	if f.yes {
		return nil
	}
	if !ask.Present() {
		return failf(Refused, "with a terminal the runbook's name is typed; without one, --yes confirms", "run %s is not taken up: not confirmed, and nobody to ask", id)
	}
	got, err := ask.Line(ctx, fmt.Sprintf("Type the runbook's name (%s) to go on:", view.Clean(name)))
	if err != nil && !errors.Is(err, io.EOF) {
		return fail(Refused, fmt.Errorf("run %s is not taken up: not confirmed: %w", id, err), "")
	}
	if got != name {
		return failf(Refused, "nothing was connected to and nothing has changed", "run %s is not taken up: not confirmed", id)
	}
	return nil
}

// sameWork loads and plans what the run was opened with, and refuses what differs. keys says what changed in known_hosts.
func (a *app) sameWork(ctx context.Context, l *evidence.Loaded, f resumeFlags, ask *view.Asker) (w *work, keys string, err error) {
	o := l.Record.Opened
	id := filepath.Base(l.Dir)
	p, _, err := a.load()
	if err != nil {
		return nil, "", err
	}
	rb := p.Runbook(o.Runbook)
	if rb == nil {
		return nil, "", refuse("resume", l, "name the project's directory with -C DIR; its files as they were are in "+filepath.Join(l.Dir, evidence.ProjectDir),
			"this project has no runbook %s", o.Runbook)
	}
	if err := l.CheckInputs(); err != nil {
		return nil, "", refuse("resume", l, "put it back from a copy of the run's directory; or end this run: continuo seal "+id+" --abandon REASON", "%v", err)
	}
	was, err := l.Files()
	if err != nil {
		return nil, "", fail(BadEvidence, err, "")
	}
	changed := differing(was, p.Files)
	known := knownHostsFile(p)
	if slices.Contains(changed, known) {
		keys = known + " is not as it was when the run was opened"
		changed = slices.DeleteFunc(changed, func(n string) bool { return n == known })
	}
	if len(changed) > 0 {
		return nil, "", refuse("resume", l, "put them back as they were (copies are in "+filepath.Join(l.Dir, evidence.ProjectDir)+"), or end this run: continuo seal "+id+" --abandon REASON, and begin a new one",
			"the project has changed since: %s", strings.Join(changed[:min(len(changed), 5)], ", "))
	}
	values, err := a.sameVariables(ctx, l, p, rb, f.variableFlags, ask)
	if err != nil {
		return nil, "", err
	}
	if w, err = planned(p, rb, values); err != nil {
		return nil, "", err
	}
	sum, err := evidence.VariablesDigest(w.plan.Variables)
	switch {
	case err != nil:
		return nil, "", fail(Defect, err, "")
	case sum != o.VariablesSHA256:
		return nil, "", refuse("resume", l, "leave out --var and --var-file: variables keep the values that they had", "the variables are not those that the run was opened with")
	case w.plan.Digest != o.PlanDigest:
		return nil, "", refuse("resume", l, fmt.Sprintf("the run was opened by continuo %s, and this is %s: resume with that one", o.Tool.Version, tool().Version),
			"the plan is not the one that the run was opened with (%s, now %s)", o.PlanDigest, w.plan.Digest)
	}
	return w, keys, nil
}

// differing are the files that are not the same in both, by name.
func differing(was, now []runbooks.File) []string {
	var out []string
	has := map[string][]byte{}
	for _, f := range was {
		has[f.Path] = f.Data
	}
	for _, f := range now {
		data, ok := has[f.Path]
		if !ok || !bytes.Equal(data, f.Data) {
			out = append(out, f.Path)
		}
		delete(has, f.Path)
	}
	for name := range has {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// sameVariables gives the variables the values that are on record. Sensitive ones are not: they are given again, or asked for.
func (a *app) sameVariables(ctx context.Context, l *evidence.Loaded, p *runbooks.Project, rb *runbooks.Runbook, in variableFlags, ask *view.Asker) (map[string]expr.Value, error) {
	given, err := a.given(in)
	if err != nil {
		return nil, err
	}
	var all []loader.Given
	for _, v := range l.Plan.Variables {
		named := slices.ContainsFunc(given, func(g loader.Given) bool { return g.Name == v.Name })
		switch {
		case named || v.Value == "null":
		case !v.Sensitive:
			all = append(all, loader.Given{Name: v.Name, Text: v.Value, Range: diag.Range{File: "the record of the run"}})
		case !ask.Present():
			return nil, refuse("resume", l, "give it again: --var-file FILE", "variable %s is sensitive, so its value is not on record", v.Name)
		default:
			text, err := ask.Hidden(ctx, fmt.Sprintf("variable %s, as the run was opened with:", view.Clean(v.Name)))
			if err != nil {
				return nil, fail(Refused, err, "")
			}
			all = append(all, loader.Given{Name: v.Name, Text: text})
		}
	}
	values, list := loader.Values(p, rb, append(all, given...))
	if err := list.Err(); err != nil {
		return nil, fail(Usage, err, "")
	}
	return values, nil
}

// reopen takes the lock of the run, recovers its journal and begins a segment.
func (a *app) reopen(l *evidence.Loaded, w *work, f runFlags, ask *view.Asker) (*session, error) {
	s := &session{app: a, work: w, flags: f, ask: ask, mode: engine.Live, redactor: redact.New()}
	if err := hideVariables(w.runbook, w.variables, s.redactor); err != nil {
		return nil, err
	}
	run, loaded, err := evidence.Resume(l.Dir, evidence.RunOptions{Mode: engine.Live, Redactor: s.redactor, Clock: a.env.Stamps, FS: a.env.FS},
		&engine.RunResumed{BootID: journal.BootID(), By: f.operator, Tool: tool()})
	if err != nil {
		return nil, a.notReopened(l, err)
	}
	o := loaded.Record.Opened
	s.run, s.id, s.nonce, s.earlier = run, o.Run, o.Nonce, loaded
	if loaded.Cut > 0 {
		a.err.Warn(fmt.Sprintf("the journal ended in the middle of a line: %d bytes were cut off and are kept beside it", loaded.Cut), "")
	}
	if err := a.ledger().EnsureOpened(loaded); err != nil {
		a.ledgerWarning(err)
	}
	return s, s.attach()
}

// notReopened says why a run could not be taken up.
func (a *app) notReopened(l *evidence.Loaded, err error) error {
	id := filepath.Base(l.Dir)
	switch {
	case errors.Is(err, fsx.ErrLocked):
		return refuse("resume", l, "`continuo status "+id+"` shows it; `continuo attach "+id+"` takes it up at a terminal", "another continuo works on it")
	case errors.Is(err, journal.ErrClosed):
		return refuse("resume", l, "finish its record: continuo seal "+id, "the run is finished")
	case errors.Is(err, evidence.ErrSealed):
		return refuse("resume", l, "`continuo show "+id+"` shows it", "the run is sealed")
	case isFull(err):
		return fail(BadEvidence, err, stateHint(err, a.stateDir()))
	}
	return fail(Refused, fmt.Errorf("resume %s: %w", id, err), "nothing was started; `continuo verify "+id+"` says what is wrong with its record")
}

// resumed is what the executor goes on from; nil for a new run.
func (s *session) resumed() *executor.Resumed {
	if s.earlier == nil {
		return nil
	}
	return &executor.Resumed{Events: s.events, Artifact: s.run.Artifacts.Get, Rollback: s.wish}
}

// completeUnfinished offers the runs that can be taken up.
func (a *app) completeUnfinished(_ *cobra.Command, args []string, _ string) (completed, cobra.ShellCompDirective) {
	const most = 20
	all, err := evidence.Runs(a.stateDir())
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	slices.Reverse(all)
	var out completed
	for _, id := range all[:min(len(all), most)] {
		l, err := evidence.Load(evidence.RunDir(a.stateDir(), id))
		if err == nil && !l.Record.Closed && l.Record.Mode == engine.Live {
			out = append(out, cobra.CompletionWithDesc(string(id), a.runNote(id)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// unfinishedCommands are what one does with a run that was left, or whose process died.
func unfinishedCommands(r *engine.Record) []string {
	id := string(r.Opened.Run)
	abandon := "continuo seal " + id + ` --abandon "REASON"   (if nobody takes it up again)`
	if r.Mode != engine.Live {
		return []string{"continuo run " + r.Opened.Runbook + "   (rehearse again)", abandon}
	}
	var out []string
	for _, u := range openUnits(r)[:min(len(openUnits(r)), 3)] {
		out = append(out, "continuo settle "+id+" "+u+` --as done|failed|retry --reason "…"`)
	}
	return append(out, "continuo resume "+id, abandon)
}
