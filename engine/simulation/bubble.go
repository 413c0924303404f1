// Package simulation runs runbooks against hosts and people that only answer as a script says, in simulated time: the
// runbook's own tests, and the exploration of every way in which it can fail.
//
// Planner and executor are those of a real run; what differs is the transport (package simtransport) and the clock. The
// clock is that of the standard library's testing/synctest: inside a bubble time stands still while anything can still
// happen and then jumps to the next timer, so that an hour of waiting takes no time. What a test has happen in the same instant,
// in two lanes say, may happen in either order; in an exploration every call takes a time of its own, and two are the same.
// Nothing here connects to anything.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Epoch is when every simulated run begins: a fixed instant, so that records are the same from run to run.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot write as one

// ErrStuck: everything waits for something that will never happen, such as an answer that nobody gives.
var ErrStuck = errors.New("everything waits, and nothing will ever happen")

// earliest is when the clock of synctest begins: nothing simulated can be before it.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go cannot write as one

// Bubble runs f in simulated time that begins at start (zero: Epoch; not before the year 2000) and returns when f and every
// goroutine that it started have ended. A panic of f is returned as an error: it is a defect of continuo, and one case of many
// must not end the others.
//
// synctest wants a *testing.T only to pass it on; outside `go test` a zero one serves (TestBubble guards that).
func Bubble(start time.Time, f func(ctx context.Context) error) (err error) {
	if start.IsZero() {
		start = Epoch
	}
	if start.Before(earliest) {
		return fmt.Errorf("a simulated run cannot begin on %s", start.Format(time.DateOnly))
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrStuck, r)
		}
	}()
	var failed error
	synctest.Test(new(testing.T), func(*testing.T) {
		defer func() {
			if r := recover(); r != nil {
				failed = fmt.Errorf("panic in a simulated run: %v", r)
			}
		}()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		time.Sleep(time.Until(start))
		failed = f(ctx)
	})
	return failed
}
