package runbooks

import (
	"fmt"
	"math"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// WaitDuration is the length of a wait: a text such as "30s" or a number of seconds, never negative.
func WaitDuration(v expr.Value) (time.Duration, error) {
	if f, err := v.Float(); err == nil {
		if f < 0 || f > (1<<53)/float64(time.Second) {
			return 0, fmt.Errorf("duration %s: out of bounds", v)
		}
		return time.Duration(f * float64(time.Second)), nil
	}
	text, err := v.Text()
	if err != nil {
		return 0, fmt.Errorf("duration: %w", err)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("duration %q: want a number with a unit, such as 30s or 5m", text)
	}
	return d, nil
}

// Wait is how long to wait before the next attempt after n attempts. A nil Retry does not wait.
func (r *Retry) Wait(n int) time.Duration {
	if r == nil {
		return 0
	}
	d := float64(r.Delay)
	if r.Backoff > 1 {
		d *= math.Pow(r.Backoff, float64(n-1))
	}
	if most := float64(r.MaxDelay); most > 0 && d > most {
		d = most
	}
	if d > float64(maxDelay) {
		return maxDelay
	}
	return time.Duration(d)
}

// maxDelay bounds a delay that has grown without MaxDelay.
const maxDelay = 24 * time.Hour
