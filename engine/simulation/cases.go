package simulation

import (
	"fmt"
	"slices"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// cases are all single faults of the runbook.
func (x *explorer) cases() []faultCase {
	var out []faultCase
	for n := range x.plan.Items {
		id := x.plan.Items[n].ID
		i := itemAt(x.p, x.rb, id)
		if i == nil {
			continue
		}
		for _, c := range x.classes(id) {
			for _, f := range x.faultsOf(i) {
				if c.host == runbooks.ControlName && remote(f.kind) {
					continue
				}
				f.item, f.host, f.alike = id, c.host, c.alike
				if f.kind != FaultExpectation || x.unexpectedFor(i, &f) {
					out = append(out, f)
				}
			}
		}
	}
	return out
}

// remote reports a fault of the way to a host: there is none to the control host.
func remote(k FaultKind) bool {
	return k == FaultUnreachable || k == FaultAuth || k == FaultHostKey || k == FaultLost
}

func faultIn(kind FaultKind, part engine.PartName, words string) faultCase {
	return faultCase{injection: injection{place: place{part: part}, kind: kind}, words: words}
}

// faultsOf are the ways in which an item of this kind can go wrong, on one host.
func (x *explorer) faultsOf(i *runbooks.Item) []faultCase {
	cmd := engine.PartCommand
	reach := []faultCase{
		faultIn(FaultUnreachable, cmd, "unreachable"), faultIn(FaultAuth, cmd, "auth"), faultIn(FaultHostKey, cmd, "host-key"),
	}
	var out []faultCase
	switch i.Kind {
	case runbooks.Check:
		out = x.checkFaults(i, reach)
	case runbooks.Step, runbooks.Transfer:
		out = slices.Concat(reach, []faultCase{faultIn(FaultTimeout, cmd, "timeout"), faultIn(FaultDiskFull, cmd, "disk-full")})
		out = append(out, x.exitFault(i))
		if len(i.Expects)+len(i.ExpectAll)+len(i.Captures) > 0 {
			out = append(out, faultIn(FaultExpectation, cmd, "expectation"))
		}
		for _, variant := range []string{lostNeverStarted, lostFinished, lostForGood} {
			f := faultIn(FaultLost, cmd, "lost-connection ("+variant+")")
			f.variant = variant
			out = append(out, f)
		}
		out = append(out, x.verifyFaults(i)...)
	case runbooks.Manual:
		out = append(out, faultIn(FaultRejected, cmd, "rejected"))
	case runbooks.Gate:
		out = append(out, faultIn(FaultRejected, cmd, "rejected"), faultIn(FaultExpired, cmd, "expired"), faultIn(FaultWrongApprover, cmd, "wrong-approver"))
	case runbooks.Decision:
		if len(i.Stops) > 0 {
			out = append(out, faultIn(FaultRejected, cmd, "rejected"))
		}
		out = append(out, faultIn(FaultExpired, cmd, "expired"))
	case runbooks.Assert, runbooks.Wait, runbooks.Call:
		// They reach no host and ask nobody; what a call does has cases of its own.
	}
	return out
}

func (x *explorer) checkFaults(i *runbooks.Item, reach []faultCase) []faultCase {
	cmd := engine.PartCommand
	var out []faultCase
	switch {
	case i.TCP != nil:
		if i.TCP.Want != "" {
			out = slices.Concat(reach, []faultCase{faultIn(FaultExpectation, cmd, "expectation")})
		}
	case i.HTTP != nil:
		out = append(out, faultIn(FaultUnreachable, cmd, "unreachable"), faultIn(FaultExpectation, cmd, "expectation"))
	default:
		out = slices.Concat(reach, []faultCase{faultIn(FaultTimeout, cmd, "timeout"), faultIn(FaultLost, cmd, "lost-connection")})
		out = append(out, x.exitFault(i))
		if len(i.Expects)+len(i.ExpectAll)+len(i.Captures) > 0 {
			out = append(out, faultIn(FaultExpectation, cmd, "expectation"))
		}
	}
	return out
}

// exitFault is a command that ends with a code that is no success; where every code is one, with another than in the sound
// run: 1 for 0, 0 for any other.
func (x *explorer) exitFault(i *runbooks.Item) faultCase {
	f := faultIn(FaultExit, engine.PartCommand, "exit")
	if i.Command == nil || badCode(i, engine.PartCommand) >= 0 {
		return f
	}
	f.other = true
	return f
}

func (x *explorer) verifyFaults(i *runbooks.Item) []faultCase {
	if i.Verify == nil {
		return nil
	}
	v := engine.PartVerify
	out := []faultCase{faultIn(FaultUnreachable, v, "verify unreachable")}
	if badCode(i, v) >= 0 {
		out = append(out, faultIn(FaultExit, v, "verify exit"))
	}
	if len(i.Verify.Expects)+len(i.Verify.ExpectAll)+len(i.Verify.Captures) > 0 {
		out = append(out, faultIn(FaultExpectation, v, "verify expectation"))
	}
	return out
}

// unexpectedFor finds an output that the item's expectations do not accept, by trying. It reports false when there is none:
// then the expectations hold whatever is said.
func (x *explorer) unexpectedFor(i *runbooks.Item, f *faultCase) bool {
	for f.code = range 7 {
		s := x.script.clone()
		if s.inject(i, f.injection, x.operator) != nil {
			return false
		}
		w := x.world(s)
		w.Lead = leader{}
		ended, err := Run(w)
		if err != nil {
			return true // it is a case, and will say so
		}
		for n := range ended.Record.Items {
			for _, u := range ended.Record.Items[n].Units {
				if u.Item == f.item && u.Host == f.host && u.Standing == engine.Fails {
					return true
				}
			}
			if r := &ended.Record.Items[n]; r.Plan.ID == f.item && r.Standing == engine.Fails {
				return true
			}
		}
	}
	x.skipped[fmt.Sprintf("%s: nothing that was tried as output fails its expectations", placeName(f.place))] = true
	return false
}

// pairs are two faults of different items at a time, of the kinds that differ most.
func (x *explorer) pairs(single []faultCase) []faultCase {
	var out []faultCase
	for a := range single {
		for b := a + 1; b < len(single); b++ {
			if single[a].item == single[b].item || !distinct(single[a].kind) || !distinct(single[b].kind) {
				continue
			}
			c := single[a]
			c.with = &single[b]
			out = append(out, c)
		}
	}
	return out
}

// distinct reports whether a kind of fault shows in pairs what no other does: the ways of not reaching a host are one.
func distinct(k FaultKind) bool {
	return k == FaultExit || k == FaultUnreachable || k == FaultLost || k == FaultRejected
}
