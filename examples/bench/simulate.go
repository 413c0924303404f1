package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// benchSimulation measures the tests of a runbook in simulated time, as a ratio of the run's own time to ours, and the
// exploration of one. Nothing connects.
func benchSimulation(ctx context.Context, s settings, dir string, t *table) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, text := range map[string]string{"main.hcl": waitingRunbook, "main.test.hcl": waitingTest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	var tests, explorations []time.Duration
	var simulated float64
	cases := 0
	for range s.rounds {
		m, err := measure(ctx, dir, s.binary, "test", "--json")
		if err != nil {
			return err
		}
		var doc struct {
			Passed int
			Tests  []struct {
				SimulatedS float64 `json:"simulated_s"`
			}
		}
		if err := json.Unmarshal(m.stdout, &doc); err != nil {
			return fmt.Errorf("read the tests: %w", err)
		}
		if doc.Passed != 1 {
			return fmt.Errorf("%d tests passed, not 1", doc.Passed)
		}
		tests, simulated = append(tests, m.wall), doc.Tests[0].SimulatedS
		if m, err = measure(ctx, dir, s.binary, "test", "waits", "--explore", "--json"); err != nil {
			return err
		}
		var explored struct{ Cases int }
		if err := json.Unmarshal(m.stdout, &explored); err != nil {
			return fmt.Errorf("read the exploration: %w", err)
		}
		explorations, cases = append(explorations, m.wall), explored.Cases
	}
	best := slices.Min(tests)
	t.judge(fmt.Sprintf("simulation: %s of waits and polls, time of ours", time.Duration(simulated*float64(time.Second))), seconds(best), "< 1 s", best < time.Second)
	t.show("simulation: simulated time by ours", fmt.Sprintf("%.0f to 1", simulated/best.Seconds()))
	t.show("simulation: explored cases a second", fmt.Sprintf("%.0f", float64(cases)/slices.Min(explorations).Seconds()))
	return nil
}

const waitingRunbook = `project "bench" { environment = "lab" }
host "a" { address = "192.0.2.1" }
runbook "waits" {
  phase "p" {
    on_failure = "rollback"
    step "begin" {
      hosts = host.a
      argv  = ["begin"]
      verify { argv = ["begun"] }
      rollback { argv = ["end"] }
    }
    wait "half" { duration = "30m" }
    check "caught-up" {
      hosts = host.a
      argv  = ["lag"]
      expect { condition = result.stdout == "0" }
      poll {
        every  = "10s"
        within = "45m"
      }
    }
  }
}
`

const waitingTest = `test "an hour" {
  runbook = "waits"
  on "check.caught-up" { stdout = concat([for n in range(180) : "7"], ["0"]) }
  expect { condition = run.verdict == "passed" }
}
`
