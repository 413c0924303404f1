package hostshell

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// talk is one exchange with a host: a text goes in, an answer and two streams come back.
type talk struct {
	become string
	nonce  string
	text   string
	// input is sent to whatever the text executes, once the answer's first line has come. Nil: nothing.
	input io.Reader
	// answer is called once with the fields of the answer's first line; stdout then goes to the writer it returns.
	answer func(fields []string) io.Writer
	stderr io.Writer
	// timeout bounds the exchange after the answer's first line; zero: none.
	timeout time.Duration
	// quiet: kill nothing when the context ends or the timeout passes, only stop listening.
	quiet bool
	// apart: do not wait for another exchange to end.
	apart bool
	// late: the answer comes when a command has ended, and says nothing about how fast the host is.
	late bool
}

// ending is how a talk ended.
type ending struct {
	Exit
	rephrased  bool // it was asked for in other words
	over       bool // the process was seen to end
	answered   bool
	background bool // a stream was still held when the process had ended
	timedOut   bool
	confirmed  bool // after a timeout: the process was seen gone
	sentAll    bool // the whole text was handed to the connection
	junk       string
	startedAt  time.Time // when the answer came
	endedAt    time.Time
}

// begunBy: what has no time of its own began at the latest then.
func (e *ending) begunBy(at time.Time) {
	if e.startedAt.IsZero() {
		e.startedAt = at
	}
}

// talk runs one exchange. The error is a HostError (nothing ran), or the context's.
func (h *Host) talk(ctx context.Context, t talk) (ending, error) {
	open := h.Shell.Open
	if a, ok := h.Shell.(ApartOpener); ok && t.apart {
		open = a.OpenApart
	}
	e := ending{rephrased: h.rephrased()}
	p, err := open(ctx)
	if err != nil {
		h.forget()
		return ending{}, h.unreachable(err)
	}
	s := newStreams(p, t)
	defer s.end()
	began := time.Now()
	if t.become != "" {
		if err := h.enter(ctx, p, s, t.become, &e); err != nil {
			if h.rephrase(e) {
				return h.talk(ctx, t)
			}
			return e, err
		}
	}
	_, err = io.WriteString(p, t.text)
	e.sentAll = err == nil // else the connection is lost, or a login shell has ended without reading: the exit tells
	if t.input == nil {
		_ = p.CloseWrite() // a lost connection shows as a missing exit status
	}
	err = h.listen(ctx, p, s, t, &e)
	if e.Missing {
		h.forget()
	}
	if e.answered && !t.late {
		h.lag.Store(int64(e.startedAt.Sub(began)))
	}
	e.junk = s.header.Junk()
	if err == nil && h.rephrase(e) {
		return h.talk(ctx, t)
	}
	return e, err
}

// rephrase reports whether an exchange is to be tried once more, in other words: it ended without any, as every one on this
// host has so far, so nothing of it ran.
func (h *Host) rephrase(e ending) bool {
	if e.answered {
		h.answered.Store(true)
	}
	r, ok := h.Shell.(Rephraser)
	if !ok || e.rephrased || h.answered.Load() || !e.over || e.Missing {
		return false
	}
	r.Rephrase()
	return true
}

// rephrased reports whether shells are asked for in other words already.
func (h *Host) rephrased() bool {
	r, ok := h.Shell.(Rephraser)
	return ok && r.Rephrased()
}

// listen waits for the end of a process whose text was sent.
func (h *Host) listen(ctx context.Context, p Process, s *streams, t talk, e *ending) error {
	limits := h.Limits.withDefaults()
	var timeout <-chan time.Time
	if t.timeout > 0 {
		timer := time.NewTimer(t.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	answered, exit := s.answered, p.Exit()
	for {
		select {
		case <-answered:
			answered = nil
			e.answered, e.startedAt = true, time.Now()
			if t.input != nil {
				go feed(p, t.input)
			}
		case x := <-exit:
			e.Exit, e.over, e.endedAt = x, true, time.Now()
			e.background = !s.drain(limits.DrainGrace)
			e.answered = s.hasAnswer()
			e.begunBy(e.endedAt)
			return nil
		case <-timeout:
			e.timedOut = true
			if t.quiet {
				e.Missing = true
				return nil
			}
			e.confirmed = h.kill(p, s, t.become, limits, &e.Exit)
			e.endedAt, e.answered = time.Now(), s.hasAnswer()
			return nil
		case <-ctx.Done():
			if !t.quiet && !left(ctx) {
				var gone Exit
				h.kill(p, s, t.become, limits, &gone)
			}
			return ctx.Err()
		}
	}
}

// feed gives a command its input and ends it. A command that reads less, or a lost connection, ends it early.
func feed(p Process, input io.Reader) {
	_, _ = io.Copy(p, input)
	_ = p.CloseWrite()
}

// kill ends a process that is no durable attempt: TERM, grace, KILL. It reports whether the process was seen to end.
func (h *Host) kill(p Process, s *streams, become string, l Limits, x *Exit) bool {
	ctx, cancel := context.WithTimeout(context.Background(), l.KillGrace+l.BecomeTimeout)
	defer cancel()
	for _, name := range []string{"TERM", "KILL"} {
		// The login user cannot signal what runs as another user, and some servers deliver no signals (OpenSSH does not
		// for root, nor for forced commands): then it takes another way in.
		if become != "" || !p.Signal(ctx, name) {
			h.killAs(ctx, become, s.pids.Load(), name)
		}
		timer := time.NewTimer(l.KillGrace)
		select {
		case got := <-p.Exit():
			timer.Stop()
			*x = got
			s.drain(l.DrainGrace)
			return !got.Missing
		case <-timer.C:
		}
	}
	x.Missing = true
	return false
}

// killAs signals a process that runs as another user, with that user's own right.
func (h *Host) killAs(ctx context.Context, become string, pids *[2]string, name string) bool {
	if pids == nil || !isNumber(pids[0]) || !isNumber(pids[1]) {
		return false
	}
	n := newNonce()
	text := "{ kill -" + name + " -" + pids[0] + " || kill -" + name + " -" + pids[1] + " || kill -" + name + " " + pids[0] +
		"; echo " + n + " done $?; } 2>/dev/null\n"
	killed := false
	_, err := h.talk(ctx, talk{become: become, nonce: n, text: text, stderr: io.Discard, quiet: true, apart: true,
		answer: func(f []string) io.Writer { killed = len(f) == 2 && f[1] == "0"; return nil }})
	return err == nil && killed
}

func isNumber(s string) bool {
	if s == "" || len(s) > 10 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != "0" && s != "1"
}

// streams reads both output streams of a process to their end.
type streams struct {
	p        Process
	header   *headerWriter
	gate     *becomeGate
	answered chan struct{}
	outDone  chan struct{}
	errDone  chan struct{}
	sinks    sync.RWMutex
	ended    bool
	last     atomic.Int64              // when the last byte came, Unix nanoseconds
	pids     atomic.Pointer[[2]string] // what runs, and its parent: "ok PID PPID"
}

func newStreams(p Process, t talk) *streams {
	s := &streams{p: p, answered: make(chan struct{}), outDone: make(chan struct{}), errDone: make(chan struct{})}
	s.header = &headerWriter{nonce: t.nonce, found: func(fields []string) io.Writer {
		if len(fields) >= 3 && fields[0] == "ok" {
			s.pids.Store(&[2]string{fields[1], fields[2]})
		}
		w := t.answer(fields)
		close(s.answered)
		return w
	}}
	stderr := io.Writer(&headerWriter{nonce: t.nonce, found: func([]string) io.Writer { return t.stderr }})
	if t.become != "" {
		s.gate = newBecomeGate(stderr)
		stderr = s.gate
	}
	go s.read(p.Stdout(), s.header, s.outDone)
	go s.read(p.Stderr(), stderr, s.errDone)
	return s
}

func (s *streams) read(from io.Reader, to io.Writer, done chan<- struct{}) {
	s.listen(from, done, func(p []byte) {
		s.sinks.RLock()
		defer s.sinks.RUnlock()
		if !s.ended {
			writeAll(to, p)
		}
	})
}

// listen gives what a stream says to take, until its end. Its buffer is small, because most say little, and grows with what
// comes.
func (s *streams) listen(from io.Reader, done chan<- struct{}, take func([]byte)) {
	defer close(done)
	const least, most = 1 << 10, 32 << 10
	buf := make([]byte, least)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			s.last.Store(time.Now().UnixNano())
			take(buf[:n])
		}
		if err != nil {
			return
		}
		if n == len(buf) && n < most {
			buf = make([]byte, 2*n)
		}
	}
}

func (s *streams) hasAnswer() bool {
	select {
	case <-s.answered:
		return true
	default:
		return false
	}
}

// drain waits for the end of both streams. It gives up when nothing has come for grace: then something that the command
// left behind still holds one of them. A chatty one is listened to for fifteen graces.
func (s *streams) drain(grace time.Duration) bool {
	s.last.Store(time.Now().UnixNano())
	start := time.Now()
	outDone, errDone := s.outDone, s.errDone
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for outDone != nil || errDone != nil {
		select {
		case <-outDone:
			outDone = nil
		case <-errDone:
			errDone = nil
		case <-timer.C:
			idle := time.Since(time.Unix(0, s.last.Load()))
			if idle >= grace || time.Since(start) > 15*grace {
				return false
			}
			timer.Reset(grace - idle)
		}
	}
	return true
}

// end gives up the process. When it returns, nothing writes to the sinks any more; what still comes is read and dropped.
func (s *streams) end() {
	_ = s.p.Close()
	s.sinks.Lock()
	s.ended = true
	s.sinks.Unlock()
}

// silent maps an exchange that ended without an answer to what that means: whatever was sent, nothing of it ran.
func (h *Host) silent(e ending, lost error) error {
	if e.Missing {
		return h.fail("lost-connection", lost, "", "the connection was lost before the host answered")
	}
	said := ""
	if e.junk != "" {
		said = ": " + printable(e.junk)
	}
	return h.fail("login-shell", engine.ErrRefused,
		"continuo needs a user whose login shell runs commands (sh, bash, zsh, fish, csh, …); try: ssh USER@HOST /bin/sh -c true",
		"the login shell of %s did not run /bin/sh (exit code %d)%s", h.userName(""), e.Code, said)
}
