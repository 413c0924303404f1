package cli

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		codes []Code
		want  Code
	}{
		{nil, OK},
		{[]Code{OK, OK}, OK},
		{[]Code{Refused, BadEvidence}, BadEvidence},
		{[]Code{BadEvidence, Fail}, Fail},
		{[]Code{Fail, Aborted}, Aborted},
		{[]Code{Aborted, Held}, Held},
		{[]Code{Held, Defect}, Defect},
		{[]Code{OK, Refused}, Refused},
	} {
		require.Equal(t, tc.want, worst(tc.codes...), "%v", tc.codes)
	}
}

func TestRunCode(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	missed := []engine.ObjectiveRecord{{Met: &yes}, {Met: &no}, {Met: nil}}
	for _, tc := range []struct {
		name string
		rec  engine.Record
		want Code
	}{
		{"passed", engine.Record{Verdict: engine.Passed}, OK},
		{"deviations", engine.Record{Verdict: engine.PassedWithDeviations}, OK},
		{"objective not measured", engine.Record{Verdict: engine.PassedWithDeviations, Objectives: missed[2:]}, OK},
		{"objective missed", engine.Record{Verdict: engine.PassedWithDeviations, Objectives: missed}, Fail},
		{"failed", engine.Record{Verdict: engine.VerdictFailed}, Fail},
		{"ready", engine.Record{Verdict: engine.Ready}, OK},
		{"gaps", engine.Record{Verdict: engine.ReadyWithGaps}, OK},
		{"not ready", engine.Record{Verdict: engine.NotReady}, Fail},
		{"aborted", engine.Record{Verdict: engine.Aborted}, Aborted},
		{"aborted and missed", engine.Record{Verdict: engine.Aborted, Objectives: missed}, Aborted},
		{"incomplete", engine.Record{Verdict: engine.Incomplete}, Held},
		{"unknown wins", engine.Record{Verdict: engine.Aborted, Unknown: 1}, Held},
	} {
		require.Equal(t, tc.want, runCode(&tc.rec), tc.name)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	host := &engine.HostError{Kind: "host-key", Host: "db-1", Err: engine.ErrUnreachable, Hint: "continuo trust add db-1"}
	list := diag.List{{Severity: diag.Error, Code: "CON-R012", Summary: "x"}}.Err()
	for _, tc := range []struct {
		err  error
		code Code
		hint string
	}{
		{failf(Usage, "try this", "no"), Usage, "try this"},
		{fmt.Errorf("outer: %w", failf(Refused, "", "no")), Refused, ""},
		{fmt.Errorf("outer: %w", list), Invalid, ""},
		{fmt.Errorf("outer: %w", host), Fail, "continuo trust add db-1"},
		{errors.New("anything"), Fail, ""},
	} {
		code, hint := classify(tc.err)
		require.Equal(t, tc.code, code, tc.err)
		require.Equal(t, tc.hint, hint, tc.err)
	}
	require.NoError(t, exit(OK))
	require.Error(t, exit(Held))
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		word  string
		names []string
		want  string
	}{
		{"failovr", []string{"failback", "failover"}, "did you mean failover?"},
		{"pay", []string{"web-failover", "payments-failover"}, "did you mean payments-failover?"},
		{"zzz", []string{"failover", "failback"}, "there are: failover, failback"},
		{"zzz", nil, "other"},
		{"zzzzzz", make([]string, 13), "other"},
	} {
		require.Equal(t, tc.want, didYouMean(tc.word, tc.names, "other"))
	}
}
