//go:build !linux

package journal

import "time"

// bootTime is the runtime's monotonic clock, the best that is portable.
func bootTime() time.Duration { return time.Since(processStart) }

// BootID is empty: this system has no id of a boot.
func BootID() string { return "" }
