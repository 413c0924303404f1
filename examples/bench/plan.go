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
)

// itemsPerPhase keeps the shape of a long runbook: many phases, not one endless list.
const itemsPerPhase = 100

// benchPlan measures the plan of a runbook with very many items. Nothing connects.
func benchPlan(ctx context.Context, s settings, dir string, t *table) error {
	if err := writePlan(dir, s.items); err != nil {
		return err
	}
	var walls []time.Duration
	var rss []int64
	for range s.rounds {
		m, err := measure(ctx, dir, s.binary, "plan", "big", "--json")
		if err != nil {
			return err
		}
		var doc struct{ Items []json.RawMessage }
		if err := json.Unmarshal(m.stdout, &doc); err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if len(doc.Items) != s.items {
			return fmt.Errorf("the plan has %d items, not %d", len(doc.Items), s.items)
		}
		walls, rss = append(walls, m.wall), append(rss, m.rss)
	}
	name := fmt.Sprintf("plan: %d items, ", s.items)
	t.judge(name+"time", seconds(slices.Min(walls)), "< 1 s", slices.Min(walls) < time.Second)
	t.judge(name+"peak memory", megabytes(slices.Max(rss)), "< 300 MB", slices.Max(rss) < 300e6)
	return nil
}

// writePlan writes a project whose runbook alternates checks and steps; every item runs on two hosts and follows the one
// before it.
func writePlan(dir string, items int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("project \"bench\" { environment = \"staging\" }\n" +
		"host \"a\" { address = \"192.0.2.1\" }\nhost \"b\" { address = \"192.0.2.2\" }\nrunbook \"big\" {\n")
	for i := range items {
		if i%itemsPerPhase == 0 {
			if i > 0 {
				b.WriteString("  }\n")
			}
			fmt.Fprintf(&b, "  phase \"p%d\" {\n    hosts = [host.a, host.b]\n", i/itemsPerPhase)
		}
		kind := "check"
		if i%2 == 1 {
			kind = "step"
		}
		fmt.Fprintf(&b, "    %s \"i%d\" { argv = [\"true\"] }\n", kind, i)
	}
	b.WriteString("  }\n}\n")
	return os.WriteFile(filepath.Join(dir, "big.hcl"), []byte(b.String()), 0o600)
}
