package journal

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// bootClock is CLOCK_BOOTTIME: it neither jumps nor stops while the machine sleeps.
func bootClock() func() time.Duration {
	begin := time.Now()
	return func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
			return time.Since(begin)
		}
		return time.Duration(ts.Nano())
	}
}

// BootID is the kernel's random id of this boot, or empty where there is none.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
