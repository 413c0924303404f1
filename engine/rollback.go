package engine

import "slices"

// RollbackVerdict is the result of a rollback by itself; the run has its own.
type RollbackVerdict string

// The verdicts of a rollback.
const (
	// RolledBack: everything that may have been changed was undone.
	RolledBack RollbackVerdict = "rolled-back"
	// RolledBackInPart: something has no way back, or lies before the point of no return; it is left as it is.
	RolledBackInPart RollbackVerdict = "rolled-back-in-part"
	// RollbackFailed: the way back of something failed, and what comes after it was not undone.
	RollbackFailed RollbackVerdict = "rollback-failed"
	// RollbackUnfinished: it was interrupted, and goes on when the run is resumed.
	RollbackUnfinished RollbackVerdict = "rollback-unfinished"
)

// Verdict is what the rollback came to.
func (r *RollbackRecord) Verdict() RollbackVerdict {
	failed, left := r.ByHand()
	switch {
	case !r.Ended:
		return RollbackUnfinished
	case len(failed) > 0:
		return RollbackFailed
	case len(left) > 0:
		return RolledBackInPart
	}
	return RolledBack
}

// ByHand is what is left to people: the units whose way back failed and of which nobody has said since that they were undone,
// and those that were not rolled back at all.
func (r *RollbackRecord) ByHand() (failed, left []Unit) {
	undone := func(u Unit) bool {
		return slices.ContainsFunc(r.Settled, func(s ItemSettled) bool { return s.Unit == u && s.As == Done })
	}
	return slices.DeleteFunc(slices.Clone(r.Failed), undone), slices.DeleteFunc(slices.Clone(r.Left), undone)
}
