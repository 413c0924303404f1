package view

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

// desk is an operator who types these lines.
func desk(typed ...string) (*Desk, *bytes.Buffer) {
	s, out := screen()
	a := NewAsker(strings.NewReader(strings.Join(typed, "\n")+"\n"), s, false)
	a.tty = os.Stdin
	return NewDesk(a, "op@here", func(_ context.Context, key string, text []byte) ([]byte, error) {
		if key != "good" {
			return nil, errors.New("open key " + key + ": no such file")
		}
		return append([]byte("signed "), text...), nil
	}), out
}

func TestDeskGate(t *testing.T) {
	t.Parallel()
	q := engine.GateQuestion{Item: "gate.promote", Question: "Promote?", Role: "mim", Members: []string{"ann", "bob"}, Missing: 2, Request: []byte("text")}
	d, out := desk("x", "s", "a", "ann", "bad", "good")
	got, err := d.Gate(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, engine.GateWord{By: "ann", Text: []byte("text"), Signature: []byte("signed text")}, got)
	require.Contains(t, out.String(), "APPROVAL WANTED gate.promote\n  Promote?\n  2 more of role mim: ann, bob\n")
	require.Contains(t, out.String(), `"x" is none of them.`)
	require.Contains(t, out.String(), "open key bad: no such file")

	d, _ = desk("d", "", "bob", "not tonight")
	got, err = d.Gate(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, engine.GateWord{By: "bob", Deny: true, Reason: "not tonight"}, got)

	q.Typed, q.Refused = "db-b1", "not a member of the role"
	d, out = desk("a", "ann", "db-a1", "a", "ann", "db-b1", "good")
	got, err = d.Gate(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, []byte("signed text"), got.Signature)
	require.Contains(t, out.String(), "that is not it; nothing was approved")
	require.Contains(t, out.String(), "that did not count: not a member of the role")
}

func TestDeskDecideAndConfirm(t *testing.T) {
	t.Parallel()
	d, out := desk("2", "cheaper")
	a, err := d.Decide(t.Context(), engine.DecisionQuestion{Item: "decision.way", Options: []string{"go", "back-out"}, Stops: []string{"back-out"}})
	require.NoError(t, err)
	require.Equal(t, engine.DecisionAnswer{Choice: "back-out", By: "op@here", Reason: "cheaper"}, a)
	require.Contains(t, out.String(), "  2  back-out  (stops the run)\n")

	d, _ = desk("go", "ann", "it is time")
	a, err = d.Decide(t.Context(), engine.DecisionQuestion{Item: "decision.way", Options: []string{"go"}, Role: "mim", Members: []string{"ann"}})
	require.NoError(t, err)
	require.Equal(t, engine.DecisionAnswer{Choice: "go", By: "ann", Reason: "it is time"}, a)

	d, _ = desk("db-b1")
	c, err := d.Confirm(t.Context(), engine.ConfirmQuestion{Item: "step.promote", Text: "db-b1"})
	require.NoError(t, err)
	require.Equal(t, engine.ConfirmAnswer{By: "op@here", Typed: "db-b1"}, c)
}

func TestDeskManual(t *testing.T) {
	t.Parallel()
	number := func(text string) error {
		if text != "7" {
			return errors.New("seven wanted")
		}
		return nil
	}
	d, out := desk("d", "6", "7")
	a, err := d.Manual(t.Context(), engine.ManualQuestion{
		Item: "manual.smoke", Instructions: "Look.\x1b[2J\n", Inputs: []engine.ManualInput{{Name: "n", Type: "number", Check: number}},
	})
	require.NoError(t, err)
	require.Equal(t, engine.ManualAnswer{By: "op@here", Done: true, Inputs: map[string]string{"n": "7"}}, a)
	require.Contains(t, out.String(), "seven wanted")
	require.NotContains(t, out.String(), "\x1b[2J")

	d, _ = desk("d", "ann")
	a, err = d.Manual(t.Context(), engine.ManualQuestion{Item: "manual.smoke", Role: "mim", Members: []string{"ann"}, Missing: 1})
	require.NoError(t, err)
	require.Equal(t, "ann", a.By)

	d, _ = desk("f", "", "the portal is down")
	a, err = d.Manual(t.Context(), engine.ManualQuestion{Item: "manual.smoke"})
	require.NoError(t, err)
	require.Equal(t, engine.ManualAnswer{By: "op@here", Inputs: map[string]string{}, Note: "the portal is down"}, a)
}

func TestDeskAfterInterruptAndFailure(t *testing.T) {
	t.Parallel()
	d, _ := desk("a", "called off")
	i, err := d.Interrupted(t.Context(), engine.InterruptQuestion{})
	require.NoError(t, err)
	require.Equal(t, engine.InterruptAnswer{Action: engine.ActionAbort, By: "op@here", Reason: "called off"}, i)

	d, _ = desk("b", "it made things worse")
	i, err = d.Interrupted(t.Context(), engine.InterruptQuestion{})
	require.NoError(t, err)
	require.Equal(t, engine.InterruptAnswer{Action: engine.ActionRollback, By: "op@here", Reason: "it made things worse"}, i)

	d, out := desk("zzz", "r", "the disk was full")
	f, err := d.Failed(t.Context(), engine.FailureQuestion{Item: "step.x", Options: []string{engine.ActionRetry, engine.ActionAbort, "new-word"}})
	require.NoError(t, err)
	require.Equal(t, engine.FailureAnswer{Action: engine.ActionRetry, By: "op@here", Reason: "the disk was full"}, f)
	require.Contains(t, out.String(), "  3  new-word\n", "a word of a later engine can be chosen too")
}
