package report

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

//go:embed exploration
var explorationFiles embed.FS

// Exploration is what the faces of an exploration show: every way in which a runbook was made to fail in simulation, and
// where each ended. Its faces never show an objective, a duration or a verdict of a run: nothing ran.
type Exploration struct {
	Project string `json:"project"`
	Runbook string `json:"runbook"`
	Title   string `json:"title,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Version string `json:"version,omitempty"`
	// Run, At, By and Tool are of an exploration that is filed as evidence.
	Run        engine.RunID             `json:"run,omitempty"`
	At         string                   `json:"at,omitempty"`
	By         string                   `json:"by,omitempty"`
	Tool       string                   `json:"tool,omitempty"`
	PlanDigest string                   `json:"plan_digest"`
	Mode       engine.Mode              `json:"mode"`
	Exercise   string                   `json:"exercise"`
	Baseline   string                   `json:"baseline,omitempty"`
	Cases      int                      `json:"cases"`
	Safe       int                      `json:"safe"`
	Held       int                      `json:"held"`
	Found      int                      `json:"found"`
	Findings   []engine.ExploredFinding `json:"findings"`
	Matrix     []engine.ExploredCase    `json:"matrix"`
	Skipped    []string                 `json:"skipped,omitempty"`
}

// NewExploration is the exploration of a plan, not filed.
func NewExploration(project string, plan *engine.Plan, x *engine.Explored) *Exploration {
	return &Exploration{
		Project: project, Runbook: plan.Runbook, Title: plan.Title, Owner: plan.Owner, Version: plan.Version, PlanDigest: plan.Digest,
		Mode: engine.Simulate, Exercise: "simulation", Baseline: x.Baseline, Cases: len(x.Cases), Safe: x.Safe, Held: x.Held, Found: x.Found,
		Findings: append([]engine.ExploredFinding{}, x.Findings...), Matrix: append([]engine.ExploredCase{}, x.Cases...), Skipped: x.Skipped,
	}
}

// FiledExploration is the exploration that a record holds; nil when it is the record of a run.
func FiledExploration(rec *engine.Record) *Exploration {
	if rec.Exploration == nil {
		return nil
	}
	x := NewExploration(rec.Opened.Project, rec.Plan, rec.Exploration)
	x.Run, x.By, x.At = rec.Opened.Run, rec.Opened.Operator, rec.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC")
	x.Tool = strings.TrimSpace("continuo " + rec.Opened.Tool.Version)
	return x
}

// JSON writes the exploration as a document of schema continuo/exploration/v1.
func (x *Exploration) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Schema string `json:"schema"`
		*Exploration
	}{"continuo/exploration/v1", x})
}

// The kinds of faults in the order of the matrix's columns, and their headings. Kinds that no case has are left out.
func faultColumns() []string {
	return []string{"exit", "timeout", "expectation", "unreachable", "auth", "host-key", "lost-connection", "disk-full", "become", "program",
		"reboot", "rejected", "expired", "wrong-approver", "crash"}
}

// MatrixRow is an item on a class of hosts.
type MatrixRow struct {
	Item  runbooks.ItemID
	Host  string
	Alike int
	Cells []MatrixCell
}

// MatrixCell counts where the cases of one kind of fault ended.
type MatrixCell struct {
	Kind              string
	Safe, Held, Found int
}

// Tone is the worst end in the cell; empty: there was no such case.
func (c MatrixCell) Tone() string {
	switch {
	case c.Found > 0:
		return "finding"
	case c.Held > 0:
		return "held"
	case c.Safe > 0:
		return "safe"
	}
	return ""
}

// Text says what is in the cell, so that colour is never the only sign.
func (c MatrixCell) Text() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{c.Found, "finding"}, {c.Held, "held"}, {c.Safe, "safe"}} {
		switch {
		case p.n == 1:
			parts = append(parts, p.word)
		case p.n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.word))
		}
	}
	return strings.Join(parts, ", ")
}

// Columns are the kinds of faults that cases have.
func (x *Exploration) Columns() []string {
	var out []string
	for _, kind := range faultColumns() {
		if slices.ContainsFunc(x.Matrix, func(c engine.ExploredCase) bool { return c.Kind == kind }) {
			out = append(out, kind)
		}
	}
	for _, c := range x.Matrix {
		if !slices.Contains(out, c.Kind) {
			out = append(out, c.Kind)
		}
	}
	return out
}

// Rows are the items and classes of hosts, with what became of each kind of fault. What is about an item as a whole stands
// with its first class of hosts.
func (x *Exploration) Rows() []MatrixRow {
	columns := x.Columns()
	var out []MatrixRow
	at := func(c engine.ExploredCase) int {
		n := slices.IndexFunc(out, func(r MatrixRow) bool {
			return r.Item == c.Item && (r.Host == c.Host || c.Host == "" || r.Host == "")
		})
		if n >= 0 {
			if out[n].Host == "" && c.Host != "" {
				out[n].Host, out[n].Alike = c.Host, c.Alike
			}
			return n
		}
		r := MatrixRow{Item: c.Item, Host: c.Host, Alike: c.Alike, Cells: make([]MatrixCell, len(columns))}
		for k, kind := range columns {
			r.Cells[k].Kind = kind
		}
		out = append(out, r)
		return len(out) - 1
	}
	for _, c := range x.Matrix {
		n := at(c)
		cell := &out[n].Cells[slices.Index(columns, c.Kind)]
		switch c.Ended {
		case engine.CaseFinding:
			cell.Found++
		case engine.CaseHeld:
			cell.Held++
		default:
			cell.Safe++
		}
	}
	return out
}

// HeldFor is what people have to decide where cases are held, and how many cases come to it.
type HeldFor struct {
	Why   string
	Cases int
	First engine.ExploredCase
}

// Decisions gathers the cases that are held by why they are, the most frequent first.
func (x *Exploration) Decisions() []HeldFor {
	var out []HeldFor
	for _, c := range x.Matrix {
		if c.Ended != engine.CaseHeld {
			continue
		}
		n := slices.IndexFunc(out, func(d HeldFor) bool { return d.Why == c.Why })
		if n < 0 {
			n = len(out)
			out = append(out, HeldFor{Why: c.Why, First: c})
		}
		out[n].Cases++
	}
	slices.SortStableFunc(out, func(a, b HeldFor) int { return b.Cases - a.Cases })
	return out
}

// Headline is the result in one sentence.
func (x *Exploration) Headline() string {
	if len(x.Findings) == 0 {
		return "no finding"
	}
	return plural(len(x.Findings), "finding")
}

// explorationPage is what the template sees.
type explorationPage struct {
	*Exploration
	Titles map[string]string
	Styles template.CSS
	Foot   template.CSS
}

// HTML writes the exploration as one file: no scripts, nothing loaded. titles names the codes of findings. The error is the
// writer's.
func (x *Exploration) HTML(w io.Writer, titles map[string]string) error {
	css, err := explorationFiles.ReadFile("exploration/exploration.css")
	if err != nil {
		return fmt.Errorf("render exploration: %w", err)
	}
	t, err := template.New("exploration.html.tmpl").Funcs(template.FuncMap{"vis": visible, "plural": plural}).ParseFS(explorationFiles, "exploration/*.tmpl")
	if err != nil {
		return fmt.Errorf("render exploration: %w", err)
	}
	page := explorationPage{Exploration: x, Titles: titles, Styles: template.CSS(css), //nolint:gosec // embedded
		Foot: pageRule(fmt.Sprintf("simulation, no host was contacted · %s · %s", x.Runbook, x.Headline()))}
	if err := t.Execute(w, page); err != nil {
		return fmt.Errorf("render exploration: %w", err)
	}
	return nil
}

// Markdown writes the exploration as Markdown. The error is the writer's.
func (x *Exploration) Markdown(w io.Writer, titles map[string]string) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# Simulation: every way in which %s can fail\n", md(x.Runbook))
	p("**No host was contacted. This is an exploration in simulation, not a drill.**\n")
	if x.Run != "" {
		p("Record %s of %s, by %s, with %s.\n", md(string(x.Run)), x.At, md(x.By), md(x.Tool))
	}
	p("%s: %d safe, %d held for a person, %d with a finding; **%s**.\n", plural(x.Cases, "case"), x.Safe, x.Held, x.Found, x.Headline())
	for _, f := range x.Findings {
		p("## %s: %s\n", f.Code, md(titles[f.Code]))
		p("%s (%s). The shortest story: %s of %s%s.\n", md(f.Why), plural(f.Cases, "case"), f.Fault, f.Item, onHost(f.Host))
		for n, line := range f.Story {
			p("%d. %s", n+1, md(line))
		}
		p("")
	}
	p("## Matrix\n")
	columns := x.Columns()
	p("| item | %s |", strings.Join(columns, " | "))
	p("|---|%s", strings.Repeat("---|", len(columns)))
	for _, r := range x.Rows() {
		cells := make([]string, len(r.Cells))
		for n, c := range r.Cells {
			cells[n] = c.Text()
		}
		p("| %s%s | %s |", md(string(r.Item)), md(onHosts(r)), strings.Join(cells, " | "))
	}
	if len(x.Skipped) > 0 {
		p("\n## Not explored\n")
		for _, s := range x.Skipped {
			p("- %s", md(s))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func onHost(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}

func onHosts(r MatrixRow) string {
	if r.Alike > 1 {
		return fmt.Sprintf(" on %s and %d alike", r.Host, r.Alike-1)
	}
	return onHost(r.Host)
}

// On says on which hosts the row is.
func (r MatrixRow) On() string { return strings.TrimPrefix(onHosts(r), " on ") }
