package executor

import (
	"errors"
	"sync"
)

// each calls fn for every item, at most parallel at once, and returns when all calls have. After a fatal error no further
// call begins. The error is the first one, a fatal one before errLeft and errStopped.
func each[T any](items []T, parallel int, fn func(T) error) error {
	if len(items) == 1 {
		return fn(items[0])
	}
	if parallel <= 0 || parallel > len(items) {
		parallel = len(items)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		next  int
		first error
	)
	take := func() (T, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(items) || fatal(first) {
			var none T
			return none, false
		}
		next++
		return items[next-1], true
	}
	for range parallel {
		wg.Go(func() {
			for item, ok := take(); ok; item, ok = take() {
				if err := fn(item); err != nil {
					mu.Lock()
					first = worse(first, err)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// fatal reports whether an error is about the controller, not about what was asked of it.
func fatal(err error) bool {
	return err != nil && !errors.Is(err, errLeft) && !errors.Is(err, errStopped)
}

// worse is the error that decides: a fatal one, then that the run is left, then that it is stopped.
func worse(a, b error) error {
	rank := func(err error) int {
		switch {
		case err == nil:
			return 0
		case errors.Is(err, errStopped):
			return 1
		case errors.Is(err, errLeft):
			return 2
		}
		return 3
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
