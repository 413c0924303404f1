package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// renderers write the reports of a bundle. Seal and verify use the same. What was explored in simulation has faces of its
// own, which nobody takes for those of a run.
func renderers() map[string]evidence.Renderer {
	titles := findingTitles()
	face := func(write func(*report.Report, io.Writer) error, explored func(*report.Exploration, io.Writer) error) evidence.Renderer {
		return func(rec *engine.Record) ([]byte, error) {
			var b bytes.Buffer
			if x := report.FiledExploration(rec); x != nil {
				err := explored(x, &b)
				return b.Bytes(), err
			}
			r, err := report.Build(rec, report.Options{})
			if err != nil {
				return nil, err
			}
			err = write(r, &b)
			return b.Bytes(), err
		}
	}
	return map[string]evidence.Renderer{
		"report.html": face((*report.Report).HTML, func(x *report.Exploration, w io.Writer) error { return x.HTML(w, titles) }),
		"report.md":   face((*report.Report).Markdown, func(x *report.Exploration, w io.Writer) error { return x.Markdown(w, titles) }),
		"report.json": face((*report.Report).JSON, (*report.Exploration).JSON),
	}
}

type sealFlags struct {
	abandon, reason, signWith, by string
	tsa                           string // URL of a time stamping authority; empty: as configured
	withhold                      []string
}

func sealCommand(a *app) *cobra.Command {
	var f sealFlags
	c := &cobra.Command{
		Use:   "seal RUN",
		Short: "Finish a run's record: reports, checksums, signature",
		Long: `Finishes what a crash, a missing key or a secret that was found left undone. Doing it again changes nothing but a missing
signature. A run that was left stays open until it is abandoned: its verdict is then "incomplete".

A time stamp (RFC 3161) by an authority bounds from outside when the record was sealed. It is asked for after every seal
where an authority is configured (--tsa, CONTINUO_TSA, or "tsa = URL" in the configuration), and kept in after/.`,
		Example: `  continuo seal @latest
  continuo seal @latest --sign-with ~/.ssh/id_ed25519
  continuo seal @latest --tsa http://timestamp.example.org/tsr
  continuo seal 20261121t18 --abandon "the hosts are gone"
  continuo seal @latest --withhold artifacts/sha256/ab/ab12… --reason "holds a customer's name"`,
		Args:              exactly("RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			return a.seal(c.Context(), args[0], f)
		},
	}
	s := c.Flags()
	s.StringVar(&f.abandon, "abandon", "", "seal an unfinished run as incomplete, for this `REASON`")
	s.StringArrayVar(&f.withhold, "withhold", nil, "replace this `PATH` of the bundle by a stub; repeated for more")
	s.StringVar(&f.reason, "reason", "", "`WHY` something is withheld")
	s.StringVar(&f.signWith, "sign-with", "", "sign with this SSH private `KEY` instead of continuo's own")
	s.StringVar(&f.tsa, "tsa", "", "have the seal time stamped by the authority at this `URL` (RFC 3161)")
	s.StringVar(&f.by, "by", "", "`PRINCIPAL` who does this (default: user@host)")
	return c
}

func (a *app) seal(ctx context.Context, ref string, f sealFlags) error {
	dir, err := a.runDir(ref)
	if err != nil {
		return err
	}
	if len(f.withhold) > 0 && f.reason == "" {
		return failf(Usage, `say why: --reason "…"`, "seal: --withhold without a reason")
	}
	if f.abandon != "" {
		if err := a.abandon(dir, f); err != nil {
			return err
		}
	}
	ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
	end := view.Ending{Bundle: dir}
	code := a.sealDir(ctx, &end, dir, ask, f, redact.New())
	l, err := evidence.Load(dir)
	if err != nil {
		return fail(BadEvidence, err, "")
	}
	end.Record, end.Next = l.Record, nextCommands(l)
	if a.global.json {
		if err := report.NewRunDocument(l.Record, dir).JSON(a.out); err != nil {
			return err
		}
	} else {
		a.err.RunEnd(end)
	}
	return exit(code)
}

// sealDir seals a run's directory and tells end how that went. Whatever fails here, the journal is as it was.
func (a *app) sealDir(ctx context.Context, end *view.Ending, dir string, ask *view.Asker, f sealFlags, r *redact.Redactor) Code {
	code := OK
	signer, err := a.signer(ctx, ask, f.signWith)
	if err != nil {
		end.Problems = append(end.Problems, fmt.Sprintf("unsigned: %v; sign it later: continuo seal %s", err, end.Bundle))
		code, signer = BadEvidence, nil
	}
	sealed, err := evidence.Seal(dir, evidence.SealOptions{
		Signer: signer, Renderers: renderers(), Redactor: r, Withhold: f.withhold, By: a.operator(f.by), Reason: f.reason, FS: a.env.FS,
	})
	var leak *evidence.LeakError
	switch {
	case errors.As(err, &leak):
		end.Problems = append(end.Problems, "not sealed, because a secret would leak: "+leak.Error())
		for _, l := range leak.Leaks {
			end.Problems = append(end.Problems, fmt.Sprintf("  continuo seal %s --withhold %s --reason …", dir, l.File))
		}
		return BadEvidence
	case errors.Is(err, evidence.ErrNotClosed):
		end.Problems = append(end.Problems, "not sealed: the run is not finished; `continuo seal --abandon REASON` seals it as incomplete")
		return Held
	case err != nil:
		end.Problems = append(end.Problems, err.Error())
		return BadEvidence
	}
	end.Sealed = true
	end.Problems = append(end.Problems, sealed.Problems...)
	if signer != nil {
		end.SignedBy = signer.Fingerprint()
	}
	end.Reports = reportPaths(sealed.Dir)
	if _, err := a.ledger().RecordSeal(sealed, signer); err != nil {
		end.Problems = append(end.Problems, fmt.Sprintf("sealed, but the ledger of runs does not say so: %v", err))
		code = BadEvidence
	}
	if err := a.stamp(ctx, sealed, f.tsa); err != nil {
		end.Problems = append(end.Problems, fmt.Sprintf("sealed, but not time stamped: %v; ask again: continuo seal %s", err, filepath.Base(dir)))
	}
	return code
}

// stampTimeout bounds how long the end of a run waits for a time stamping authority.
const stampTimeout = 20 * time.Second

// stamp has a seal time stamped, once, where an authority is configured. The seal holds without.
func (a *app) stamp(ctx context.Context, sealed *evidence.Sealed, url string) error {
	if url == "" {
		var err error
		if url, err = a.setting("tsa"); err != nil {
			return err
		}
	}
	if url == "" || evidence.HasTimestamp(sealed.Dir) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stampTimeout)
	defer cancel()
	t, err := evidence.RequestTimestamp(ctx, &http.Client{}, url, sealed.Dir)
	if err != nil {
		return err
	}
	return a.ledger().RecordTimestamp(sealed, t)
}

// abandon closes the journal of a run that nobody will take up again. What is not known stays unknown.
func (a *app) abandon(dir string, f sealFlags) error {
	by := a.operator(f.by)
	run, loaded, err := evidence.Resume(dir, evidence.RunOptions{FS: a.env.FS},
		&engine.RunResumed{BootID: journal.BootID(), By: by, Tool: tool()})
	if err != nil {
		return fail(BadEvidence, err, "")
	}
	if err := a.ledger().RecordAbandoned(loaded, by, f.abandon); err != nil {
		a.err.Warn("the ledger of runs does not say who gave this run up: "+err.Error(), "")
	}
	closing := func() error {
		folder := engine.NewFolder(loaded.Plan)
		for _, e := range loaded.Events {
			if err := folder.Apply(e); err != nil {
				return err
			}
		}
		for _, p := range []engine.Payload{
			&engine.OperatorAction{Action: "abandon", By: by, Reason: f.abandon},
			&engine.RunInterrupted{Reason: "abandoned: " + f.abandon, By: by},
		} {
			e, err := run.Journal.Append(context.Background(), p)
			if err == nil {
				err = folder.Apply(e)
			}
			if err != nil {
				return err
			}
		}
		verdict, why, unknown := folder.Preview()
		_, err := run.Journal.Append(context.Background(), &engine.RunClosed{Verdict: verdict, Unknown: unknown, Reason: why})
		return err
	}
	if err := closing(); err != nil {
		return errors.Join(fail(BadEvidence, err, ""), run.Close())
	}
	if err := run.Close(); err != nil {
		return fail(BadEvidence, err, "")
	}
	return nil
}
