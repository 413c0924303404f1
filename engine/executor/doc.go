// Package executor turns a plan into events: it decides what starts when, on which hosts, and how each ended.
//
// One code serves dry-run, live and simulation; what differs is what it is given. It knows the interfaces of package
// engine only: hosts are reached through a Prober and a Launcher (a dry-run has no Launcher), facts go to a Journal, and
// whatever is claimed about the run is computed by engine.Folder from those facts.
//
// How a run flows through the files:
//
//	run.go       open → preflight (dry-run) → phases → cleanup → objectives → close, or left on the way
//	schedule.go  inside a phase: an item starts when what it comes after has ended
//	item.go      one item: when → hosts, for_each → units → expect_all → outcome → marks
//	fleet.go     the units of an item: elements, batches, parallel hosts
//	unit.go      one unit as a state machine: unless → command → captures → expect → verify → outcome
//	attempt.go   one launch: intent on disk → effect → outcome on disk → release
//	rounds.go    observations, repeated while they do not hold (poll)
//	valve.go     what may start now: pause, drain, stop, hold, leave
//
// How a run is taken up that an earlier controller left:
//
//	past.go      what the journal says: items, units, attempts, people's words
//	resume.go    an item that is on record is loaded, or goes on where it was
//	collect.go   an attempt that is on record: its outcome, or what its host says became of it; what stays unknown
//	recall.go    results for later expressions, from what was recorded
//	pastgate.go  gates, manual items, waits and conditions of phases
//	pastback.go  a rollback that was interrupted, failed or stopped
//
// Rules that hold everywhere: the intent is on disk before a launch; what is unknown is never started again and holds
// the run; a journal that fails stops the run before its next effect; cleanup always runs, unless the run is left.
package executor
