package engine

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// ExplorationResult is what became of a runbook when everything in it was made to go wrong, one thing at a time, in
// simulation. Such a record has no items that ran: no host was contacted, and nothing of it is a drill.
type ExplorationResult struct {
	// Baseline names the test whose answers the sound run had; empty: empty answers.
	Baseline string `json:"baseline,omitempty"`
	// Safe, Held and Found count where the cases ended.
	Safe  int `json:"safe"`
	Held  int `json:"held"`
	Found int `json:"found"`
	// Cases and Findings are one JSON object each: ExploredCase and ExploredFinding. As lists of texts they may be longer
	// than a line of a journal.
	Cases    []string `json:"cases"`
	Findings []string `json:"findings,omitempty"`
	// Skipped says what was not explored, and why.
	Skipped []string `json:"skipped,omitempty"`
}

// EventType implements Payload.
func (*ExplorationResult) EventType() string { return "exploration.result" }

// Durable implements Payload.
func (*ExplorationResult) Durable() bool { return true }

// The words for where a case of an exploration ended.
const (
	CaseSafe    = "safe"
	CaseHeld    = "held"
	CaseFinding = "finding"
)

// ExploredCase is one case of an exploration.
type ExploredCase struct {
	Item runbooks.ItemID `json:"item"` // "run": about the run as a whole
	Host string          `json:"host,omitempty"`
	// Alike is how many hosts this one stands for, itself included.
	Alike int      `json:"alike,omitempty"`
	Kind  string   `json:"kind"`           // exit, timeout, …, crash
	Fault string   `json:"fault"`          // in words
	With  string   `json:"with,omitempty"` // the second fault of a pair
	Ended string   `json:"ended"`          // safe, held, finding
	Codes []string `json:"codes,omitempty"`
	Why   string   `json:"why"`
}

// ExploredFinding is a hole that an exploration found, with the shortest story that leads to it.
type ExploredFinding struct {
	Code  string          `json:"code"`
	Item  runbooks.ItemID `json:"item"`
	Host  string          `json:"host,omitempty"`
	Fault string          `json:"fault"`
	Ended string          `json:"ended"`
	Why   string          `json:"why"`
	Cases int             `json:"cases"` // in how many it shows
	Story []string        `json:"story,omitempty"`
}

// Explored is an ExplorationResult with its cases and findings read.
type Explored struct {
	ExplorationResult
	Cases    []ExploredCase
	Findings []ExploredFinding
}

// NewExplorationResult writes cases and findings as they are recorded.
func NewExplorationResult(x Explored) (*ExplorationResult, error) {
	out := x.ExplorationResult
	out.Cases, out.Findings = nil, nil
	for _, c := range x.Cases {
		b, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("record a case: %w", err)
		}
		out.Cases = append(out.Cases, string(b))
	}
	for _, f := range x.Findings {
		b, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("record a finding: %w", err)
		}
		out.Findings = append(out.Findings, string(b))
	}
	return &out, nil
}

// Read reads the cases and findings, and compares the counts with them.
func (r *ExplorationResult) Read() (*Explored, error) {
	x := &Explored{ExplorationResult: *r}
	count := map[string]int{}
	for n, text := range r.Cases {
		var c ExploredCase
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, fmt.Errorf("case %d: %w", n+1, err)
		}
		x.Cases = append(x.Cases, c)
		count[c.Ended]++
	}
	for n, text := range r.Findings {
		var f ExploredFinding
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return nil, fmt.Errorf("finding %d: %w", n+1, err)
		}
		x.Findings = append(x.Findings, f)
	}
	if count[CaseSafe] != r.Safe || count[CaseHeld] != r.Held || count[CaseFinding] != r.Found || r.Safe+r.Held+r.Found != len(r.Cases) {
		return nil, fmt.Errorf("the counts of %d cases do not add up", len(r.Cases))
	}
	if (r.Found > 0) != (len(r.Findings) > 0) {
		return nil, fmt.Errorf("%d cases show a hole, and %d findings are listed", r.Found, len(r.Findings))
	}
	return x, nil
}

// explored takes the result of an exploration. There is one at most, and only in a simulation in which nothing ran.
func (f *Folder) explored(p *ExplorationResult) error {
	switch {
	case f.rec.Mode != Simulate:
		return fmt.Errorf("an exploration in a run of mode %s", f.rec.Mode)
	case f.rec.Exploration != nil:
		return errors.New("a second exploration")
	case len(f.units) > 0:
		return errors.New("an exploration in a run whose items ran")
	}
	x, err := p.Read()
	if err != nil {
		return err
	}
	f.rec.Exploration = x
	return nil
}

// exploredVerdict is that of an exploration: no hole was found, or some were. It passes nothing but the exploration.
func exploredVerdict(x *Explored) (Verdict, string) {
	if n := len(x.Findings); n > 0 {
		return VerdictFailed, fmt.Sprintf("exploration: %s in %s", plural(n, "finding"), plural(len(x.Cases), "simulated case"))
	}
	return Passed, fmt.Sprintf("exploration: no finding in %s; no host was contacted", plural(len(x.Cases), "simulated case"))
}
