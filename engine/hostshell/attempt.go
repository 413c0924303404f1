package hostshell

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// The words for Prepared.Transport and ItemIntent.Transport.
const (
	Durable = "durable"
	Plain   = "plain"
)

var (
	errNoIncarnation  = errors.New("the attempt names no incarnation")
	errBadIncarnation = errors.New("the incarnation is not one that a host says")
)

// noRelease is for attempts that left nothing on the host.
func noRelease() {}

// Start launches the attempt and returns when it has ended: see engine.Launcher.
func (h *Host) Start(ctx context.Context, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	if a.Incarnation == nil {
		return h.startPlain(ctx, a.Command, sink)
	}
	f, err := h.following(a, sink)
	if err != nil {
		return engine.ExitStatus{}, noRelease, err
	}
	if err := ctx.Err(); err != nil {
		return engine.ExitStatus{}, noRelease, h.fail("stopped", engine.ErrUnreachable, "", "stopped before anything was launched")
	}
	end := f.launch(ctx)
	if end.open() && !left(ctx) {
		end = f.settle(ctx, true)
	}
	return f.ended(ctx, end)
}

// Collect finds out what became of an attempt: see engine.Launcher.
func (h *Host) Collect(ctx context.Context, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	if a.Incarnation == nil {
		return h.collectPlain()
	}
	f, err := h.following(a, sink)
	if err != nil {
		return engine.ExitStatus{}, noRelease, err
	}
	return f.ended(ctx, f.settle(ctx, false))
}

// left reports whether ctx has ended because the controller leaves the run: what runs on the host is to run on.
func left(ctx context.Context) bool { return errors.Is(context.Cause(ctx), engine.ErrLeft) }

// ended is the result of an attempt, or, when the controller left before it was known, only that.
func (f *follower) ended(ctx context.Context, v verdict) (engine.ExitStatus, engine.Release, error) {
	known := v.state == "done" || v.state == "never" || v.state == "refused" || v.state == "data" && v.whole
	if left(ctx) && !known && !v.unsent {
		return engine.ExitStatus{Reattached: f.reattached}, noRelease, f.h.fail("left", engine.ErrLeft, "", "left while it may run")
	}
	return f.result(v)
}

// halt is what the end of the caller's context means: the command is killed, but not by a controller that leaves.
func (f *follower) halt(caller, working context.Context, giveUp context.CancelFunc) {
	if left(caller) {
		giveUp()
		return
	}
	f.kill(working, giveUp)
}

// follower is one attempt and how much of its output was delivered.
type follower struct {
	h       *Host
	a       engine.Attempt
	out     *offsetWriter
	err     *offsetWriter
	limits  Limits
	started time.Time
	// times the connection was lost and taken up again
	reattached int
}

// verdict is what an exchange said about an attempt. The zero verdict says nothing: the connection was lost, or worse.
type verdict struct {
	same   bool
	state  string   // done, data, never, running, lost, torn, unclaimed, refused; empty: no word
	fields []string // after the state
	whole  bool     // both streams were delivered to their end
	err    error    // a word of the connection's: nothing was sent, or the context ended
	final  bool     // this is the last word
	unsent bool     // err proves that no launch was sent
}

// open: the attempt may have started and it is not known how it ended.
func (v verdict) open() bool {
	switch v.state {
	case "done", "never", "refused":
		return false
	case "data":
		return !v.whole
	}
	return !v.final
}

func (h *Host) following(a engine.Attempt, sink engine.OutputSink) (*follower, error) {
	err := checkCommand(a.Command)
	if err == nil {
		err = checkIncarnation(a.Incarnation)
	}
	if err == nil && !hexID.MatchString(string(a.ID)) {
		err = errors.New("the attempt's id is not 32 hex digits")
	}
	if err != nil {
		return nil, h.fail("command", engine.ErrRefused, "", "%v", err)
	}
	return &follower{h: h, a: a, out: &offsetWriter{w: sink.Stdout}, err: &offsetWriter{w: sink.Stderr}, limits: h.Limits.withDefaults(),
		started: time.Now()}, nil
}

// launch sends the attempt and waits for its word. While it runs, its output is shown as it comes.
func (f *follower) launch(ctx context.Context) verdict {
	nonce := newNonce()
	inKept := f.h.keeps() && f.a.Command.Become == "" && !feeds(f.a.Command)
	l := launchText(nonce, f.a, int(f.limits.KillGrace/time.Second), f.h.Strict, inKept)
	live := f.showLive(ctx)
	defer live.stop()
	r := &reply{f: f, nonce: nonce, before: live.stop}
	t := talk{become: f.a.Command.Become, nonce: nonce, text: l.text, answer: r.take, stderr: io.Discard, quiet: true, late: true}
	if l.feed {
		input, err := openInput(f.a.Command)
		if err != nil {
			return verdict{err: f.h.fail("input", engine.ErrRefused, "", "%v", err), final: true, unsent: true}
		}
		defer closeInput(input)
		t.input = input
	}
	talking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.halt(ctx, talking, cancel) })
	defer stop()
	e, err := f.h.exchange(talking, t, inKept)
	var he *engine.HostError
	if errors.As(err, &he) { // nothing was sent
		return verdict{err: err, final: true, unsent: true}
	}
	v := r.verdict()
	v.whole = v.whole && e.Code == 0 && !e.Missing
	return v
}

// kill asks the runner to end the command, and gives up waiting for its end when the host does not follow.
func (f *follower) kill(ctx context.Context, giveUp context.CancelFunc) {
	timer := time.AfterFunc(3*f.limits.KillGrace+f.limits.BecomeTimeout, giveUp)
	context.AfterFunc(ctx, func() { timer.Stop() })
	for ctx.Err() == nil {
		v := f.ask(ctx, func(nonce string) string { return killText(nonce, f.a) })
		if v.state == "killing" || v.state == "done" {
			return
		}
		pause(ctx, f.limits.ReconnectDelay) // not claimed yet, or out of reach
	}
}

// ask has a short exchange about the attempt.
func (f *follower) ask(ctx context.Context, text func(nonce string) string) verdict {
	ctx, cancel := context.WithTimeout(ctx, f.limits.BecomeTimeout)
	defer cancel()
	nonce := newNonce()
	r := &reply{f: f, nonce: nonce}
	_, err := f.h.talk(ctx, talk{become: f.a.Command.Become, nonce: nonce, text: text(nonce), answer: r.take, stderr: io.Discard, quiet: true, apart: true})
	v := r.verdict()
	v.err = err
	return v
}

// tornGrace is how long a claim may be without its line before it counts as lost, and how long a command whose runner is
// gone may go on before that is the last word.
const tornGrace = 5 * time.Second

// settle fences the attempt, follows it to its end and takes its result, through lost connections. again: a connection
// was lost before.
func (f *follower) settle(ctx context.Context, again bool) verdict {
	deadline := time.Now().Add(f.limits.ReconnectFor)
	delay := f.limits.ReconnectDelay
	torn := time.Now().Add(tornGrace)
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { f.halt(ctx, working, cancel) })
	defer stop()
	for {
		v := f.attach(working)
		if v.state != "" && again {
			f.reattached++
			again = false
		}
		switch {
		case v.state == "running":
			deadline, delay = time.Now().Add(f.limits.ReconnectFor), f.limits.ReconnectDelay
			torn = time.Now().Add(tornGrace)
			again = v.err != nil || !v.whole
			continue
		case !v.open():
			return v
		case v.state == "data": // cut in the middle: the rest is asked for
			again = true
		case v.state == "torn" && time.Now().Before(torn): // its runner may be about to write the line
			pause(working, f.limits.ReconnectDelay)
			continue
		case v.state == "lost" && slices.Equal(v.fields, []string{"runs"}) && time.Now().Before(torn): // what killed its runner may be about to kill it
			pause(working, f.limits.ReconnectDelay)
			continue
		case v.state != "" && v.state != "unclaimed":
			v.final = true
			return v
		case v.state == "unclaimed" && !v.same:
			v.final = true
			return v
		}
		if working.Err() != nil || time.Now().After(deadline) || forGood(v.err) {
			v.final = true
			return v
		}
		pause(working, delay)
		delay = min(2*delay, 15*time.Second)
	}
}

// forGood: trying again will not help soon. The attempt stays open.
func forGood(err error) bool {
	var he *engine.HostError
	return errors.As(err, &he) && slices.Contains([]string{"host-key", "auth", "credential-expired", "configuration", "become", "login-shell"}, he.Kind)
}

// attach is one exchange of settle.
func (f *follower) attach(ctx context.Context) verdict {
	nonce := newNonce()
	r := &reply{f: f, nonce: nonce}
	text := collectText(nonce, f.a, true, f.out.offset(), f.err.offset())
	e, err := f.h.talk(ctx, talk{become: f.a.Command.Become, nonce: nonce, text: text, answer: r.take, stderr: f.err, quiet: true, apart: true})
	v := r.verdict()
	v.err = err
	if err == nil && v.state == "" {
		v.err = f.h.silent(e, engine.ErrOutcomeUnknown)
	}
	complete := err == nil && !e.Missing && e.Code == 0
	v.whole = complete && (v.whole || v.state == "running")
	return v
}

// live shows the output of a running attempt on a channel of its own.
type live struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends it; nothing is delivered by it afterwards.
func (l *live) stop() {
	l.cancel()
	<-l.done
}

func (f *follower) showLive(ctx context.Context) *live {
	ctx, cancel := context.WithCancel(ctx)
	l := &live{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		// Whoever is slow to answer would only be slower for it: then most steps have ended before they are shown.
		patience := max(f.limits.Follow, min(8*time.Duration(f.h.lag.Load()), 15*time.Second))
		for pause(ctx, patience); ctx.Err() == nil; pause(ctx, f.limits.Follow) {
			nonce := newNonce()
			r := &reply{f: f, nonce: nonce, liveOnly: true}
			text := collectText(nonce, f.a, false, f.out.offset(), f.err.offset())
			_, _ = f.h.talk(ctx, talk{become: f.a.Command.Become, nonce: nonce, text: text, answer: r.take, stderr: f.err, quiet: true})
		}
	}()
	return l
}

// reply reads the answers of the texts of launch.go.
type reply struct {
	f        *follower
	nonce    string
	before   func() // called before output is delivered
	liveOnly bool   // deliver nothing of a finished attempt

	mu    sync.Mutex
	v     verdict
	split *splitWriter
}

func (r *reply) take(fields []string) io.Writer {
	if len(fields) > 0 && fields[0] == "ready" {
		return &headerWriter{nonce: r.nonce, found: r.take}
	}
	if len(fields) < 2 {
		return nil
	}
	if r.before != nil {
		r.before()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.v = verdict{same: fields[0] == "1", state: fields[1], fields: fields[2:]}
	switch {
	case r.liveOnly && r.v.state == "data":
		return nil
	case r.v.state == "running":
		return r.f.out
	case r.v.state == "data" && r.before != nil: // a launch reports from the beginning
		r.split = newSplitWriter(r.nonce, r.f.out.from(0), r.f.err.from(0))
		return r.split
	case r.v.state == "data":
		r.split = newSplitWriter(r.nonce, r.f.out, r.f.err)
		return r.split
	}
	return nil
}

func (r *reply) verdict() verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.v
	v.whole = r.split == nil || r.split.Complete()
	return v
}

// result turns the last word into what engine.Launcher promises.
func (f *follower) result(v verdict) (engine.ExitStatus, engine.Release, error) {
	h := f.h
	unknown := func(kind, hint, format string, args ...any) (engine.ExitStatus, engine.Release, error) {
		return engine.ExitStatus{Reattached: f.reattached}, noRelease, h.fail(kind, engine.ErrOutcomeUnknown, hint, format, args...)
	}
	switch v.state {
	case "done", "data":
		status, err := parseResult(v.fields)
		if err != nil {
			return unknown("lost", "", "the result on the host is damaged: %v", err)
		}
		status.Reattached, status.StartedAt, status.EndedAt = f.reattached, f.started, time.Now()
		return status, f.release, nil
	case "never":
		return engine.ExitStatus{Reattached: f.reattached}, f.release, h.fail("never-started", engine.ErrNeverStarted, "",
			"the launch did not arrive, and it is made sure that it never starts")
	case "refused":
		return engine.ExitStatus{}, f.release, f.refusal(v)
	case "lost", "torn":
		const hint = "look at the host, then settle it"
		switch strings.Join(v.fields, " ") {
		case "gone":
			return engine.ExitStatus{Reattached: f.reattached}, noRelease, h.fail("lost", engine.ErrLost, hint+"; a verify block does that by itself",
				"it started and nothing of it runs any more, but the process that kept its result was killed")
		case "runs":
			return unknown("lost", hint, "it started and runs on, but the process that was to keep its result is gone")
		}
		return unknown("lost", hint, "it started, but the process that kept its result is gone")
	case "unclaimed":
		return unknown("incarnation", "look at the host, then settle it",
			"the host has been restarted or replaced since, or its state directory is not the same: it does not know the attempt")
	}
	if v.unsent {
		return engine.ExitStatus{}, noRelease, v.err
	}
	// The attempt goes on there, or has ended: its result waits on the host under its id.
	cause, hint := "the connection was lost and did not come back", "it may still run; when the host is back, look there before anything is repeated"
	if v.err != nil {
		c, hh := CauseAndHint(v.err)
		cause += ": " + c
		if hh != "" {
			hint = hh + "; then look at the host before anything is repeated"
		}
	}
	return unknown("lost-connection", hint, "%s", cause)
}

func (f *follower) refusal(v verdict) error {
	h, kind := f.h, strings.Join(v.fields, " ")
	switch kind {
	case "incarnation":
		h.forget()
		return h.fail(kind, engine.ErrNeverStarted, "", "the host was restarted or replaced after it was prepared; nothing was started")
	case "claimed":
		return h.fail(kind, engine.ErrOutcomeUnknown, "another continuo may work on this run, or its journal was restored from a copy: find out before anything else",
			"this attempt was launched before, by somebody else")
	case "input":
		return h.fail(kind, engine.ErrRefused, "", "the input did not arrive whole: nothing was started")
	case "state-directory", "disk-full":
		return h.fail("state-directory", engine.ErrRefused, "make room in "+f.a.Incarnation.StateDir+", then run it again",
			"nothing could be written to %s: nothing was started", f.a.Incarnation.StateDir)
	}
	return h.refused(kind, f.a.Command)
}

// parseResult reads "CODE REASON CONFIRMED BACKGROUND SIGNAL SURVIVORS… .".
func parseResult(f []string) (engine.ExitStatus, error) {
	var s engine.ExitStatus
	if len(f) < 6 || f[len(f)-1] != "." {
		return s, errors.New(printable(strings.Join(f, " ")))
	}
	code, err := strconv.Atoi(f[0])
	if err != nil || code < 0 || code > 255 {
		return s, errors.New(printable(f[0]))
	}
	s.Code = code
	ended := f[1] == "timeout" || f[1] == "killed"
	if code > 128 && code < 160 && (f[4] == "signal" || ended) {
		s.Signal = engine.SignalName(code - 128)
	}
	s.TimedOut = f[1] == "timeout"
	s.KillConfirmed = ended && f[2] == "1"
	s.BackgroundOpen = !ended && f[3] == "1"
	for _, p := range f[5 : len(f)-1] {
		s.Survivors = append(s.Survivors, printable(p))
	}
	return s, nil
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
