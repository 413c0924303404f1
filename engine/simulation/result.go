package simulation

import (
	"github.com/continuo-runbooks/continuo/engine"
)

// Explored is the exploration as it is reported and recorded.
func (e *Exploration) Explored() *engine.Explored {
	out := &engine.Explored{ExplorationResult: engine.ExplorationResult{
		Baseline: e.Baseline, Safe: e.Safe, Held: e.Held, Found: e.Found, Skipped: e.Skipped,
	}}
	for _, c := range e.Cases {
		out.Cases = append(out.Cases, engine.ExploredCase{
			Item: c.Item, Host: c.Host, Alike: c.Alike, Kind: string(c.Kind), Fault: c.Fault, With: c.With, Ended: string(c.End),
			Codes: c.Codes(), Why: c.Why,
		})
	}
	for _, f := range e.Findings {
		out.Findings = append(out.Findings, engine.ExploredFinding{
			Code: f.Code, Item: f.Item, Host: f.Case.Host, Fault: f.Case.Fault, Ended: string(f.Case.End), Why: f.Why, Cases: f.Cases,
			Story: f.Case.Story,
		})
	}
	return out
}
