package view

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// RunsDocument is `runs --json`.
type RunsDocument struct {
	Schema string     `json:"schema"`
	Runs   []RunEntry `json:"runs"`
}

// RunEntry is one run in a list. Problem says why it could not be read; then only Run and Bundle are known.
type RunEntry struct {
	Run       engine.RunID   `json:"run"`
	Runbook   string         `json:"runbook,omitempty"`
	Mode      engine.Mode    `json:"mode,omitempty"`
	Verdict   engine.Verdict `json:"verdict,omitempty"`
	StartedAt time.Time      `json:"started_at,omitzero"`
	EndedAt   time.Time      `json:"ended_at,omitzero"`
	Operator  string         `json:"operator,omitempty"`
	Sealed    bool           `json:"sealed"`
	Running   bool           `json:"running,omitempty"`
	Bundle    string         `json:"bundle"`
	Problem   string         `json:"problem,omitempty"`
}

// Runs prints a list of runs for people, newest first.
func (s *Screen) Runs(doc RunsDocument) {
	if len(doc.Runs) == 0 {
		s.Printf("no runs yet: `continuo run RUNBOOK` rehearses one\n")
		return
	}
	var t table
	t.head("run", "runbook", "mode", "began", "took", "verdict", "")
	for _, r := range doc.Runs {
		if r.Problem != "" {
			t.row(cell{Clean(string(r.Run)), plainInk}, cell{"-", dim}, cell{"-", dim}, cell{"-", dim}, cell{"-", dim},
				cell{"unreadable", red}, cell{Clean(r.Problem), plainInk})
			continue
		}
		took := ""
		if !r.EndedAt.IsZero() {
			took = Duration(r.EndedAt.Sub(r.StartedAt))
		}
		mode := cell{modeWords(r.Mode), plainInk}
		if r.Mode == engine.Live {
			mode.ink = bold
		}
		t.row(cell{Clean(string(r.Run)), plainInk}, cell{Clean(r.Runbook), plainInk}, mode,
			cell{r.StartedAt.In(s.zone).Format("2006-01-02 15:04"), dim}, cell{took, dim},
			cell{string(r.Verdict), verdictInk(r.Verdict)}, runState(r))
	}
	t.print(s, "")
}

func runState(r RunEntry) cell {
	switch {
	case r.Running:
		return cell{"running now", yellow}
	case !r.Sealed:
		return cell{"not sealed", yellow}
	}
	return cell{}
}
