package runbooks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestRollout_batches(t *testing.T) {
	t.Parallel()
	n, pct := func(n int) runbooks.Size { return runbooks.Size{Count: n} }, func(n int) runbooks.Size { return runbooks.Size{Percent: n} }
	for name, tt := range map[string]struct {
		sizes []runbooks.Size
		hosts int
		want  []int
	}{
		"none":                 {nil, 5, []int{5}},
		"no hosts":             {[]runbooks.Size{n(1)}, 0, nil},
		"one by one":           {[]runbooks.Size{n(1)}, 3, []int{1, 1, 1}},
		"the last is smaller":  {[]runbooks.Size{n(2)}, 5, []int{2, 2, 1}},
		"growing":              {[]runbooks.Size{pct(1), pct(5), pct(25)}, 200, []int{2, 10, 50, 50, 50, 38}},
		"percent rounded up":   {[]runbooks.Size{pct(1)}, 3, []int{1, 1, 1}},
		"counts and percent":   {[]runbooks.Size{n(1), n(5), pct(25)}, 40, []int{1, 5, 10, 10, 10, 4}},
		"more than there are":  {[]runbooks.Size{n(10)}, 3, []int{3}},
		"all at once, in word": {[]runbooks.Size{pct(100)}, 7, []int{7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, (&runbooks.Rollout{Batch: tt.sizes}).Batches(tt.hosts))
		})
	}
	var none *runbooks.Rollout
	require.Equal(t, []int{4}, none.Batches(4))
	require.Zero(t, none.MayFail(2, 100))
	require.Zero(t, (&runbooks.Rollout{}).MayFail(0, 100))
	r := &runbooks.Rollout{MaxFailures: []runbooks.Size{n(0), n(1), pct(10)}}
	require.Equal(t, []int{0, 1, 10, 10}, []int{r.MayFail(0, 100), r.MayFail(1, 100), r.MayFail(2, 100), r.MayFail(9, 100)})
	require.Equal(t, "25%", pct(25).String())
	require.Equal(t, "3", n(3).String())
}
