package simulation

import (
	"cmp"
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
	FaultBecome        FaultKind = "become"      // the host does not let us become the user
	FaultProgram       FaultKind = "program"     // the host does not have the program
	FaultReboot        FaultKind = "reboot"      // the host is restarted, before the launch or after it
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
	if at.host, err = a.host(p); err != nil {
		return err
	}
	variant, err := variantOf(a)
	if err != nil {
		return err
	}
	code, err := a.whole("exit_code", 0)
	if err != nil {
		return err
	}
	attempt, err := a.whole("attempt", 0)
	if err != nil {
		return err
	}
	if FaultKind(kind) == FaultCrash {
		s.crash = crashOf(i, at, variant, attempt)
		return nil
	}
	return s.inject(i, injection{place: at, kind: FaultKind(kind), variant: variant, code: code, attempt: attempt}, operator)
}

// variantOf says how far the command had come when its connection, or continuo, was lost.
func variantOf(a attrs) (string, error) {
	finished, err := a.truth("finished")
	if err != nil {
		return "", err
	}
	started, err := a.truth("started")
	switch {
	case finished:
		return lostFinished, err
	case started:
		return lostForGood, err
	}
	return lostNeverStarted, err
}

// injection is a fault at a place.
type injection struct {
	place
	kind    FaultKind
	variant string // of a lost connection
	code    int    // of exit; 0: one that is no success
	other   bool   // of exit: another code than the one that is scripted, although every code is a success
	attempt int    // 0: every attempt that the kind strikes
}

// inject changes what the place answers. What the test had scripted comes back after a fault of one attempt only.
func (s *scenario) inject(i *runbooks.Item, f injection, operator string) error {
	if i.Kind.Effect() == runbooks.Human {
		return s.refuse(i, f, operator)
	}
	for _, at := range s.struck(f.place) {
		one := f
		one.place = at
		if err := s.strike(i, one); err != nil {
			return err
		}
	}
	return nil
}

// struck is the place of a fault, and every more particular one that has answers of its own.
func (s *scenario) struck(at place) []place {
	out := []place{at}
	for _, p := range s.order {
		if p.item != at.item || p.part != at.part || at.host != "" && p.host != "" && p.host != at.host || at.key != "" && p.key != "" && p.key != at.key {
			continue
		}
		p.host, p.key = cmp.Or(at.host, p.host), cmp.Or(at.key, p.key)
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func (s *scenario) strike(i *runbooks.Item, f injection) error {
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
	observes := i.Kind == runbooks.Check || f.part == engine.PartVerify || f.part == engine.PartUnless ||
		f.part == engine.PartSource || f.part == engine.PartWitness
	switch f.kind {
	case FaultExit:
		code := f.exitCode(i, normal[0])
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
	case FaultBecome:
		return refusal(observes, "become", "simulated: not allowed to become that user"), false, nil
	case FaultProgram:
		return simtransport.Answer{Err: hostError("program", engine.ErrRefused, "simulated: program not found")}, false, nil
	case FaultReboot:
		return f.reboot(observes)
	case FaultExpectation:
		return f.unexpected(normal), false, nil
	case FaultLost:
		return f.lost(observes, normal)
	default: // of people, of continuo itself, or unknown
		return bad, false, fmt.Errorf("%w: kind %q of %s", errScript, f.kind, i.ID())
	}
}

// exitCode is the code of a command that fails.
func (f injection) exitCode(i *runbooks.Item, normal simtransport.Answer) int {
	switch {
	case f.other && normal.ExitCode != 0:
		return 0
	case f.other:
		return 1
	case f.code == 0:
		return badCode(i, f.part)
	}
	return f.code
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
		return simtransport.Answer{Err: hostError("lost", engine.ErrLost, "simulated: it had started, and its result is lost")}, false, nil
	}
	return simtransport.Answer{Err: hostError("never-started", engine.ErrNeverStarted, "simulated: the connection was lost before the launch")}, true, nil
}

// reboot is a host that was restarted between the preparation of an attempt and its launch, which is proven and tried
// again, or while the command ran: its result is lost then, and as another boot may be another machine with the same files,
// no verify settles it.
func (f injection) reboot(observes bool) (bad simtransport.Answer, once bool, err error) {
	switch {
	case observes:
		return simtransport.Answer{Err: hostError("lost-connection", engine.ErrUnreachable, "simulated: the host was restarted")}, true, nil
	case f.variant == lostNeverStarted:
		return simtransport.Answer{Err: hostError("incarnation", engine.ErrNeverStarted, "simulated: the host was restarted before the launch")}, true, nil
	}
	return simtransport.Answer{Err: hostError("lost", engine.ErrOutcomeUnknown, "simulated: the host was restarted while it ran")}, false, nil
}

// refusal is a host that was reached and would not: before there is an intent, where a step prepares first.
func refusal(observes bool, kind, why string) simtransport.Answer {
	return simtransport.Answer{Err: hostError(kind, engine.ErrRefused, why), Prepare: !observes}
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
