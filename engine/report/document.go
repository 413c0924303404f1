package report

import (
	"io"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// RunSchema names the machine output of run, resume, rollback and show.
const RunSchema = "continuo/run/v1"

// RunDocument is the machine output of run, resume, rollback and show. What was not measured is absent, not zero.
// Fields may be added, never renamed.
type RunDocument struct {
	Schema     string             `json:"schema"`
	Run        engine.RunID       `json:"run"`
	Runbook    string             `json:"runbook"`
	Mode       engine.Mode        `json:"mode"`
	Verdict    engine.Verdict     `json:"verdict"`
	Why        string             `json:"why,omitempty"`
	Bundle     string             `json:"bundle"` // absolute path; the run's directory while unsealed
	StartedAt  time.Time          `json:"started_at"`
	EndedAt    time.Time          `json:"ended_at,omitzero"`
	Items      []RunItem          `json:"items"`
	Objectives []RunObjective     `json:"objectives,omitempty"`
	Deviations []engine.Deviation `json:"deviations,omitempty"`
	Rollback   *Rollback          `json:"rollback,omitempty"`
	Unknown    int                `json:"unknown"`
	NotReached []runbooks.ItemID  `json:"not_reached,omitempty"`
	Coverage   engine.Coverage    `json:"coverage"`
	Batches    []Batch            `json:"batches,omitempty"` // of phases that roll out
	// UpdateDue is when the next promised progress update is due; absent when none is promised or the run has ended.
	UpdateDue time.Time `json:"update_due,omitzero"`
}

// RunItem is an item on one host (and element); items that had no unit have one entry without a host.
type RunItem struct {
	ID        runbooks.ItemID `json:"id"`
	Kind      runbooks.Kind   `json:"kind"`
	Host      string          `json:"host,omitempty"`
	Key       string          `json:"key,omitempty"`
	Batch     int             `json:"batch,omitempty"` // from 1, in a phase that rolls out
	Phase     string          `json:"phase"`
	Outcome   engine.Outcome  `json:"outcome,omitempty"` // absent while the item is not done
	Standing  engine.Standing `json:"standing,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	SettledBy string          `json:"settled_by,omitempty"`
	Attempts  int             `json:"attempts,omitempty"`
	ExitCode  *int            `json:"exit_code,omitempty"`
	Signal    string          `json:"signal,omitempty"`
	StartedAt time.Time       `json:"started_at,omitzero"`
	EndedAt   time.Time       `json:"ended_at,omitzero"`
}

// RunObjective is an objective with what was achieved, in seconds; of a measured one AchievedS is its value.
type RunObjective struct {
	Name      string   `json:"name"`
	TargetS   *float64 `json:"target_s,omitempty"`
	AtMost    *float64 `json:"at_most,omitempty"`
	AtLeast   *float64 `json:"at_least,omitempty"`
	AchievedS *float64 `json:"achieved_s,omitempty"`
	Met       *bool    `json:"met,omitempty"`
	Problem   string   `json:"problem,omitempty"`
}

// NewRunDocument makes the machine output of a record. bundle is the absolute path of the bundle or the run's directory.
func NewRunDocument(rec *engine.Record, bundle string) *RunDocument {
	d := &RunDocument{
		Schema: RunSchema, Run: rec.Opened.Run, Runbook: rec.Opened.Runbook, Mode: rec.Mode, Verdict: rec.Verdict, Why: rec.Why,
		Bundle: bundle, StartedAt: utc(rec.StartedAt), EndedAt: utc(rec.EndedAt), Items: []RunItem{}, Deviations: rec.Deviations,
		Rollback: buildRollback(rec), Unknown: rec.Unknown, NotReached: rec.NotReached, Coverage: rec.Coverage,
	}
	d.Batches = buildBatches(rec)
	if u := rec.Update(); u != nil {
		d.UpdateDue = utc(u.Due)
	}
	for _, i := range buildItems(rec) {
		d.Items = append(d.Items, runItems(&i)...)
	}
	if rec.Mode == engine.DryRun {
		return d
	}
	for _, o := range rec.Objectives {
		d.Objectives = append(d.Objectives, RunObjective{
			Name: o.Name, TargetS: o.TargetS, AtMost: o.AtMost, AtLeast: o.AtLeast, AchievedS: o.AchievedS, Met: o.Met, Problem: o.Problem,
		})
	}
	return d
}

// JSON writes the document. The error is the writer's.
func (d *RunDocument) JSON(w io.Writer) error { return writeJSON(w, d) }

func runItems(i *Item) []RunItem {
	if len(i.Units) == 0 {
		return []RunItem{{ID: i.ID, Kind: i.Kind, Phase: i.Phase, Outcome: i.Outcome, Standing: i.Standing, Reason: i.Reason,
			StartedAt: i.StartedAt, EndedAt: endOf(i.StartedAt, i.Took)}}
	}
	var out []RunItem
	for _, u := range i.Units {
		out = append(out, RunItem{
			ID: i.ID, Kind: i.Kind, Host: u.Host, Key: u.Key, Batch: u.Batch, Phase: i.Phase, Outcome: u.Outcome, Standing: u.Standing,
			Reason: u.Reason, SettledBy: u.SettledBy, Attempts: u.Attempts, ExitCode: u.ExitCode, Signal: u.Signal,
			StartedAt: u.StartedAt, EndedAt: endOf(u.StartedAt, u.Took),
		})
	}
	return out
}

func endOf(start time.Time, took *Seconds) time.Time {
	if start.IsZero() || took == nil {
		return time.Time{}
	}
	return start.Add(took.Duration())
}
