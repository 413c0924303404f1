//go:build !linux

package main

import (
	"context"
	"time"
)

// cpu is not known here.
func (s *servers) cpu() time.Duration { return 0 }

// settle gives connections of an earlier round a moment to end.
func (s *servers) settle(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}
