package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// commandRow is a command as it ran, or as it was planned.
type commandRow struct {
	Part string // command, unless, verify, rollback; planned for what is no command
	Text string
	Note string // who ran it, on how many
}

// commandRows gathers the commands as they ran; those of the plan where nothing ran.
func commandRows(i *Item) []commandRow {
	rows := ranRows(i)
	if len(rows) > 0 || i.Kind == runbooks.Manual {
		return rows
	}
	for _, c := range i.Planned {
		if text := plannedText(c); text != "" && len(rows) < commandsShown {
			rows = append(rows, plannedRow(i, c, text))
		}
	}
	return rows
}

// ranRows are the different commands of all units, the first few of them.
func ranRows(i *Item) []commandRow {
	var rows []commandRow
	var hosts [][]string
	add := func(part, text string, u *Unit) {
		if text == "" {
			return
		}
		n := slices.IndexFunc(rows, func(r commandRow) bool { return r.Part == part && r.Text == text })
		if n < 0 {
			rows, hosts = append(rows, commandRow{Part: part, Text: text, Note: userWords(u)}), append(hosts, nil)
			n = len(rows) - 1
		}
		if name := unitName(u); len(hosts[n]) == 0 || hosts[n][len(hosts[n])-1] != name { // units come one after another
			hosts[n] = append(hosts[n], name)
		}
	}
	for n := range i.Units {
		u := &i.Units[n]
		add("command", u.Command, u)
		for _, p := range u.Parts {
			add(string(p.Part), p.Command, u)
		}
	}
	for n := range rows {
		if i.Kind.OnHosts() && len(rows) > 1 {
			rows[n].Note = strings.TrimSpace(rows[n].Note + " on " + someOf(hosts[n]))
		}
		rows[n].Text = storedText(rows[n].Text)
	}
	if left := len(rows) - commandsShown; left > 0 {
		rows = append(rows[:commandsShown], commandRow{Note: plural(left, "more command") + "; report.json has them all."})
	}
	return rows
}

// commandsShown is how many different commands of one item are shown.
const commandsShown = 6

// storedText says where a command is that was too long for a line of the journal.
func storedText(text string) string {
	if sha, ok := strings.CutPrefix(text, "artifact:"); ok {
		return "(in the bundle: " + artifactPath(sha) + ")"
	}
	return text
}

// plannedRow shows what the plan says where the record has no command of its own: of probes, and of what did not run.
func plannedRow(i *Item, c engine.PlanCommand, text string) commandRow {
	row := commandRow{Part: cmp.Or(string(c.Part), "command"), Text: text, Note: "as planned; nothing ran"}
	if c.Probe != "" && c.Part == "" {
		row.Part, row.Note = "planned", ""
	}
	if i.Took != nil {
		row.Note = "as planned"
	}
	switch {
	case c.Host != "":
		row.Note = strings.TrimSpace(row.Note + " on " + c.Host)
	case len(c.Hosts) > 0:
		row.Note = strings.TrimSpace(row.Note + " on " + someOf(c.Hosts))
	}
	return row
}

func someOf(hosts []string) string {
	if len(hosts) > hostsShown+1 {
		return fmt.Sprintf("%s and %s", strings.Join(hosts[:hostsShown], ", "), plural(len(hosts)-hostsShown, "more host"))
	}
	return joinWords(hosts)
}

func userWords(u *Unit) string {
	switch {
	case u.Become != "" && u.User != "":
		return "as " + u.Become + " (login " + u.User + ")"
	case u.Become != "":
		return "as " + u.Become
	case u.User != "":
		return "as " + u.User
	}
	return ""
}

func plannedText(c engine.PlanCommand) string {
	switch {
	case len(c.Argv) > 0:
		return argvText(c.Argv)
	case c.Script != "":
		return c.Script
	}
	return c.Probe
}

// argvText shows an argument list; arguments that a shell would divide are quoted.
func argvText(argv []string) string {
	out := make([]string, len(argv))
	for i, a := range argv {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'\\$&|;<>()*?[]{}~`#!") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
