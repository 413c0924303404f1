package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// FaultKind is one way in which an item can go wrong.
type FaultKind string

// The kinds of faults, as in `fault` blocks and in what explore reports.
const (
	FaultExit          FaultKind = "exit"        // the command ends with a code that is no success
	FaultTimeout       FaultKind = "timeout"     // it does not end in time, and is killed
	FaultUnreachable   FaultKind = "unreachable" // the host does not answer
	FaultAuth          FaultKind = "auth"        // the host refuses the login
	FaultHostKey       FaultKind = "host-key"    // the host shows another key
	FaultLost          FaultKind = "lost-connection"
	FaultExpectation   FaultKind = "expectation" // the command works and says what is not expected
	FaultDiskFull      FaultKind = "disk-full"   // the host has no room for an attempt
	FaultRejected      FaultKind = "rejected"    // a person says no
	FaultExpired       FaultKind = "expired"
	FaultWrongApprover FaultKind = "wrong-approver"
	FaultCrash         FaultKind = "crash"
	lostNeverStarted             = "never-started" // variants of FaultLost
	lostFinished                 = "finished"
	lostForGood                  = "lost"
)

// fault applies a `fault` block to a scenario.
func (s *scenario) fault(p *runbooks.Project, rb *runbooks.Runbook, f runbooks.Fault, names *expr.Scope, operator string) error {
	i, at, err := target(p, rb, f.Target)
	if err != nil {
		return err
	}
	a, err := values(f.Attrs, names)
	if err != nil {
		return err
	}
	kind, err := a.word("kind")
	if err != nil {
		return err
	}
	if at.host, err = a.word("host"); err != nil {
		return err
	}
	if at.host != "" && at.host != runbooks.ControlName && p.Host(at.host) == nil {
		return fmt.Errorf("%w: there is no host %q", errScript, at.host)
	}
	variant := lostNeverStarted
	switch {
	case a.truth("finished"):
		variant = lostFinished
	case a.truth("started"):
		variant = lostForGood
	}
	code, err := a.whole("exit_code", 0)
	if err != nil {
		return err
	}
	attempt, err := a.whole("attempt", 0)
	if err != nil {
		return err
	}
	return s.inject(i, injection{place: at, kind: FaultKind(kind), variant: variant, code: code, attempt: attempt}, operator)
}

// injection is a fault at a place.
type injection struct {
	place
	kind    FaultKind
	variant string // of a lost connection
	code    int    // of exit; 0: one that is no success
	attempt int    // 0: every attempt that the kind strikes
}

// inject changes what the place answers. What the test had scripted comes back after a fault of one attempt only.
func (s *scenario) inject(i *runbooks.Item, f injection, operator string) error {
	if i.Kind.Effect() == runbooks.Human {
		return s.refuse(i, f, operator)
	}
	normal := s.answersFor(f.place)
	if len(normal) == 0 {
		normal = []simtransport.Answer{{}}
	}
	bad, once, err := f.answer(i, normal)
	if err != nil {
		return err
	}
	switch {
	case f.attempt > 0:
		as := slices.Clone(normal)
		for len(as) < f.attempt {
			as = append(as, as[len(as)-1])
		}
		last := as[len(as)-1]
		as[f.attempt-1] = bad
		s.set(f.place, append(as, last))
	case once:
		s.set(f.place, append([]simtransport.Answer{bad}, normal...))
	default:
		s.set(f.place, []simtransport.Answer{bad})
	}
	return nil
}

// answer is what the host says when the fault strikes. once: it strikes one attempt, and the next is as it was.
func (f injection) answer(i *runbooks.Item, normal []simtransport.Answer) (bad simtransport.Answer, once bool, err error) {
	observes := i.Kind == runbooks.Check || f.part == engine.PartVerify || f.part == engine.PartUnless
	switch f.kind {
	case FaultExit:
		code := f.code
		if code == 0 {
			code = badCode(i, f.part)
		}
		return simtransport.Answer{ExitCode: code, Stderr: "simulated failure\n"}, false, nil
	case FaultTimeout:
		return simtransport.Answer{Delay: timeoutOf(i) + time.Second}, false, nil
	case FaultUnreachable:
		return reach(observes, "dial", "simulated: no answer"), false, nil
	case FaultAuth:
		return reach(observes, "auth", "simulated: the login was refused"), false, nil
	case FaultHostKey:
		return reach(observes, "host-key", "simulated: the host key changed"), false, nil
	case FaultDiskFull:
		return simtransport.Answer{Err: hostError("state-directory", engine.ErrRefused, "simulated: no space left on device")}, false, nil
	case FaultExpectation:
		return f.unexpected(normal), false, nil
	case FaultLost:
		return f.lost(observes, normal)
	default: // of people, of continuo itself, or unknown
		return bad, false, fmt.Errorf("%w: kind %q of %s", errScript, f.kind, i.ID())
	}
}

// unexpected is an answer that works and says something that nobody would expect. code, used by explore, counts the
// things it can say.
func (f injection) unexpected(normal []simtransport.Answer) simtransport.Answer {
	says := []string{"", "simulated: unexpected", "999999999", "-1", "0", "[]", "{}"}
	a := normal[0]
	a.Stdout = says[f.code%len(says)]
	if a.State == engine.TCPOpen || a.State == "" {
		a.State = engine.TCPRefused
	} else {
		a.State = engine.TCPOpen
	}
	a.Status = 503
	return a
}

func (f injection) lost(observes bool, normal []simtransport.Answer) (bad simtransport.Answer, once bool, err error) {
	if observes {
		// What only reads is asked again by whoever polls; nothing is unknown.
		return simtransport.Answer{Err: hostError("lost-connection", engine.ErrUnreachable, "simulated: the connection was lost")}, true, nil
	}
	switch f.variant {
	case lostFinished:
		a := normal[0]
		a.Reattached = 1
		return a, true, nil
	case lostForGood:
		return simtransport.Answer{Err: hostError("lost-connection", engine.ErrLost, "simulated: it had started, and its result is lost")}, false, nil
	}
	return simtransport.Answer{Err: hostError("lost-connection", engine.ErrNeverStarted, "simulated: the connection was lost before the launch")}, true, nil
}

func reach(observes bool, kind, why string) simtransport.Answer {
	a := away(kind, engine.ErrUnreachable, why)
	a.Prepare = !observes
	return a
}

// badCode is an exit code that the part does not accept.
func badCode(i *runbooks.Item, part engine.PartName) int {
	var cmd *runbooks.Command
	switch {
	case part == engine.PartCommand:
		cmd = i.Command
	case part == engine.PartVerify && i.Verify != nil:
		cmd = i.Verify.Command
	case part == engine.PartUnless && i.Unless != nil:
		cmd = i.Unless.Command
	case part == engine.PartRollback && i.Rollback != nil:
		cmd = i.Rollback.Command
	}
	for _, code := range []int{1, 0, 99} {
		if cmd == nil || !cmd.Success.Holds(code) {
			return code
		}
	}
	return -1
}
