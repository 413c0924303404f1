package hostshell

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// tidier cleans up behind attempts, off the way of what matters: one goroutine a host and user, as long as there is work.
type tidier struct {
	mu     sync.Mutex
	queues map[string]*queue // by user
	hurry  chan struct{}     // closed by Flush
	wg     sync.WaitGroup
}

// queue is what one user's state directory is to be rid of.
type queue struct {
	dir     string
	ids     []engine.AttemptID
	working bool
	swept   bool // tombstones of earlier boots were looked at
}

// release queues the removal of an attempt's script, input and output. The claim and the result stay: without them a
// launch that is stuck on its way would start what has ended.
func (f *follower) release() {
	f.h.tidier.add(f.h, f.a.Command.Become, f.a.Incarnation.StateDir, f.a.ID)
}

func (t *tidier) add(h *Host, become, dir string, id engine.AttemptID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queues == nil {
		t.queues = map[string]*queue{}
	}
	if t.hurry == nil {
		t.hurry = make(chan struct{})
	}
	q := t.queues[become+"\x00"+dir]
	if q == nil {
		q = &queue{dir: dir}
		t.queues[become+"\x00"+dir] = q
	}
	q.ids = append(q.ids, id)
	if !q.working {
		q.working = true
		hurry := t.hurry // before anyone can flush
		t.wg.Go(func() { t.work(h, become, q, hurry) })
	}
}

// One exchange removes maxTidy attempts at most; it waits tidyDelay for more to come, so that it does not compete with what
// runs. Flush hurries it.
const (
	maxTidy   = 200
	tidyDelay = 30 * time.Second
)

func (t *tidier) work(h *Host, become string, q *queue, hurry <-chan struct{}) {
	for {
		timer := time.NewTimer(tidyDelay)
		select {
		case <-timer.C:
		case <-hurry:
			timer.Stop()
		}
		t.mu.Lock()
		n := min(len(q.ids), maxTidy)
		ids, sweep := q.ids[:n:n], !q.swept
		q.ids, q.swept = q.ids[n:], true
		if n == 0 {
			q.working = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		nonce := newNonce()
		// What is not removed now is removed by a later run's sweep: errors do not matter.
		_, _ = h.exchange(ctx, talk{become: become, nonce: nonce, text: tidyText(nonce, q.dir, ids, sweep, time.Now().Unix()/(24*60*60)),
			answer: func([]string) io.Writer { return nil }, stderr: io.Discard, quiet: true}, become == "" && h.keeps())
		cancel()
	}
}

// Flush waits until everything that was released has been removed, or ctx ends. Then it ends the shells that are kept.
func (h *Host) Flush(ctx context.Context) {
	h.tidier.mu.Lock()
	if h.tidier.hurry != nil {
		close(h.tidier.hurry)
		h.tidier.hurry = nil
	}
	h.tidier.mu.Unlock()
	done := make(chan struct{})
	go func() { h.tidier.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	for h.Spare() { // until none is left
	}
}

// tidyText removes files of attempts that were released and, when sweep is set, up to 500 attempts that are older than 14
// days and of an earlier boot: only then can no launch of theirs be on its way any more. day is today; a host whose
// directory was swept today is not swept again.
func tidyText(nonce, dir string, ids []engine.AttemptID, sweep bool, day int64) string {
	var b strings.Builder
	b.WriteString("{\necho " + nonce + " ok $$ $PPID\ncd " + Quote(dir) + " 2>/dev/null || exit 0\n")
	if sweep {
		today := strconv.FormatInt(day, 10)
		b.WriteString("d=; [ ! -r swept ] || read -r d <swept\nif [ \"$d\" != " + today + " ]; then umask 077; echo " + today + " >swept\n" + bootText +
			`find . -name '*.go' -mtime +14 2>/dev/null | head -n 500 | while read -r f; do
a= o= c=; read -r a o c x <"$f"
[ "$a" = run ] && read -r a x o x <"$f"
[ -n "$o" ] && [ "$o" != "$boot" ] && rm -f "${f%.go}".*
done
fi
`)
	}
	b.WriteString("exec rm -f")
	for _, id := range ids {
		s := string(id)
		b.WriteString(" " + s + ".*.cmd " + s + ".*.in " + s + ".out " + s + ".err")
	}
	b.WriteString("\n}\n")
	return b.String()
}
