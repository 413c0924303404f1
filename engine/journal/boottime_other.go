//go:build !linux

package journal

import "time"

// bootClock is the runtime's monotonic clock, the best that is portable.
func bootClock() func() time.Duration {
	begin := time.Now()
	return func() time.Duration { return time.Since(begin) }
}

// BootID is empty: this system has no id of a boot.
func BootID() string { return "" }
