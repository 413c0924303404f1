package report_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func compared(t *testing.T, before, after *story) *report.Diff {
	t.Helper()
	d, err := report.Compare(before.report(t), after.report(t))
	require.NoError(t, err)
	return d
}

func TestCompare_sameRunChangedNothing(t *testing.T) {
	t.Parallel()
	d := compared(t, passedDrill(t), passedDrill(t))
	require.Empty(t, d.Items)
	require.Empty(t, d.Notes)
	require.Zero(t, *d.Elapsed)
	require.Len(t, d.Objectives, 3)
	require.InDelta(t, 116.642, *d.Objectives[0].Before, 1e-9)
	require.InDelta(t, 116.642, *d.Objectives[0].After, 1e-9)
}

func TestCompare_whatFailedNewlyComesFirst(t *testing.T) {
	t.Parallel()
	d := compared(t, passedDrill(t), failedDrill(t))
	require.Equal(t, report.NewlyFailed, d.Items[0].Kind)
	require.Equal(t, runbooks.ItemID("step.promote"), d.Items[0].Item)
	require.Equal(t, []string{"db-b1"}, d.Items[0].Hosts)
	kinds := map[runbooks.ItemID]string{}
	for _, i := range d.Items {
		kinds[i.Item] = i.Kind
	}
	require.Equal(t, report.NewlyNotReached, kinds["check.rows"])
	require.Equal(t, report.Slower, kinds["step.freeze"], "3.3 s after 2.1 s")
	require.NotContains(t, kinds, runbooks.ItemID("check.disk"))
	back := compared(t, failedDrill(t), passedDrill(t))
	for _, i := range back.Items {
		require.NotEqual(t, report.NewlyFailed, i.Kind, i.Item)
	}
	require.Nil(t, back.Objectives[0].Before)
	require.True(t, *back.Objectives[0].MetNow)
}

func TestCompare_saysWhenItIsNotLikeWithLike(t *testing.T) {
	t.Parallel()
	d := compared(t, readyDryRun(t), passedDrill(t))
	require.Nil(t, d.Elapsed)
	require.Contains(t, d.Notes[0], "The modes differ (dry-run, live)")
	other := passedDrill(t).record(t)
	other.Opened.PlanDigest = "sha256:" + digest("another plan")
	other.Closed = false
	r, err := report.Build(other, report.Options{})
	require.NoError(t, err)
	d, err = report.Compare(passedDrill(t).report(t), r)
	require.NoError(t, err)
	require.Len(t, d.Notes, 2)
	_, err = report.Compare(passedDrill(t).report(t), fleetDrill(t).report(t))
	require.ErrorContains(t, err, `is of runbook "payments-failover"`)
}

func TestCompare_itemsOfOnePlanOnly(t *testing.T) {
	t.Parallel()
	then, now := longDrill(t, 3), longDrill(t, 4)
	d := compared(t, then, now)
	require.Equal(t, after("step.number-004"), d.OnlyAfter)
	require.Empty(t, d.OnlyBefore)
	require.Equal(t, after("step.number-004"), compared(t, now, then).OnlyBefore)
}

func TestCompare_smallChangesAreNone(t *testing.T) {
	t.Parallel()
	run := func(took time.Duration) *story {
		p := &engine.Plan{Runbook: "r", Phases: []engine.PlanPhase{{Name: "p", Items: after("step.x")}},
			Items: []engine.PlanItem{{ID: "step.x", Kind: runbooks.Step, Phase: "p", Effect: runbooks.Change}}}
		return newStory(engine.Live, p).step("step.x", "true", "h", result{took: took}).closed(t)
	}
	for after, want := range map[time.Duration]string{
		10 * time.Second: "", 12 * time.Second: "", 12100 * time.Millisecond: report.Slower, 8 * time.Second: report.Faster, 9 * time.Second: "",
	} {
		d := compared(t, run(10*time.Second), run(after))
		if want == "" {
			require.Empty(t, d.Items, after.String())
			continue
		}
		require.Equal(t, want, d.Items[0].Kind, after.String())
	}
	require.Empty(t, compared(t, run(100*time.Millisecond), run(500*time.Millisecond)).Items, "under half a second is noise")
}

func TestDiff_JSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, compared(t, passedDrill(t), failedDrill(t)).JSON(&b))
	golden(t, "testdata/golden/diff.json", b.Bytes())
}
