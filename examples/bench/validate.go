package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclparse"
)

// The size of the project that validate and plan are measured with.
const (
	projectHosts = 1000
	projectItems = 1000
)

// benchProject measures validate and plan of a project of many hosts and many items of every common form, beside the bare
// parser of the language on the same files.
func benchProject(ctx context.Context, s settings, dir string, t *table) error {
	if err := writeProject(dir); err != nil {
		return err
	}
	walls := map[string][]time.Duration{}
	var rss []int64
	for range s.rounds {
		took, err := bareParse(dir)
		if err != nil {
			return err
		}
		walls["parse"] = append(walls["parse"], took)
		for _, args := range [][]string{{"validate"}, {"plan", "failover", "--json"}} {
			m, err := measure(ctx, dir, s.binary, args...)
			if err != nil {
				return err
			}
			if args[0] == "plan" {
				if err := allPlanned(m.stdout); err != nil {
					return err
				}
			}
			walls[args[0]], rss = append(walls[args[0]], m.wall), append(rss, m.rss)
		}
	}
	name := fmt.Sprintf("project: %d hosts, %d items, ", projectHosts, projectItems)
	bare, validate, plan := slices.Min(walls["parse"]), slices.Min(walls["validate"]), slices.Min(walls["plan"])
	t.show(name+"bare parser", seconds(bare))
	t.judge(name+"validate", seconds(validate), "< 1 s", validate < time.Second)
	t.judge(name+"plan", seconds(plan), "< 1 s", plan < time.Second)
	t.show(name+"validate to bare parser", fmt.Sprintf("%.1f", validate.Seconds()/bare.Seconds()))
	t.show(name+"plan to bare parser", fmt.Sprintf("%.1f", plan.Seconds()/bare.Seconds()))
	t.judge(name+"peak memory", megabytes(slices.Max(rss)), "< 300 MB", slices.Max(rss) < 300e6)
	return nil
}

// bareParse reads and parses the project's files, and nothing else.
func bareParse(dir string) (time.Duration, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	p := hclparse.NewParser()
	for _, name := range files {
		if _, ds := p.ParseHCLFile(name); ds.HasErrors() {
			return 0, ds
		}
	}
	return time.Since(began), nil
}

// allPlanned makes sure that the plan is that of the project.
func allPlanned(plan []byte) error {
	var doc struct {
		Items []struct{ Hosts []string }
	}
	if err := json.Unmarshal(plan, &doc); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	units := 0
	for _, i := range doc.Items {
		units += len(i.Hosts)
	}
	if len(doc.Items) != projectItems || units < projectHosts*projectItems/12 { // an item is on a twelfth of the hosts or more, in the mean
		return fmt.Errorf("the plan has %d items on %d hosts together", len(doc.Items), units)
	}
	return nil
}

// writeProject writes an inventory with a fleet from CSV, groups and labels, and a runbook whose items capture, expect,
// refer to each other, verify, roll back and roll out.
func writeProject(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var csv, runbook strings.Builder
	csv.WriteString("name,ip,site,tier\n")
	for i := range projectHosts {
		fmt.Fprintf(&csv, "web%04d,10.%d.%d.%d,%c,%s\n", i, i>>16, i>>8&255, i&255, 'a'+i%3, []string{"web", "app", "db", "cache"}[i%4])
	}
	runbook.WriteString(runbookHead)
	for i := range projectItems {
		if i%itemsPerPhase == 0 {
			if i > 0 {
				runbook.WriteString("  }\n")
			}
			fmt.Fprintf(&runbook, "\n  phase \"part %d\" {\n    hosts   = group.%s\n    become  = \"app\"\n    env     = { PART = \"%[1]d\" }\n    timeout = \"2m\"\n",
				i/itemsPerPhase, []string{"web-a", "db-a", "app-b", "cache-b", "site-a"}[i/itemsPerPhase%5])
		}
		writeItem(&runbook, i)
	}
	runbook.WriteString("  }\n}\n")
	for name, text := range map[string]string{"project.hcl": inventoryFile, "failover.hcl": runbook.String(), "web.csv": csv.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

const inventoryFile = `project "bench" { environment = "staging" }

fleet "web" {
  for_each = csvdecode(file("web.csv"))
  name     = each.value.name
  address  = each.value.ip
  site     = each.value.site
  labels   = { tier = each.value.tier }
}

group "site-a" {
  hosts = [for h in inventory : h if h.site == "a"]
}

group "web-a" {
  hosts = [for h in group.site-a : h if h.labels.tier == "web"]
}

group "db-a" {
  hosts = [for h in group.site-a : h if h.labels.tier == "db"]
}

group "app-b" {
  hosts = [for h in inventory : h if h.labels.tier == "app" && h.site == "b"]
}

group "cache-b" {
  hosts = [for h in inventory : h if h.labels.tier == "cache" && h.site == "b"]
}
`

const runbookHead = `runbook "failover" {
  title = "Fail over everything"

  variable "max_lag" {
    type    = number
    default = 30
  }

  locals {
    limit = var.max_lag * 2
  }

  mark "begun" {}

  objective "rto" {
    target = "15m"
    from   = "begun"
    to     = "done"
  }
`

// writeItem writes one of five items that refer to each other in turn.
func writeItem(b *strings.Builder, i int) {
	switch i % 5 {
	case 0:
		fmt.Fprintf(b, `
    check "lag-%d" {
      title = "How far behind is it?"
      argv  = ["psql", "-XAtqc", "select lag from ops.replication", self.name]
      capture "lag" {
        value = split("|", result.stdout)[0]
        type  = number
      }
      expect {
        condition = result.lag <= local.limit
        message   = "${self.name} is ${result.lag} s behind, more than ${local.limit} s"
      }
      expect_all {
        condition = alltrue([for r in results : r.lag < 100])
      }
    }
`, i)
	case 1:
		fmt.Fprintf(b, `
    step "stop-%d" {
      argv  = ["systemctl", "stop", "app", "--reason", "lag ${check.lag-%d.ok}"]
      after = [check.lag-%d]
      rollback {
        argv = ["systemctl", "start", "app"]
      }
      rollout {
        batch        = [1, 5, "25%%"]
        max_failures = 1
      }
    }
`, i, i-1, i-1)
	case 2:
		fmt.Fprintf(b, `
    step "switch-%d" {
      script = <<-EOT
        set -e
        if [ -e /run/app.lock ]; then
          echo locked >&2
          exit 3
        fi
        /usr/local/bin/switch --to "$SITE"
      EOT
      env    = { SITE = self.site, STOPPED = "${step.stop-%d.ok}" }
      when   = step.stop-%d.ok
      verify {
        argv = ["/usr/local/bin/switch", "--status"]
        expect {
          condition = result.stdout == self.site
        }
        poll {
          every  = "2s"
          within = "1m"
        }
      }
      rollout {
        batch = "50%%"
      }
      marks = ["done"]
    }
`, i, i-1, i-1)
	case 3:
		fmt.Fprintf(b, `
    check "health-%d" {
      tcp {
        address = "${self.address}:443"
        from    = group.db-a
        want    = "open"
      }
    }
`, i)
	case 4:
		fmt.Fprintf(b, `
    assert "moved-%d" {
      condition = step.switch-%d.ok && check.health-%d.outcome != "failed"
      message   = "the switch of part %[1]d did not take"
    }
`, i, i-2, i-1)
	}
}
