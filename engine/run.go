// Package engine is the dynamic domain: plans, runs, events, outcomes and verdicts, and the interfaces between the
// executor and the world. It does no I/O.
//
// One direction: *.hcl → Runbook → Plan (digest) → Events → Journal → Bundle → Verify. The executor turns a Plan into
// Events and knows only the interfaces of this package; dry-run, live, test and explore are the same executor with
// another transport. Whatever is claimed about a run (its verdict, its objectives, its deviations) is computed by
// Fold from the events alone, so that the executor, the reports and an auditor's verify cannot disagree.
package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// RunID names a run. It sorts by time of creation: UTC time and random bits, [a-z0-9-] only.
type RunID string

// Mode says whether steps execute. Every line of a journal carries it.
type Mode string

// The modes of a run.
const (
	DryRun   Mode = "dry-run"
	Live     Mode = "live"
	Simulate Mode = "test" // simulated hosts: test and explore
)

// Outcome is how a unit (an item on a host) ended. The set is closed and the engine decides; an outcome never changes.
type Outcome string

// The outcomes.
const (
	Succeeded    Outcome = "succeeded"
	Failed       Outcome = "failed"        // exit code, signal, expectation, or inconclusive (the reason tells)
	TimedOut     Outcome = "timed-out"     // the watchdog's kill ended it
	Unreachable  Outcome = "unreachable"   // no launch was sent
	NeverStarted Outcome = "never-started" // proven: it did not start and never will
	Unknown      Outcome = "unknown"       // it started, or may have; nobody knows how it ended
	Skipped      Outcome = "skipped"       // the reason tells why
	NotReached   Outcome = "not-reached"
	Exercised    Outcome = "exercised"     // dry-run: a check ran
	NotExercised Outcome = "not-exercised" // dry-run
)

// Standing is where an item stands for order, ok, requires, marks and rollback. It is given by the outcome, or by a
// person's later word.
type Standing string

// The standings.
const (
	Done  Standing = "done"
	Fails Standing = "failed"
	Open  Standing = "open"
)

// Standing is the standing that the outcome alone gives. The empty outcome gives none.
func (o Outcome) Standing() Standing {
	switch o {
	case Succeeded, Skipped, Exercised, NotExercised:
		return Done
	case Failed, TimedOut, Unreachable, NeverStarted, NotReached:
		return Fails
	case Unknown:
		return Open
	}
	return ""
}

// Verdict is the result of a run.
type Verdict string

// The verdicts. A dry-run has its own words: none of them can be read as a passed test.
const (
	Passed               Verdict = "passed"
	PassedWithDeviations Verdict = "passed-with-deviations"
	VerdictFailed        Verdict = "failed"
	Aborted              Verdict = "aborted"
	Incomplete           Verdict = "incomplete" // an unknown is unsettled, or the record is unfinished
	Ready                Verdict = "ready"
	ReadyWithGaps        Verdict = "ready-with-gaps"
	NotReady             Verdict = "not-ready"
)

// PartName says which command of an item an attempt ran.
type PartName string

// The parts of an item.
const (
	PartCommand  PartName = "command"
	PartUnless   PartName = "unless"
	PartVerify   PartName = "verify"
	PartRollback PartName = "rollback"
	// PartSource reads the file of another host that a transfer takes.
	PartSource PartName = "source"
	// PartWitness asks the witness of a tcp check. It names the question only: nothing in a journal bears it.
	PartWitness PartName = "witness"
)

// AttemptID identifies one launch on one host for ever: 32 hex digits. See NewAttemptID.
type AttemptID string

// NewAttemptID derives the id from the run's nonce and what the attempt is: the first 128 bits of a SHA-256 over the
// length-prefixed fields. The same attempt always has the same id, so that a resumed controller finds it again; another
// run, item (with its call path), part, element, host or attempt number never shares one.
func NewAttemptID(nonce string, item string, part PartName, key, host string, attempt int) AttemptID {
	h := sha256.New()
	for _, s := range []string{"continuo-attempt-v1", nonce, item, string(part), key, host, strconv.Itoa(attempt)} {
		h.Write([]byte(strconv.Itoa(len(s))))
		h.Write([]byte{':'})
		h.Write([]byte(s))
	}
	return AttemptID(hex.EncodeToString(h.Sum(nil)[:16]))
}
