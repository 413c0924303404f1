package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestInstant(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 2*3600)
	now := time.Date(2026, 1, 2, 0, 30, 0, 0, time.UTC) // 02:30 in the zone
	for _, tc := range []struct {
		text string
		want time.Time
		err  string
	}{
		{"now", now, ""},
		{"2026-01-01T23:00:00Z", time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC), ""},
		{"2026-01-02T01:00:00+02:00", time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC), ""},
		{"02:15", time.Date(2026, 1, 2, 0, 15, 0, 0, time.UTC), ""},
		{"02:15:30", time.Date(2026, 1, 2, 0, 15, 30, 0, time.UTC), ""},
		{"23:50", time.Date(2026, 1, 1, 21, 50, 0, 0, time.UTC), ""}, // yesterday
		{"-20m", now.Add(-20 * time.Minute), ""},
		{"2026-01-02T03:00:00Z", time.Time{}, "in the future"},
		{"-soon", time.Time{}, "no length of time"},
		{"--5m", time.Time{}, "no length of time"},
		{"yesterday", time.Time{}, "no time"},
		{"", time.Time{}, "no time"},
	} {
		got, err := instant(tc.text, zone, now)
		if tc.err != "" {
			require.ErrorContains(t, err, tc.err, tc.text)
			continue
		}
		require.NoError(t, err, tc.text)
		require.True(t, tc.want.Equal(got), "%s: %s", tc.text, got)
	}
}

func TestGivenMarks(t *testing.T) {
	t.Parallel()
	rb := &runbooks.Runbook{Name: "failover", Marks: []*runbooks.Mark{{Name: "declared"}}}
	got, err := givenMarks([]string{"declared=now"}, rb, time.UTC, time.Unix(9, 0))
	require.NoError(t, err)
	require.Equal(t, map[string]time.Time{"declared": time.Unix(9, 0)}, got)

	_, err = givenMarks([]string{"delcared=now"}, rb, time.UTC, time.Unix(9, 0))  //nolint:misspell // the suggestion is what is tested
	requireFailure(t, err, Usage, `no mark "delcared"`, "did you mean declared?") //nolint:misspell // the suggestion is what is tested
	_, err = givenMarks([]string{"declared"}, rb, time.UTC, time.Unix(9, 0))
	requireFailure(t, err, Usage, "no name and value", "--at NAME=VALUE")
	_, err = givenMarks([]string{"declared=now", "declared=now"}, rb, time.UTC, time.Unix(9, 0))
	requireFailure(t, err, Usage, "given twice", "")
}

func TestFlagsThatNameThingsOfThePlan(t *testing.T) {
	t.Parallel()
	plan := &engine.Plan{Hosts: []engine.PlanHost{{Name: "db-1"}}, Items: []engine.PlanItem{{ID: "step.promote"}}}
	require.NoError(t, knownHosts([]string{"db-1"}, plan))
	requireFailure(t, knownHosts([]string{"db-2"}, plan), Usage, `"db-2" is not a host`, "did you mean db-1?")
	require.NoError(t, knownItem("step.promote", plan))
	require.NoError(t, knownItem("", plan))
	requireFailure(t, knownItem("promote", plan), Usage, `"promote" is not an item`, "did you mean step.promote?")

	got, err := participants([]string{"Ann=observer", "Bo=scribe=2"})
	require.NoError(t, err)
	require.Equal(t, []engine.Participant{{Name: "Ann", Role: "observer"}, {Name: "Bo", Role: "scribe=2"}}, got)
	_, err = participants([]string{"Ann"})
	requireFailure(t, err, Usage, "no name and role", "NAME=ROLE")
}

// requireFailure wants an Error of that code, with these words in its text and its hint.
func requireFailure(t *testing.T, err error, code Code, text, hint string) {
	t.Helper()
	require.ErrorContains(t, err, text)
	got, gotHint := classify(err)
	require.Equal(t, code, got)
	require.Contains(t, gotHint, hint)
}
