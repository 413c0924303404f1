package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// pairs splits NAME=VALUE arguments of a repeated flag, each name once.
func pairs(flag string, args []string) (map[string]string, error) {
	out := make(map[string]string, len(args))
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, failf(Usage, fmt.Sprintf("write --%s NAME=VALUE", flag), "--%s %q has no name and value", flag, arg)
		}
		if _, twice := out[name]; twice {
			return nil, failf(Usage, "", "--%s %s is given twice", flag, name)
		}
		out[name] = value
	}
	return out, nil
}

// participants reads --participant NAME=ROLE.
func participants(args []string) ([]engine.Participant, error) {
	var out []engine.Participant
	for _, arg := range args {
		name, role, ok := strings.Cut(arg, "=")
		if !ok || name == "" || role == "" {
			return nil, failf(Usage, `write --participant "NAME=ROLE"`, "--participant %q has no name and role", arg)
		}
		out = append(out, engine.Participant{Name: name, Role: role})
	}
	return out, nil
}

// givenMarks reads --at MARK=TIME. Only marks of the runbook can be given, and none in the future.
func givenMarks(args []string, rb *runbooks.Runbook, zone *time.Location, now time.Time) (map[string]time.Time, error) {
	texts, err := pairs("at", args)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range rb.Marks {
		names = append(names, m.Name)
	}
	out := make(map[string]time.Time, len(texts))
	for name, text := range texts {
		if !slices.Contains(names, name) {
			return nil, failf(Usage, didYouMean(name, names, "the runbook declares no marks"), "--at: runbook %s has no mark %q", rb.Name, name)
		}
		at, err := instant(text, zone, now)
		if err != nil {
			return nil, fail(Usage, fmt.Errorf("--at %s: %w", name, err), "write 2026-11-21T03:15:00Z, 03:15 (the last one), -20m, or now")
		}
		out[name] = at
	}
	return out, nil
}

// instant reads a time as people give it: RFC 3339, a time of day (the last time it was that late), how long ago, or now.
func instant(text string, zone *time.Location, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		if t.After(now) {
			return time.Time{}, fmt.Errorf("%s is in the future", text)
		}
		return t, nil
	}
	if ago, ok := strings.CutPrefix(text, "-"); ok {
		d, err := time.ParseDuration(ago)
		if err != nil || d < 0 {
			return time.Time{}, fmt.Errorf("%q is no length of time", text)
		}
		return now.Add(-d), nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		n := now.In(zone)
		t := time.Date(n.Year(), n.Month(), n.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
		if t.After(now) {
			t = time.Date(n.Year(), n.Month(), n.Day()-1, clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// zoneOf is the project's time zone: times that people type are meant in it.
func zoneOf(p *runbooks.Project) *time.Location {
	if p.Timezone != "" {
		if z, err := time.LoadLocation(p.Timezone); err == nil {
			return z
		}
	}
	return time.Local
}

// knownHosts checks --limit against the plan's hosts.
func knownHosts(limit []string, plan *engine.Plan) error {
	names := make([]string, 0, len(plan.Hosts))
	for _, h := range plan.Hosts {
		names = append(names, h.Name)
	}
	for _, l := range limit {
		if !slices.Contains(names, l) {
			return failf(Usage, didYouMean(l, names, "`continuo plan` lists the hosts"), "--limit: %q is not a host of this plan", l)
		}
	}
	return nil
}

// knownItem checks --from against the plan's items.
func knownItem(from string, plan *engine.Plan) error {
	if from == "" || plan.Item(runbooks.ItemID(from)) != nil {
		return nil
	}
	names := make([]string, 0, len(plan.Items))
	for _, i := range plan.Items {
		names = append(names, string(i.ID))
	}
	return failf(Usage, didYouMean(from, names, "`continuo plan` lists the items"), "--from: %q is not an item of this plan", from)
}

// operator is who acts: the principal that was given, else the user of this machine.
func (a *app) operator(by string) string {
	if by != "" {
		return by
	}
	return a.env.User + "@" + a.env.Hostname
}
