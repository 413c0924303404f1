package report_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// BenchmarkFleet renders a run of forty checks on a thousand hosts.
func BenchmarkFleet(b *testing.B) {
	p := &engine.Plan{Runbook: "fleet", Phases: []engine.PlanPhase{{Name: "p"}}}
	var hosts []string
	for n := range 1000 {
		hosts = append(hosts, fmt.Sprintf("h%04d", n))
		p.Hosts = append(p.Hosts, engine.PlanHost{Name: hosts[n]})
	}
	for n := range 40 {
		id := runbooks.ItemID(fmt.Sprintf("check.c%02d", n))
		p.Items = append(p.Items, engine.PlanItem{ID: id, Kind: runbooks.Check, Phase: "p", Hosts: hosts, Effect: runbooks.Read})
		p.Phases[0].Items = append(p.Phases[0].Items, id)
	}
	s := newStory(engine.Live, p)
	for _, i := range p.Items {
		s.check(string(i.ID), "true", hosts, func(n int) result { return result{took: time.Duration(n) * time.Millisecond, stdout: "ok\n"} })
	}
	rec := s.closed(b).record(b)
	faces := map[string]func(*report.Report) error{
		"html":  func(r *report.Report) error { return r.HTML(io.Discard) },
		"json":  func(r *report.Report) error { return r.JSON(io.Discard) },
		"oscal": func(r *report.Report) error { return r.OSCAL(io.Discard) },
		"csv":   func(r *report.Report) error { return r.CSV(io.Discard) },
	}
	for name, write := range faces {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := report.Build(rec, report.Options{})
				require.NoError(b, err)
				require.NoError(b, write(r))
			}
		})
	}
}
