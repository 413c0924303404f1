package cli

import (
	"errors"
	"syscall"
)

// isFull reports whether an error is about a disk or a quota that is full.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
