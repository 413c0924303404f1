package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is how many units of /proc/PID/stat are a second: the kernel's USER_HZ, 100 on every platform of Go's.
const ticks = 100

// cpu is the processor time that the daemons and all that they waited for have used so far.
func (s *servers) cpu() time.Duration {
	var sum int64
	for _, d := range s.daemons {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.Process.Pid))
		if err != nil {
			return 0
		}
		f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, n := range f[11:15] { // utime, stime, cutime, cstime
			v, err := strconv.ParseInt(n, 10, 64)
			if err != nil {
				return 0
			}
			sum += v
		}
	}
	return time.Duration(sum) * time.Second / ticks
}

// settle waits until no connection of an earlier round is left.
func (s *servers) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, d := range s.daemons {
		for {
			pid := d.Process.Pid
			children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
			if err != nil || len(children) == 0 { // without the file, nobody can tell
				break
			}
			select {
			case <-ctx.Done():
				return errors.New("connections of an earlier round do not end")
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}
