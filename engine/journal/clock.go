package journal

import (
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// slack is how far wall and monotonic clock may part between two events before it is an anomaly: a little for reading
// two clocks one after the other, and a thousandth of the time passed, which is twice what a slewing NTP daemon does.
func slack(elapsed time.Duration) time.Duration {
	return 100*time.Millisecond + elapsed.Abs()/1000
}

// clocks stamps events with wall and monotonic time and notices when the two part.
type clocks struct {
	wall func() time.Time
	mono func() time.Duration

	zero     time.Duration // mono of the segment's begin
	lastMono time.Duration
	lastWall time.Time
	started  bool
}

// newClocks uses the boot clock, unless a wall clock or a monotonic one is given: a simulated wall clock brings its own
// monotonic time, or every simulated hour would be an anomaly.
func newClocks(wall engine.Clock, mono func() time.Duration) *clocks {
	c := &clocks{wall: time.Now, mono: mono}
	if wall != nil {
		c.wall = wall.Now
	}
	if c.mono == nil {
		c.mono = bootClock()
		if wall != nil {
			begin := wall.Now()
			c.mono = func() time.Duration { return wall.Now().Sub(begin) }
		}
	}
	c.zero = c.mono()
	return c
}

// stamp reads both clocks as close to one another as it can. step is not zero when the wall clock moved against the
// monotonic one since the last stamp.
func (c *clocks) stamp() (t time.Time, mono, step time.Duration) {
	for range 3 {
		before := c.mono()
		t = c.wall()
		mono = c.mono()
		if mono-before < 5*time.Millisecond {
			break
		}
	}
	t = t.Round(0).UTC()
	mono = max(mono-c.zero, c.lastMono)
	if c.started {
		step = anomaly(c.lastWall, c.lastMono, t, mono)
	}
	c.started, c.lastWall, c.lastMono = true, t, mono
	return t, mono, step
}

// restart begins a new segment.
func (c *clocks) restart() {
	c.zero, c.lastMono, c.started = c.mono(), 0, false
}

// anomaly is how far the wall clock stepped between two stamps of one segment; 0 within the slack.
func anomaly(wall0 time.Time, mono0 time.Duration, wall1 time.Time, mono1 time.Duration) time.Duration {
	elapsed := mono1 - mono0
	step := wall1.Sub(wall0) - elapsed
	if step.Abs() <= slack(elapsed) {
		return 0
	}
	return step
}

// Jump is how far the wall clock stepped between two events of one segment, as Append measures it: zero while the
// difference is within what two clocks of one machine may part.
func Jump(before, after engine.Event) time.Duration {
	return anomaly(before.Time, before.Mono, after.Time, after.Mono)
}
