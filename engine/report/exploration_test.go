package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// explored is an exploration with an end of every kind; its texts try to be markup.
func explored() *engine.Explored {
	cases := []engine.ExploredCase{
		{Item: "step.freeze", Kind: "exit", Fault: "exit", Ended: engine.CaseSafe, Why: "rolled back", Host: "db-1", Alike: 3},
		{Item: "step.freeze", Kind: "exit", Fault: "exit", Ended: engine.CaseHeld, Why: "asks <who>", Host: "db-1", Alike: 3, With: "exit of step.thaw"},
		{Item: "step.freeze", Kind: "crash", Fault: "crash as it starts", Ended: engine.CaseHeld, Why: "asks <who>"},
		{Item: "step.freeze", Kind: "exit", Fault: "exit", Ended: engine.CaseFinding, Why: "no way | back", Host: "db-9", Codes: []string{"CON-F002"}},
		{Item: "step.freeze", Kind: "exit", Fault: "exit", Ended: engine.CaseFinding, Why: "no way | back", Host: "db-9", Codes: []string{"CON-F002"}},
		{Item: "run", Kind: "crash", Fault: "crash before the run is closed", Ended: engine.CaseHeld, Why: "left"},
		{Item: "gate.go", Kind: "meteor", Fault: "a kind of later", Ended: engine.CaseSafe, Why: "refused"},
	}
	return &engine.Explored{
		ExplorationResult: engine.ExplorationResult{Baseline: `a "good" day`, Safe: 2, Held: 3, Found: 2, Skipped: []string{"step.x: the sound run skips it"}},
		Cases:             cases,
		Findings: []engine.ExploredFinding{{
			Code: "CON-F002", Item: "step.freeze", Host: "db-9", Fault: "exit", Ended: engine.CaseFinding, Why: "no way | back", Cases: 2,
			Story: []string{"check.ready as it should", "verdict failed: <b>step.freeze</b> failed"},
		}},
	}
}

func matrix() *report.Exploration {
	plan := &engine.Plan{Runbook: "move", Title: "Move <it>", Owner: "ops@example.org", Version: "1.2.0", Digest: "sha256:abc"}
	return report.NewExploration("shop", plan, explored())
}

func TestExploration_matrix(t *testing.T) {
	t.Parallel()
	x := matrix()
	require.Equal(t, []string{"exit", "crash", "meteor"}, x.Columns(), "in the order of the kinds; those that nobody knows come last")
	type row struct {
		item, on string
		cells    []string
	}
	var rows []row
	for _, r := range x.Rows() {
		got := row{item: string(r.Item), on: r.On()}
		for _, c := range r.Cells {
			got.cells = append(got.cells, c.Text()+"/"+c.Tone())
		}
		rows = append(rows, got)
	}
	require.Equal(t, []row{
		{"step.freeze", "db-1 and 2 alike", []string{"held, safe/held", "held/held", "/"}},
		{"step.freeze", "db-9", []string{"2 finding/finding", "/", "/"}},
		{"run", "", []string{"/", "held/held", "/"}},
		{"gate.go", "", []string{"/", "/", "safe/safe"}},
	}, rows)
}

func TestExploration_decisions(t *testing.T) {
	t.Parallel()
	held := matrix().Decisions()
	require.Len(t, held, 2)
	require.Equal(t, "asks <who>", held[0].Why)
	require.Equal(t, 2, held[0].Cases, "the most frequent first")
	require.Equal(t, "exit of step.thaw", held[0].First.With)
	require.Equal(t, "left", held[1].Why)
}

func TestExploration_headline(t *testing.T) {
	t.Parallel()
	x := matrix()
	require.Equal(t, "1 finding", x.Headline())
	x.Findings = nil
	require.Equal(t, "no finding", x.Headline())
}

// Every face says that nothing was a drill, tells every finding with its story, and escapes what it was given.
func TestExploration_faces(t *testing.T) {
	t.Parallel()
	titles := map[string]string{"CON-F002": "a step without a way back"}
	x := matrix()
	var html, markdown, machine bytes.Buffer
	require.NoError(t, x.HTML(&html, titles))
	require.NoError(t, x.Markdown(&markdown, titles))
	require.NoError(t, x.JSON(&machine))

	page := html.String()
	for _, want := range []string{
		"No host was contacted", "This is no drill", "Move &lt;it&gt;", "7 cases", "CON-F002", "a step without a way back",
		"&lt;b&gt;step.freeze&lt;/b&gt; failed", "2 finding", "db-1 and 2 alike", "3 in all", "asks &lt;who&gt;", "and exit of step.thaw",
		"the sound run skips it", "sha256:abc", "a &#34;good&#34; day",
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "http://")
	require.NotContains(t, page, "<dt>Record</dt>", "it is not filed")

	text := markdown.String()
	for _, want := range []string{
		"**No host was contacted. This is an exploration in simulation, not a drill.**", "7 cases: 2 safe, 3 held for a person, 2 with a finding",
		"## CON-F002: a step without a way back", "1. check.ready as it should", "| item | exit | crash | meteor |", "## Not explored",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "<b>")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| ") {
			require.Equal(t, 5, strings.Count(line, "|")-strings.Count(line, `\|`), line)
		}
	}

	var doc map[string]any
	require.NoError(t, json.Unmarshal(machine.Bytes(), &doc))
	require.Equal(t, "continuo/exploration/v1", doc["schema"])
	require.Equal(t, "test", doc["mode"])
	require.Len(t, doc["matrix"], 7)
	require.NotContains(t, doc, "run")
}

// The exploration of a record says who filed it, when and with what; a record of a run has none.
func TestFiledExploration(t *testing.T) {
	t.Parallel()
	rec := &engine.Record{Plan: &engine.Plan{Runbook: "move"}, StartedAt: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)}
	require.Nil(t, report.FiledExploration(rec))
	rec.Exploration = explored()
	rec.Opened = engine.RunOpened{Run: "r-1", Project: "shop", Operator: "ann@example.org", Tool: engine.Tool{Version: "1.0.0"}}
	x := report.FiledExploration(rec)
	require.Equal(t, []string{"r-1", "shop", "ann@example.org", "2026-11-22 01:02:03 UTC", "continuo 1.0.0"},
		[]string{string(x.Run), x.Project, x.By, x.At, x.Tool})
	var page bytes.Buffer
	require.NoError(t, x.HTML(&page, nil))
	require.Contains(t, page.String(), "<dt>Record</dt>")
}
