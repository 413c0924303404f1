package executor

import (
	"context"
	"sync"
)

// stand is how far a run has been halted. Each includes what is before it; a later one never goes back.
type stand int

const (
	goesOn   stand = iota
	stopped        // an item failed: no new items, those that run go on to their end; then cleanup
	aborted        // by a person: no new units either; then cleanup
	held           // something waits for a person, or nobody knows how it ended: no cleanup, the run is left
	departed       // the controller goes, at once
)

// valve decides what may start. Pausing and draining can end again; standing only moves on.
type valve struct {
	mu       sync.Mutex
	stand    stand
	why      string
	by       string
	paused   bool
	draining bool
	asking   int // questions that nothing new starts under
	active   int
	changed  chan struct{} // closed at each change
	slots    chan struct{}
}

func newValve(parallel int) *valve {
	return &valve{changed: make(chan struct{}), slots: make(chan struct{}, parallel)}
}

func (v *valve) notify() {
	close(v.changed)
	v.changed = make(chan struct{})
}

// halt moves the standing on. The first reason for a standing is kept.
func (v *valve) halt(s stand, why, by string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s > v.stand {
		v.stand, v.why, v.by = s, why, by
		v.notify()
	}
}

func (v *valve) standing() (s stand, why, by string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stand, v.why, v.by
}

func (v *valve) set(paused, draining bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paused, v.draining = paused, draining
	v.notify()
}

// waits reports whether nothing new starts for now. The caller holds mu.
func (v *valve) waits() bool { return v.paused || v.draining || v.asking > 0 }

// hush adds a question under which nothing new starts, or takes one away.
func (v *valve) hush(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asking += n
	v.notify()
}

// join takes a slot for something that an earlier controller started: it is under way, whatever may start.
func (v *valve) join(ctx context.Context) error {
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return cut(ctx)
	}
	v.mu.Lock()
	v.active++
	v.mu.Unlock()
	return nil
}

// items reports whether new items may start, now or ever, and a channel that is closed when the answer may have changed.
// Those of cleanup may after a stop and an abort.
func (v *valve) items(cleanup bool) (may, ever bool, changed <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	ever = v.stand == goesOn || cleanup && v.stand < held
	return ever && !v.waits(), ever, v.changed
}

// idle reports whether a drain has nothing left to wait for.
func (v *valve) idle() (idle bool, changed <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.draining && v.active == 0, v.changed
}

// enter waits until an effect may start and takes a slot for it. errStopped: it never may in this run; errLeft: the run
// is left, and nothing is to be said about what did not start. cleanup ignores a stop and an abort.
func (v *valve) enter(ctx context.Context, cleanup bool) error {
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return cut(ctx)
	}
	for {
		v.mu.Lock()
		err := v.admit(cleanup)
		wait := v.waits()
		changed := v.changed
		if err == nil && !wait {
			v.active++
		}
		v.mu.Unlock()
		switch {
		case err != nil:
			<-v.slots
			return err
		case !wait:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			<-v.slots
			return cut(ctx)
		}
	}
}

// flow waits while the run is paused or drained: nothing is concluded before the operator has said how it goes on.
func (v *valve) flow(ctx context.Context) error {
	for {
		v.mu.Lock()
		wait, gone, changed := v.paused || v.draining, v.stand >= departed, v.changed
		v.mu.Unlock()
		if gone {
			return errLeft
		}
		if !wait {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errLeft
		}
	}
}

func (v *valve) admit(cleanup bool) error {
	switch {
	case v.stand >= held:
		return errLeft
	case v.stand == aborted && !cleanup:
		return errStopped
	}
	return nil
}

// exit gives the slot of enter back.
func (v *valve) exit() {
	v.mu.Lock()
	v.active--
	if v.active == 0 {
		v.notify()
	}
	v.mu.Unlock()
	<-v.slots
}
