package transporttest

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RequireNoGoroutines runs f and then waits until every goroutine that it started, and that those started, has ended. It
// fails when one stays. Goroutines of other tests do not matter: a goroutine inherits the labels of the one that starts it.
func RequireNoGoroutines(t testing.TB, f func()) {
	t.Helper()
	const key = "started-by"
	name := t.Name() + " " + time.Now().Format(time.RFC3339Nano)
	var ran atomic.Bool
	pprof.Do(context.Background(), pprof.Labels(key, name), func(context.Context) {
		require.NotEmpty(t, labelled(t, name), "goroutines show their labels")
		f()
		ran.Store(true)
	})
	require.True(t, ran.Load())
	var left []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = labelled(t, name); len(left) == 0 {
			return
		}
	}
	require.Empty(t, left, "goroutines left")
}

// labelled are the stacks of the goroutines that bear the label.
func labelled(t testing.TB, name string) []string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	var found []string
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, name) {
			found = append(found, stack)
		}
	}
	return found
}
