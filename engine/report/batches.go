package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Batch is one batch of a phase that rolls out: its hosts, how many of them were expected, reached and done, and which
// failed.
type Batch struct {
	Call      runbooks.ItemID `json:"call,omitempty"` // path of the call that the phase belongs to
	Phase     string          `json:"phase"`
	Batch     int             `json:"batch"`
	Of        int             `json:"of"`
	Hosts     []string        `json:"hosts"`
	StartedAt time.Time       `json:"started_at,omitzero"` // zero: it was not reached
	Took      *Seconds        `json:"took_s,omitempty"`
	Expected  int             `json:"expected"`
	Reached   int             `json:"reached"`
	Done      int             `json:"done"`
	Failed    []string        `json:"failed,omitempty"`
	Stopped   string          `json:"stopped,omitempty"` // why the rollout went no further
}

func buildBatches(rec *engine.Record) []Batch {
	out := make([]Batch, 0, len(rec.Batches))
	for _, b := range rec.Batches {
		x := Batch{
			Call: b.Call, Phase: b.Phase, Batch: b.Batch, Of: b.Of, Hosts: b.Hosts, StartedAt: utc(b.Started), Expected: b.Count.Expected,
			Reached: b.Count.Reached, Done: b.Count.Done, Failed: b.Failed, Stopped: b.Stopped,
		}
		if b.Ended {
			x.Took = took(b.Duration)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// BatchRow is a batch in words, for a table.
type BatchRow struct {
	Name, Hosts, Counts, Failed, Stopped string
	At                                   time.Time // zero: not reached
}

// batchRows are the batches as all renderings show them.
func batchRows(batches []Batch) []BatchRow {
	out := make([]BatchRow, 0, len(batches))
	for _, b := range batches {
		out = append(out, BatchRow{
			Name: fmt.Sprintf("%s %d of %d", strings.TrimLeft(string(b.Call)+" "+b.Phase, " "), b.Batch, b.Of), At: b.StartedAt,
			Hosts: few(b.Hosts), Counts: fmt.Sprintf("%d, %d, %d", b.Expected, b.Reached, b.Done), Failed: few(b.Failed), Stopped: b.Stopped,
		})
	}
	return out
}

// few lists hosts, and of many the first, the last and their number; all are in the JSON.
func few(hosts []string) string {
	if len(hosts) > 6 {
		return fmt.Sprintf("%s … %s (%d)", hosts[0], hosts[len(hosts)-1], len(hosts))
	}
	return strings.Join(hosts, ", ")
}

func (m *markdown) batches() {
	if len(m.r.Batches) == 0 {
		return
	}
	m.heading(3, "Rollouts")
	var rows [][]string
	for _, b := range batchRows(m.r.Batches) {
		began := "not reached"
		if !b.At.IsZero() {
			began = m.when(b.At)
		}
		rows = append(rows, []string{md(b.Name), began, md(b.Hosts), b.Counts, md(b.Failed), md(b.Stopped)})
	}
	m.table([]string{"Batch", "Began", "Hosts", "Expected, reached, done", "Failed", "Stopped because"}, rows)
}
