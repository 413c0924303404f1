//go:build !linux

package sshtransport

import (
	"syscall"
	"time"
)

// setUserTimeout does nothing here: the keepalives find a dead connection too, only later.
func setUserTimeout(syscall.RawConn, time.Duration) error { return nil }
