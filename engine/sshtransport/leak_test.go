package sshtransport_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// Channels that are being opened when their connection ends wait for nothing afterwards.
func TestOpeningWhileTheConnectionEnds(t *testing.T) {
	t.Parallel()
	tr, h := liar{exec: func(c *ssh.ServerConn, _ ssh.Channel, _ string) { _ = c.Close() }}.start(t)
	transporttest.RequireNoGoroutines(t, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		o, err := engine.NewObservation(runbooks.Check, engine.PartCommand, echo)
		if err != nil {
			t.Error(err)
			return
		}
		for range 100 {
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() { _, _ = tr.Observe(ctx, h, o, engine.OutputSink{}) })
			}
			wg.Wait()
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
}
