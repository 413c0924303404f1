package engine

import (
	"context"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Event is one fact of a run, in the order in which it became true. The same events feed the journal, the terminal and
// the machine output. Its payload is one of PayloadTypes and no other.
type Event struct {
	Seq uint64
	// Time is the wall clock, UTC.
	Time time.Time
	// Mono is CLOCK_BOOTTIME since the segment began (run.opened and run.resumed begin one). Durations inside a segment
	// come from it, never from Time.
	Mono    time.Duration
	Mode    Mode
	Payload Payload
}

// Payload is the body of an event, always a pointer to one of its types. The set is closed: see PayloadTypes.
type Payload interface {
	// EventType is the word in the journal, such as "item.intent".
	EventType() string
	// Durable reports whether the event must be on disk before anything follows it.
	Durable() bool
}

// Journal takes events. Append stamps the payload and returns after the fsync where the payload is Durable. After an
// error the journal is poisoned: every later Append fails, and the run must stop before its next effect.
// Safe for concurrent use; the order of returns is the order of the journal.
type Journal interface {
	Append(ctx context.Context, p Payload) (Event, error)
}

// Clock gives wall stamps. Timers are not its business: they are tested with testing/synctest.
type Clock interface {
	Now() time.Time
}

// Unit says which item, element and host an event is about. Key is empty outside for_each; Host is empty for items that
// do not run on hosts and for events about the item as a whole. Batch counts from 1 in a phase that rolls out: its items
// run once for each batch, and with neither Key nor Host the event is about the item in that batch; elsewhere it is 0.
type Unit struct {
	Item  runbooks.ItemID `json:"item"`
	Batch int             `json:"batch,omitempty"`
	Key   string          `json:"key,omitempty"`
	Host  string          `json:"host,omitempty"`
}

// Whole reports whether the unit stands for its item, or for its item in one batch.
func (u Unit) Whole() bool { return u.Key == "" && u.Host == "" }

// AttemptKey is the element of an attempt's id: the key, and the batch where there is one.
func (u Unit) AttemptKey() string {
	if u.Batch == 0 {
		return u.Key
	}
	return "batch " + strconv.Itoa(u.Batch) + "/" + u.Key
}

// PayloadTypes is the closed set: a new zero payload for every event type. The strict reader of the journal uses it.
func PayloadTypes() map[string]Payload {
	all := []Payload{
		&RunOpened{}, &HostConnected{}, &PreflightResult{}, &ItemStarted{}, &RolloutStarted{}, &BatchStarted{}, &BatchEnded{}, &ItemIntent{}, &ItemOutput{}, &ItemOutcome{},
		&ItemSettled{}, &ItemRetry{}, &ManualDone{}, &ApprovalRequested{},
		&ApprovalGranted{}, &ApprovalDenied{}, &ApprovalExpired{}, &ApprovalUsed{}, &DecisionMade{}, &MarkSet{}, &ObjectiveMeasured{}, &CleanupStarted{}, &CleanupEnded{},
		&RollbackStarted{}, &RollbackEnded{}, &OperatorAction{}, &ClockAnomaly{}, &RunInterrupted{}, &RunResumed{}, &JournalRecovered{}, &ExplorationResult{}, &RunClosed{},
	}
	m := make(map[string]Payload, len(all))
	for _, p := range all {
		m[p.EventType()] = p
	}
	return m
}
