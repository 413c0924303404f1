package journal

import (
	"fmt"
	"os"
	"time"
)

// commit returns when the first n lines are on disk (durable), or have been given to the file or to someone who will
// give them (not durable). Whoever finds no one at work leads: writes and syncs for all. The others wait and share it.
// It holds mu on entry and on return.
func (j *Journal) commit(n uint64, durable bool) error {
	for {
		switch {
		case durable && j.synced >= n:
			return nil
		case j.err != nil:
			return j.err
		case !durable && (j.written >= n || j.leading && len(j.pending) < maxPending):
			return nil
		case j.leading:
			j.settled.Wait()
		default:
			j.lead()
		}
	}
}

// A fleet's lines come in crowds. When the last sync served a crowd, the next one waits a moment for those who are about to
// come, so that it serves them, too: on hosts that take turns a sync for each few of them costs more than the moment. One
// host, or a few, never wait.
const (
	crowd  = 8
	moment = 2 * time.Millisecond
)

// lead writes everything that is pending with one write, and syncs once if a durable line is among it.
func (j *Journal) lead() {
	j.leading = true
	if j.served >= crowd {
		j.mu.Unlock()
		time.Sleep(moment)
		j.mu.Lock()
	}
	for first := true; first || len(j.pending) > 0 && j.wanted == 0 && j.err == nil; first = false {
		buf, end, head, sync := j.pending, j.next, j.prev, j.wanted > 0
		if sync {
			j.served = j.wanted
		}
		j.pending, j.wanted = nil, 0
		j.mu.Unlock()
		err := j.flush(buf, sync)
		j.mu.Lock()
		if err != nil {
			j.poison(err)
			break
		}
		j.written = end
		if sync {
			j.synced, j.syncedHead = end, head
		}
	}
	j.leading = false
	j.settled.Broadcast()
}

// flush writes and syncs without mu; only the leader calls it.
func (j *Journal) flush(buf []byte, sync bool) error {
	if len(buf) > 0 {
		if _, err := j.file.Write(buf); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		j.size += int64(len(buf))
	}
	if sync {
		if err := j.file.Sync(); err != nil {
			return fmt.Errorf("sync journal: %w", err)
		}
		if err := j.ours(); err != nil {
			return fmt.Errorf("sync journal: %w", err)
		}
	}
	return nil
}

// ours is the fence against a second holder, where the lock does not keep one out: a file system whose locks do not reach
// other machines, a run's directory that was moved away and copied back. What is durable is so under the journal's name,
// in a file that nobody else writes; otherwise nothing more is begun here.
func (j *Journal) ours() error {
	here, err := j.opts.FS.Lstat(j.name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTakenOver, err)
	}
	held, err := j.file.Stat()
	if err != nil {
		return err
	}
	known := os.SameFile(held, held) // not in every file system of the tests
	if known && !os.SameFile(here, held) || held.Size() != j.size {
		return ErrTakenOver
	}
	return nil
}

// poison keeps the first error.
func (j *Journal) poison(err error) {
	if j.err == nil {
		j.err = err
	}
}

// Synced says how many lines are on disk for certain, and the digest of the last of them.
func (j *Journal) Synced() (lines uint64, head Digest) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.synced, j.syncedHead
}
