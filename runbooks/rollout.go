package runbooks

import (
	"fmt"
	"strconv"
)

// Of is the size in hosts out of all; percentages are rounded up.
func (s Size) Of(all int) int {
	if s.Percent > 0 {
		return (all*s.Percent + 99) / 100
	}
	return s.Count
}

// String is the size as it is written.
func (s Size) String() string {
	if s.Percent > 0 {
		return fmt.Sprintf("%d%%", s.Percent)
	}
	return strconv.Itoa(s.Count)
}

// Batches are the sizes of the batches that hosts are divided into, each at least 1. A nil rollout, or one without sizes,
// makes one batch of all.
func (r *Rollout) Batches(hosts int) []int {
	if hosts == 0 {
		return nil
	}
	if r == nil || len(r.Batch) == 0 {
		return []int{hosts}
	}
	var out []int
	for n, rest := 0, hosts; rest > 0; n++ {
		size := min(max(1, r.Batch[min(n, len(r.Batch)-1)].Of(hosts)), rest)
		out = append(out, size)
		rest -= size
	}
	return out
}

// MayFail is how many of all hosts may have failed by batch n (from 0) before the rollout stops.
func (r *Rollout) MayFail(n, hosts int) int {
	if r == nil || len(r.MaxFailures) == 0 {
		return 0
	}
	return r.MaxFailures[min(n, len(r.MaxFailures)-1)].Of(hosts)
}
