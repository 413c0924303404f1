// Package simtransport is a world for tests of runbooks and of the engine: hosts that answer as a script says, people who
// do what it says, a journal and artifacts in memory. Nothing connects; delays are real timers, so that a caller inside
// testing/synctest or a simulated clock decides how long they take.
//
// What was not scripted succeeds with empty output. Answers come in sequence; the last one repeats.
package simtransport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Answer is what a simulated host says to one call.
type Answer struct {
	Stdout, Stderr string
	ExitCode       int
	Signal         string
	// Delay is how long it takes. A command that takes longer than its timeout is killed then: by TERM, or by Signal.
	Delay time.Duration
	// Unkillable: the kill of a timeout is not confirmed. Survivors are what it left running: it is not confirmed then.
	Unkillable bool
	Survivors  []string
	// State answers a TCP probe; empty: open. Status answers an HTTP request; 0: 200.
	State  engine.TCPState
	Status int
	// Err is returned instead of a status, after the delay. Prepare makes it the answer of Launcher.Prepare.
	Err     error
	Prepare bool
	// Background: something that it started holds its output when it has ended.
	Background bool
	// Reattached is how often the connection was lost and taken up again while it ran.
	Reattached int
}

// Call is one thing that a simulated host was asked.
type Call struct {
	engine.Place
	// What is observe, prepare, start, tcp, http or preflight.
	What    string
	On      string // host; empty: the control host
	Command engine.Command
	Attempt engine.AttemptID
	Address string
}

// Transport answers as scripted. It is an engine.Prober, engine.Launcher and engine.HTTPProber. Safe for concurrent use.
type Transport struct {
	mu       sync.Mutex
	answers  map[target][]Answer
	turn     map[target]int
	flights  map[string]engine.PreflightResult
	calls    []Call
	releases map[engine.AttemptID]int
	closed   bool
	links    links
	launched func(Call)
	attempts map[engine.AttemptID]*attempt
	dead     bool // the controller
	latency  func(Call) time.Duration
}

var (
	_ engine.Prober     = (*Transport)(nil)
	_ engine.Launcher   = (*Transport)(nil)
	_ engine.HTTPProber = (*Transport)(nil)
)

// target is a command of an item on a host; an empty host is any.
type target struct {
	item runbooks.ItemID
	part engine.PartName
	key  string
	host string
}

// New is a world in which everything succeeds with empty output.
func New() *Transport {
	return &Transport{
		answers: map[target][]Answer{}, turn: map[target]int{}, flights: map[string]engine.PreflightResult{},
		releases: map[engine.AttemptID]int{}, attempts: map[engine.AttemptID]*attempt{},
	}
}

// On scripts what the command of an item (or, with a part, its verify, unless or rollback) answers on every host. Each host
// goes through the sequence by itself.
func (t *Transport) On(item runbooks.ItemID, part engine.PartName, answers ...Answer) {
	t.OnHost(item, part, "", answers...)
}

// OnHost scripts an answer on one host; it comes before one of On.
func (t *Transport) OnHost(item runbooks.ItemID, part engine.PartName, host string, answers ...Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[target{item: item, part: part, host: host}] = answers
}

// OnKey scripts an answer for one element of a for_each, on one host or (empty) on every host; it comes before those for all
// elements.
func (t *Transport) OnKey(item runbooks.ItemID, part engine.PartName, key, host string, answers ...Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[target{item: item, part: part, key: key, host: host}] = answers
}

// OnLaunch has f called with every launch before it is answered: what its command reads can be read then. It is set before
// the transport is used; calls may come at the same time.
func (t *Transport) OnLaunch(f func(Call)) { t.launched = f }

// Latency is how long each call takes before its host hears of it; what f is given is the call as Calls tells it, without its
// command. With a latency that is another for every call nothing happens in the same instant, so that one order is the only
// one. It is set before the transport is used; calls may come at the same time.
func (t *Transport) Latency(f func(Call) time.Duration) { t.latency = f }

// travel waits until the host hears of a call, or the context ends.
func (t *Transport) travel(ctx context.Context, what string, h *runbooks.Host) {
	if t.latency != nil {
		_ = sleep(ctx, t.latency(Call{Place: engine.PlaceOf(ctx), What: what, On: name(h)})) // who is called sees that it has ended
	}
}

// OnPreflight scripts what the preflight of a host finds.
func (t *Transport) OnPreflight(host string, res engine.PreflightResult) {
	t.mu.Lock()
	defer t.mu.Unlock()
	res.Host = host
	t.flights[host] = res
}

// Calls are all calls so far, in order.
func (t *Transport) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Call(nil), t.calls...)
}

// Released is how often the release of an attempt was called.
func (t *Transport) Released(id engine.AttemptID) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.releases[id]
}

// Closed reports whether Close was called.
func (t *Transport) Closed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// Close implements engine.Prober.
func (t *Transport) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return nil
}

// Preflight implements engine.Prober: all is well unless OnPreflight says otherwise.
func (t *Transport) Preflight(ctx context.Context, h *runbooks.Host, _ engine.PreflightRequest) (engine.PreflightResult, error) {
	t.note(ctx, Call{What: "preflight", On: name(h)})
	t.mu.Lock()
	res, ok := t.flights[name(h)]
	t.mu.Unlock()
	if ok {
		return res, ctx.Err()
	}
	t.links.reach(h)
	return engine.PreflightResult{Host: name(h), OK: true, Checks: []engine.PreflightCheck{{Name: "reach", OK: true}}}, ctx.Err()
}

// Observe implements engine.Prober.
func (t *Transport) Observe(ctx context.Context, h *runbooks.Host, o engine.Observation, sink engine.OutputSink) (engine.ExitStatus, error) {
	t.travel(ctx, "observe", h)
	if err := t.gone(); err != nil {
		return engine.ExitStatus{}, err
	}
	t.note(ctx, Call{What: "observe", On: name(h), Command: o.Command()})
	a := t.next(ctx, h, false)
	if !away(a.Err) {
		t.links.reach(h)
	}
	st, err := play(ctx, a, o.Command().Timeout, sink)
	if errors.Is(err, engine.ErrUnreachable) {
		t.links.drop(h)
	}
	return st, err
}

// ProbeTCP implements engine.Prober.
func (t *Transport) ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (engine.TCPState, error) {
	t.travel(ctx, "tcp", h)
	if err := t.gone(); err != nil {
		return "", err
	}
	t.note(ctx, Call{What: "tcp", On: name(h), Address: address})
	a := t.next(ctx, h, false)
	if !away(a.Err) {
		t.links.reach(h)
	}
	if err := sleep(ctx, a.Delay); err != nil {
		return "", err
	}
	if a.State == "" && a.Err == nil {
		return engine.TCPOpen, nil
	}
	return a.State, a.Err
}

// ProbeHTTP implements engine.HTTPProber.
func (t *Transport) ProbeHTTP(ctx context.Context, q engine.HTTPRequest, body io.Writer) (engine.HTTPResponse, error) {
	t.travel(ctx, "http", nil)
	if err := t.gone(); err != nil {
		return engine.HTTPResponse{}, err
	}
	t.note(ctx, Call{What: "http", Address: q.URL})
	a := t.next(ctx, nil, false)
	if err := sleep(ctx, a.Delay); err != nil {
		return engine.HTTPResponse{}, err
	}
	if a.Err != nil {
		return engine.HTTPResponse{}, a.Err
	}
	if _, err := io.WriteString(body, a.Stdout); err != nil {
		return engine.HTTPResponse{}, fmt.Errorf("body of %s: %w", q.URL, err)
	}
	if a.Status == 0 {
		a.Status = 200
	}
	return engine.HTTPResponse{Status: a.Status}, nil
}

// Prepare implements engine.Launcher.
func (t *Transport) Prepare(ctx context.Context, h *runbooks.Host, _ string) (engine.Prepared, error) {
	t.travel(ctx, "prepare", h)
	if err := t.gone(); err != nil {
		return engine.Prepared{}, err
	}
	t.note(ctx, Call{What: "prepare", On: name(h)})
	a := t.next(ctx, h, true)
	if !a.Prepare || !away(a.Err) {
		t.links.reach(h)
	}
	if a.Prepare {
		return engine.Prepared{}, a.Err
	}
	return engine.Prepared{Transport: "simulated"}, ctx.Err()
}

// Start implements engine.Launcher.
func (t *Transport) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	t.travel(ctx, "start", h)
	if err := t.gone(); err != nil {
		return engine.ExitStatus{}, t.release(a.ID), err
	}
	if err := context.Cause(ctx); err != nil {
		return engine.ExitStatus{}, t.release(a.ID), stopped(err)
	}
	c := Call{Place: engine.PlaceOf(ctx), What: "start", On: name(h), Command: a.Command, Attempt: a.ID}
	t.note(ctx, c)
	if t.launched != nil {
		t.launched(c)
	}
	says := t.next(ctx, h, false)
	if h != nil && h.Connection.Plain {
		says = says.plain()
	}
	t.links.follow(h, says)
	if err := t.claim(a, says); err != nil {
		return engine.ExitStatus{}, t.release(a.ID), err
	}
	st, err := t.living(ctx, says, a.Command.Timeout, sink)
	return st, t.release(a.ID), err
}

// stopped is the error of a launch that is not made, because its context has ended.
func stopped(cause error) error {
	if errors.Is(cause, engine.ErrLeft) {
		return cause
	}
	return &engine.HostError{Kind: "stopped", Err: fmt.Errorf("%w: simulated: stopped before anything was launched", engine.ErrUnreachable)}
}

func (t *Transport) release(id engine.AttemptID) engine.Release {
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.releases[id]++
	}
}

func (t *Transport) note(ctx context.Context, c Call) {
	c.Place = engine.PlaceOf(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, c)
}

// next is the answer whose turn it is. peek leaves the turn where it is, unless the answer is one of Prepare.
func (t *Transport) next(ctx context.Context, h *runbooks.Host, peek bool) Answer {
	p := engine.PlaceOf(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	key := target{item: p.Item, part: p.Part, key: p.Key, host: name(h)}
	var list []Answer
	for _, k := range []target{key, {item: p.Item, part: p.Part, key: p.Key}, {item: p.Item, part: p.Part, host: key.host}, {item: p.Item, part: p.Part}} {
		if as, ok := t.answers[k]; ok {
			list = as
			break
		}
	}
	if len(list) == 0 {
		return Answer{}
	}
	n := min(t.turn[key], len(list)-1)
	if !peek || list[n].Prepare {
		t.turn[key]++
	}
	return list[n]
}

// play lets an answer take its time, its timeout and its kill.
func play(ctx context.Context, a Answer, timeout time.Duration, sink engine.OutputSink) (engine.ExitStatus, error) {
	delay, late := a.Delay, false
	if timeout > 0 && delay > timeout {
		delay, late = timeout, true
	}
	err := sleep(ctx, delay)
	if late && errors.Is(err, context.DeadlineExceeded) { // the caller's own bound, at the same instant
		err = nil
	}
	for _, s := range []struct {
		to   io.Writer
		text string
	}{{sink.Stdout, a.Stdout}, {sink.Stderr, a.Stderr}} {
		if s.to != nil && s.text != "" && err == nil {
			_, _ = io.WriteString(s.to, s.text)
		}
	}
	switch {
	case errors.Is(err, engine.ErrLeft):
		return engine.ExitStatus{}, err
	case err != nil:
		return a.killed(false), nil //nolint:nilerr // the context's end kills: that is how it ends
	case late:
		return a.killed(true), nil
	case a.Err != nil:
		return engine.ExitStatus{}, a.Err
	}
	st := engine.ExitStatus{Code: a.ExitCode, Signal: a.Signal, Reattached: a.Reattached, BackgroundOpen: a.Background}
	if st.Signal != "" {
		st.Code = 128 + engine.SignalNumber(st.Signal)
	}
	return st, nil
}

// killed is how it ends when it is killed.
func (a Answer) killed(late bool) engine.ExitStatus {
	st := engine.ExitStatus{Signal: "TERM", TimedOut: late, KillConfirmed: !a.Unkillable && len(a.Survivors) == 0, Survivors: a.Survivors}
	if a.Signal != "" {
		st.Signal = a.Signal
	}
	st.Code = 128 + engine.SignalNumber(st.Signal)
	return st
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func name(h *runbooks.Host) string {
	if h == nil {
		return ""
	}
	return h.Name
}
