package hostshell

import (
	"context"
	"io"
	"strconv"
	"sync"
	"time"
)

// A kept shell is one `/bin/sh -s` of the login user that stays for one exchange after another: starting a shell through a
// login costs a host more than most commands do. Each exchange runs in a subshell of its own, so that nothing of it is left to
// the next: no variable, no trap, no directory, no open file. Only what writes nothing on the shell's own streams but its
// answer is run so: preparations, launches (a command's output goes to files) and clean-up. A check has a shell of its own.
//
// A text is a group here as well: a connection that is cut while it travels executes nothing. Whether a host's shell makes
// real subshells, with process numbers that can be told, the first preparation on a connection finds out.
type kept struct {
	p Process
	s *streams // for drain and kill

	mu     sync.Mutex
	now    *exchange // nil: idle
	spoilt bool      // something was said that nobody asked for, or it is not certain what state it is in
	used   bool      // it has been told what stays the same
	timer  *time.Timer
}

// How long a shell is kept without work, how many of them, and how long a first answer may take before the shell is told
// that nothing more comes: what is no shell may wait for that.
const (
	keptIdle     = 10 * time.Second
	keptMost     = 4
	keptPatience = 10 * time.Second
)

// exchange is one text and its answer. Its end is the line "<nonce> end CODE".
type exchange struct {
	header   *headerWriter
	end      *endWriter
	answered chan struct{}
	ended    chan int // the subshell's exit code; -1: not understood
}

func newKept(p Process) *kept {
	k := &kept{p: p, s: &streams{p: p, outDone: make(chan struct{}), errDone: make(chan struct{})}}
	go k.s.listen(p.Stdout(), k.s.outDone, k.take)
	go k.s.listen(p.Stderr(), k.s.errDone, func([]byte) {})
	return k
}

func (k *kept) take(p []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == nil {
		k.spoilt = true
		return
	}
	writeAll(k.now.end, p)
}

// begin makes t what the shell's words belong to.
func (k *kept) begin(t talk) *exchange {
	x := &exchange{answered: make(chan struct{}), ended: make(chan int, 1)}
	x.header = &headerWriter{nonce: t.nonce, found: func(fields []string) io.Writer {
		w := t.answer(fields)
		close(x.answered)
		return w
	}}
	x.end = &endWriter{mark: []byte(t.nonce + " end "), next: x.header, ended: x.ended}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = x
	return x
}

// done ends the exchange. When it returns, nothing is delivered any more.
func (k *kept) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.used = nil, true
}

// fit reports whether an idle shell can be used: it lives, and has said nothing that nobody asked for.
func (k *kept) fit() bool {
	select {
	case <-k.p.Exit():
		return false
	default:
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.spoilt
}

// keptText has a text run in a subshell of a kept shell. A first text makes the shell find out what stays the same as long as
// it lives: it would not survive a reboot, nor its container.
func keptText(t talk, first bool) string {
	once := ""
	if first {
		once = bootText
	}
	return "{\n" + once + "(\n" + t.text + ")\necho \"" + t.nonce + " end $?\"\n}\n"
}

// exchange is one exchange over a kept shell, or over a shell of its own.
func (h *Host) exchange(ctx context.Context, t talk, inKept bool) (ending, error) {
	if inKept {
		return h.converse(ctx, t, false, h.keeps)
	}
	return h.talk(ctx, t)
}

// converse is talk over a kept shell: an idle one, or a fresh one. keep says, when the exchange has gone well, whether the
// shell stays.
func (h *Host) converse(ctx context.Context, t talk, fresh bool, keep func() bool) (ending, error) {
	e := ending{rephrased: h.rephrased()}
	k := h.idleShell(fresh)
	if k == nil {
		p, err := h.Shell.Open(ctx)
		if err != nil {
			h.forget()
			return ending{}, h.unreachable(err)
		}
		k = newKept(p)
	}
	x := k.begin(t)
	began := time.Now()
	_, err := io.WriteString(k.p, keptText(t, !k.used))
	e.sentAll = err == nil // else the connection is lost, or a login shell has ended without reading: the exit tells
	stays, err := h.hear(ctx, k, x, t, &e)
	k.done()
	if e.Missing {
		h.forget()
	}
	if e.answered && !t.late {
		h.lag.Store(int64(e.startedAt.Sub(began)))
	}
	e.junk = x.header.Junk()
	if err == nil && stays && e.answered && e.Code == 0 && keep() {
		h.park(k)
	} else {
		_ = k.p.Close()
	}
	if err == nil && h.rephrase(e) {
		return h.converse(ctx, t, true, keep)
	}
	return e, err
}

// hear waits for the end of an exchange. stays: the shell is ready for another.
func (h *Host) hear(ctx context.Context, k *kept, x *exchange, t talk, e *ending) (stays bool, err error) {
	limits := h.Limits.withDefaults()
	stays = true
	var patience <-chan time.Time
	if !t.late {
		timer := time.NewTimer(keptPatience)
		defer timer.Stop()
		patience = timer.C
	}
	answered := x.answered
	for {
		select {
		case <-answered:
			answered = nil
			e.answered, e.startedAt = true, time.Now()
		case <-patience:
			stays = false
			_ = k.p.CloseWrite() // a lost connection shows as a missing exit status
		case code := <-x.ended:
			if code < 0 { // no shell of ours says this
				stays = false
				_ = k.p.CloseWrite()
				continue
			}
			e.Exit, e.endedAt, e.answered = Exit{Code: code}, time.Now(), x.hasAnswer()
			e.begunBy(e.endedAt)
			return stays, nil
		case exit := <-k.p.Exit():
			e.Exit, e.over, e.endedAt = exit, true, time.Now()
			e.background = !k.s.drain(limits.DrainGrace)
			e.answered = x.hasAnswer()
			e.begunBy(e.endedAt)
			return false, nil
		case <-ctx.Done():
			if !t.quiet && !left(ctx) {
				var gone Exit
				h.kill(k.p, k.s, "", limits, &gone)
			}
			return false, ctx.Err()
		}
	}
}

func (x *exchange) hasAnswer() bool {
	select {
	case <-x.answered:
		return true
	default:
		return false
	}
}

// idleShell is a kept shell that has nothing to do; nil: there is none, or a fresh one is wanted.
func (h *Host) idleShell(fresh bool) *kept {
	for !fresh {
		k := h.unpark()
		if k == nil || k.fit() {
			return k
		}
		_ = k.p.Close()
	}
	return nil
}

// park keeps a shell for the next exchange, for a while, unless somebody waits for its place.
func (h *Host) park(k *kept) {
	h.mu.Lock()
	k.timer = time.AfterFunc(keptIdle, func() { h.retire(k) })
	h.idle = append(h.idle, k)
	crowded := len(h.idle) > keptMost
	h.mu.Unlock()
	if keeper, ok := h.Shell.(Keeper); crowded || ok && keeper.Crowded() {
		h.Spare()
	}
}

func (h *Host) unpark() *kept {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.idle) - 1
	if n < 0 {
		return nil
	}
	k := h.idle[n]
	h.idle[n] = nil
	h.idle = h.idle[:n]
	k.timer.Stop()
	return k
}

// retire ends a shell that has been idle for long.
func (h *Host) retire(k *kept) {
	h.mu.Lock()
	for i := range h.idle {
		if h.idle[i] == k {
			h.idle = append(h.idle[:i], h.idle[i+1:]...)
			h.mu.Unlock()
			_ = k.p.Close()
			return
		}
	}
	h.mu.Unlock()
}

// Spare ends a kept shell that is idle and reports whether there was one: whoever opens processes asks for its place.
func (h *Host) Spare() bool {
	k := h.unpark()
	if k == nil {
		return false
	}
	_ = k.p.Close()
	return true
}

// keeps reports whether the host's shells can be kept, as the last Prepare on this connection found.
func (h *Host) keeps() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keeping
}

// endWriter passes a stream on to its end, which is mark and a number.
type endWriter struct {
	mark  []byte
	next  io.Writer
	ended chan<- int
	held  []byte
	found bool
	over  bool
}

// maxEnd is how long the line of the end is at most.
const maxEnd = 16

// Write implements io.Writer.
func (w *endWriter) Write(p []byte) (int, error) {
	if w.over {
		return len(p), nil
	}
	w.held = append(w.held, p...)
	if !w.found {
		before, rest, found := cutAt(w.held, w.mark)
		writeAll(w.next, before)
		w.held, w.found = append(w.held[:0], rest...), found
	}
	if w.found {
		w.close()
	}
	return len(p), nil
}

// close reads the number, once its line is whole.
func (w *endWriter) close() {
	for i, c := range w.held {
		if c == '\n' || i > maxEnd {
			code, err := strconv.Atoi(string(w.held[:i]))
			if err != nil || code < 0 || code > 255 {
				code = -1
			}
			w.over, w.held = true, nil
			w.ended <- code
			return
		}
	}
}
