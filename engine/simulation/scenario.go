package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// place is what an `on` or a fault is about: a part of an item, on one host or on any.
type place struct {
	item runbooks.ItemID
	part engine.PartName
	host string
	key  string // of an element of for_each; empty: of all
}

// scenario is what the world of a test is made of, before it becomes a transport: a fault changes the answers that the
// test gives.
type scenario struct {
	answers map[place][]simtransport.Answer
	manuals map[runbooks.ItemID][]simtransport.ManualAnswer
	gates   map[runbooks.ItemID][]simtransport.GateWord
	choices map[runbooks.ItemID][]simtransport.Choice
	typed   map[runbooks.ItemID]engine.ConfirmAnswer
	// backs are what people say who are asked to undo a manual item; it comes after manuals.
	backs    map[runbooks.ItemID][]simtransport.ManualAnswer
	operator string // who types what must be typed
	crash    *Crash // nil: continuo lives
	order    []place
}

func newScenario() *scenario {
	return &scenario{
		answers: map[place][]simtransport.Answer{}, manuals: map[runbooks.ItemID][]simtransport.ManualAnswer{},
		gates: map[runbooks.ItemID][]simtransport.GateWord{}, choices: map[runbooks.ItemID][]simtransport.Choice{},
		typed: map[runbooks.ItemID]engine.ConfirmAnswer{}, backs: map[runbooks.ItemID][]simtransport.ManualAnswer{},
		operator: DefaultOperator,
	}
}

func (s *scenario) set(p place, as []simtransport.Answer) {
	if _, ok := s.answers[p]; !ok {
		s.order = append(s.order, p)
	}
	s.answers[p] = as
}

// answersFor are the answers that a unit would get: those for its host, else those for any.
func (s *scenario) answersFor(p place) []simtransport.Answer {
	for _, q := range []place{p, {item: p.item, part: p.part, key: p.key}, {item: p.item, part: p.part, host: p.host}} {
		if as, ok := s.answers[q]; ok {
			return as
		}
	}
	return s.answers[place{item: p.item, part: p.part}]
}

// answered reports whether anything is scripted for an item's part.
func (s *scenario) answered(item runbooks.ItemID, part engine.PartName) bool {
	return slices.ContainsFunc(s.order, func(p place) bool { return p.item == item && p.part == part })
}

func (s *scenario) clone() *scenario {
	out := newScenario()
	for _, p := range s.order {
		out.set(p, slices.Clone(s.answers[p]))
	}
	maps.Copy(out.manuals, s.manuals)
	maps.Copy(out.gates, s.gates)
	maps.Copy(out.choices, s.choices)
	maps.Copy(out.typed, s.typed)
	maps.Copy(out.backs, s.backs)
	out.operator = s.operator
	return out
}

// world makes the hosts and people of one run: their sequences begin anew.
func (s *scenario) world() (*simtransport.Transport, *simtransport.People) {
	hosts, people := simtransport.New(), &simtransport.People{}
	for _, p := range s.order {
		hosts.OnKey(p.item, p.part, p.key, p.host, s.answers[p]...)
	}
	for item, as := range s.manuals {
		people.OnManual(item, slices.Clone(as)...)
	}
	for item, as := range s.backs {
		people.OnUndo(item, slices.Clone(as)...)
	}
	for item, ws := range s.gates {
		people.OnGate(item, slices.Clone(ws)...)
	}
	for item, cs := range s.choices {
		people.OnDecision(item, slices.Clone(cs)...)
	}
	people.Typist(s.operator)
	for item, a := range s.typed {
		people.OnConfirm(item, a)
	}
	return hosts, people
}

// errScript is wrapped by errors about an `on` or a `fault` that cannot be played.
var errScript = errors.New("cannot be simulated")

// itemAt is the item of that id, also through calls (call.db.step.promote); nil without one.
func itemAt(p *runbooks.Project, rb *runbooks.Runbook, id runbooks.ItemID) *runbooks.Item {
	if i := rb.Item(id); i != nil {
		return i
	}
	call, name, ok := strings.Cut(string(id), ".")
	if !ok || call != string(runbooks.Call) {
		return nil
	}
	name, rest, ok := strings.Cut(name, ".")
	i := rb.Item(runbooks.ItemID(call + "." + name))
	if !ok || i == nil || p.Runbook(i.Runbook) == nil {
		return nil
	}
	return itemAt(p, p.Runbook(i.Runbook), runbooks.ItemID(rest))
}

// target reads "step.promote.verify" as an item and its part.
func target(p *runbooks.Project, rb *runbooks.Runbook, text string) (*runbooks.Item, place, error) {
	for _, part := range []engine.PartName{engine.PartVerify, engine.PartUnless, engine.PartRollback, engine.PartSource, engine.PartWitness} {
		if id, ok := strings.CutSuffix(text, "."+string(part)); ok {
			if i := itemAt(p, rb, runbooks.ItemID(id)); i != nil {
				return i, place{item: runbooks.ItemID(id), part: part}, nil
			}
		}
	}
	if i := itemAt(p, rb, runbooks.ItemID(text)); i != nil {
		return i, place{item: runbooks.ItemID(text), part: engine.PartCommand}, nil
	}
	var known []string
	for _, i := range rb.AllItems() {
		known = append(known, string(i.ID()))
	}
	if near := diag.Suggest(text, known); near != "" {
		return nil, place{}, fmt.Errorf("%w: runbook %s has no item %q; did you mean %s?", errScript, rb.Name, text, near)
	}
	return nil, place{}, fmt.Errorf("%w: runbook %s has no item %q", errScript, rb.Name, text)
}

// script reads the `on` blocks of a test.
func script(p *runbooks.Project, rb *runbooks.Runbook, t *runbooks.Test, names *expr.Scope) (*scenario, error) {
	s := newScenario()
	if t.Operator != "" {
		s.operator = t.Operator
	}
	for _, a := range t.Answers {
		if err := s.on(p, rb, a, names); err != nil {
			return nil, placed(a.Range, err)
		}
	}
	return s, nil
}

// on takes one `on` block.
func (s *scenario) on(p *runbooks.Project, rb *runbooks.Runbook, a runbooks.Answer, names *expr.Scope) error {
	i, at, err := target(p, rb, a.Target)
	if err != nil {
		return err
	}
	vals, err := values(a.Attrs, names)
	if err != nil {
		return err
	}
	if i.Kind.Effect() == runbooks.Human && (at.part == engine.PartCommand || at.part == engine.PartRollback) {
		return s.person(at, i, vals)
	}
	if at.host, err = vals.host(p); err != nil {
		return err
	}
	if at.key, err = vals.word("key"); err != nil {
		return err
	}
	if typed := vals.at("typed", 0); !typed.Absent() {
		text, err := typed.Text()
		if err != nil {
			return fmt.Errorf("typed: %w", err)
		}
		s.typed[at.item] = engine.ConfirmAnswer{By: s.operator, Typed: text}
	}
	answers, err := sequence(vals, timeoutOf(i))
	if err != nil {
		return err
	}
	s.set(at, answers)
	return nil
}

// placeError is an error about a place in a test file.
type placeError struct {
	place diag.Range
	err   error
}

// Error begins with the place.
func (e *placeError) Error() string { return fmt.Sprintf("%s: %v", e.place, e.err) }

// Unwrap gives the error itself.
func (e *placeError) Unwrap() error { return e.err }

func placed(r diag.Range, err error) error { return &placeError{place: r, err: err} }

// attrs are the evaluated attributes of a block, each a list of successive values.
type attrs map[string][]expr.Value

func values(in map[string]*expr.Expr, names *expr.Scope) (attrs, error) {
	out := attrs{}
	for name, e := range in {
		v, ds := e.Eval(names)
		if err := ds.Err(); err != nil {
			return nil, err
		}
		out[name] = []expr.Value{v}
		if v.IsSequence() {
			es, err := v.Elements()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = nil
			for _, k := range es {
				out[name] = append(out[name], k.Value)
			}
		}
	}
	return out, nil
}

// at is the n-th value of a name; the last repeats. Absent without one.
func (a attrs) at(name string, n int) expr.Value {
	vs := a[name]
	if len(vs) == 0 {
		return expr.Value{}
	}
	return vs[min(n, len(vs)-1)]
}

func (a attrs) text(name string, n int) (string, error) {
	v := a.at(name, n)
	if v.Absent() {
		return "", nil
	}
	s, err := v.Text()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (a attrs) word(name string) (string, error) { return a.text(name, 0) }

// host is the only host that something is about; empty: any.
func (a attrs) host(p *runbooks.Project) (string, error) {
	host, err := a.word("host")
	if err == nil && host != "" && host != runbooks.ControlName && p.Host(host) == nil {
		err = fmt.Errorf("%w: there is no host %q", errScript, host)
	}
	return host, err
}

func (a attrs) whole(name string, n int) (int, error) {
	v := a.at(name, n)
	if v.Absent() {
		return 0, nil
	}
	i, err := v.Whole()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return int(i), nil
}

func (a attrs) truth(name string) (bool, error) {
	v := a.at(name, 0)
	if v.Absent() {
		return false, nil
	}
	b, err := v.Truth()
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// sequence makes the successive answers of a host.
func sequence(a attrs, timeout time.Duration) ([]simtransport.Answer, error) {
	n := 1
	for name, vs := range a {
		if name != "host" {
			n = max(n, len(vs))
		}
	}
	out := make([]simtransport.Answer, n)
	for i := range out {
		var err error
		if out[i], err = one(a, i, timeout); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func one(a attrs, n int, timeout time.Duration) (simtransport.Answer, error) {
	var out simtransport.Answer
	outcome, err := a.text("outcome", n)
	if err != nil {
		return out, err
	}
	if outcome != "" {
		if out, err = ofOutcome(engine.Outcome(outcome), timeout); err != nil {
			return out, err
		}
	}
	texts := map[string]*string{"stdout": &out.Stdout, "stderr": &out.Stderr, "signal": &out.Signal}
	for name, to := range texts {
		if *to, err = a.text(name, n); err != nil {
			return out, err
		}
	}
	state, err := a.text("state", n)
	if err != nil {
		return out, err
	}
	switch out.State = engine.TCPState(state); out.State {
	case "", engine.TCPOpen, engine.TCPRefused, engine.TCPNoAnswer:
	case "closed":
		out.State = engine.TCPRefused
	default:
		return out, fmt.Errorf("state: %q is none of open, refused, no-answer, closed", state)
	}
	if out.Status, err = a.whole("status", n); err != nil {
		return out, err
	}
	if code := a.at("exit_code", n); !code.Absent() {
		if out.ExitCode, err = a.whole("exit_code", n); err != nil {
			return out, err
		}
	}
	if left, err := a.text("survivors", n); err != nil {
		return out, err
	} else if left != "" {
		out.Survivors = strings.Fields(left)
	}
	if delay, err := a.text("delay", n); err != nil {
		return out, err
	} else if delay != "" {
		if out.Delay, err = time.ParseDuration(delay); err != nil {
			return out, fmt.Errorf("delay: %w", err)
		}
	}
	return out, nil
}

// outcomeLost is an outcome that is unknown although the attempt was seen dead: verify may settle it. As a word of `on` only.
const outcomeLost engine.Outcome = "lost"

// ofOutcome is the answer that makes an attempt end so.
func ofOutcome(o engine.Outcome, timeout time.Duration) (simtransport.Answer, error) {
	switch o {
	case engine.Succeeded:
		return simtransport.Answer{}, nil
	case engine.Failed:
		return simtransport.Answer{ExitCode: 1}, nil
	case engine.TimedOut:
		return simtransport.Answer{Delay: timeout + time.Second}, nil
	case engine.Unreachable:
		return away("dial", engine.ErrUnreachable, "simulated: no answer"), nil
	case engine.Unknown:
		return simtransport.Answer{Err: hostError("lost-connection", engine.ErrOutcomeUnknown, "simulated: the connection was lost")}, nil
	case outcomeLost:
		return simtransport.Answer{Err: hostError("lost", engine.ErrLost, "simulated: it had started, and its result is lost")}, nil
	case engine.NeverStarted:
		return simtransport.Answer{Err: hostError("never-started", engine.ErrNeverStarted, "simulated: fenced")}, nil
	default: // not how an attempt ends
		return simtransport.Answer{}, fmt.Errorf("%w: outcome %q", errScript, o)
	}
}

func hostError(kind string, sentinel error, why string) *engine.HostError {
	return &engine.HostError{Kind: kind, Err: fmt.Errorf("%w: %s", sentinel, why)}
}

// away is a host that is not reached, before anything is launched.
func away(kind string, sentinel error, why string) simtransport.Answer {
	return simtransport.Answer{Err: hostError(kind, sentinel, why), Prepare: true}
}

func timeoutOf(i *runbooks.Item) time.Duration {
	if i.Timeout > 0 {
		return i.Timeout
	}
	return runbooks.DefaultTimeout
}

// testScope is what the attributes of `on` and `fault` may refer to: variables, hosts, locals.
func testScope(p *runbooks.Project, rb *runbooks.Runbook, vars map[string]expr.Value) (*expr.Scope, error) {
	names, ds := scope.Base(scope.Inputs{Project: p, Runbook: rb, Variables: vars})
	return names, ds.Err()
}
