package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

func (m *markdown) items() {
	m.heading(2, "Items")
	if m.v.ChartNote == "" {
		m.line("Items of the critical path, the chain that decided how long the run took, are marked with ◆.\n")
	}
	for _, p := range m.v.Sections {
		title := md(p.Title)
		if p.Owner != "" {
			title += " (" + md(p.Owner) + ")"
		}
		m.heading(3, title)
		var rows [][]string
		for _, i := range p.Items {
			rows = append(rows, m.itemRow(i))
		}
		if len(rows) == 0 {
			m.line("No items.\n")
			continue
		}
		m.table([]string{"Item", "Outcome", "Hosts", "Started", "Took", "Seconds"}, rows)
		for _, i := range p.Items {
			m.item(i)
		}
	}
}

func (m *markdown) itemRow(i itemView) []string {
	name := mdCode(i.ID)
	if i.Critical {
		name = "◆ " + name
	}
	row := []string{name, outcomeCell(i.Outcome), hostsWords(i.Count), "", "", ""}
	if i.Took != nil {
		row[3], row[4], row[5] = m.when(i.StartedAt), humanSeconds(*i.Took), exactSeconds(*i.Took)
	}
	return row
}

func (m *markdown) item(i itemView) {
	title := md(i.ID)
	if i.Title != "" {
		title += ": " + md(i.Title)
	}
	m.heading(4, title)
	meta := []string{"**" + outcomeCell(i.Outcome) + "**"}
	if i.Owner != "" {
		meta = append(meta, "owner "+md(i.Owner))
	}
	if i.Irreversible {
		meta = append(meta, "irreversible")
	}
	if i.Severity != "" {
		meta = append(meta, md(i.Severity)+": its failure is a deviation")
	}
	if len(i.Units) > 1 {
		for _, c := range i.Counts {
			meta = append(meta, plural(c.N, "host")+" "+OutcomeWords(c.Outcome))
		}
	}
	m.line("%s\n", strings.Join(meta, " · "))
	if i.Reason != "" {
		m.line("%s\n", md(i.Reason))
	}
	if i.Manual != nil {
		m.manual(i.Manual)
	}
	for _, l := range i.peopleLines() {
		m.line("%s\n", md(l))
	}
	if text := i.instructions(); text != "" {
		m.line("Instructions:\n")
		m.fence(text)
	}
	m.expectations(i.Expected)
	for _, c := range i.Commands {
		if c.Text == "" {
			m.line("%s\n", md(c.Note))
			continue
		}
		m.line("%s:\n", strings.TrimSpace(strings.ToUpper(c.Part[:1])+c.Part[1:]+" "+md(c.Note)))
		m.fence(c.Text)
	}
	m.units(i)
}

func (m *markdown) manual(p *Manual) {
	done := "Not done"
	if p.Done {
		done = "Done"
	}
	m.line("%s, by the word of %s (%s), after %s. %s\n", done, md(p.By), signedWord(p.Signed), humanSeconds(p.Waited), md(p.Note))
	for _, c := range p.Inputs {
		m.line("- %s", captureWords(c))
	}
	if len(p.Inputs) > 0 {
		m.line("")
	}
}

func captureWords(c engine.Captured) string {
	if c.Sensitive {
		return md(c.Name) + " = (sensitive)"
	}
	return md(c.Name) + " = " + mdCode(c.Value)
}

func (m *markdown) expectations(list []expectRow) {
	if len(list) == 0 {
		return
	}
	var rows [][]string
	for _, e := range list {
		var observed, results []string
		for _, o := range e.Observed {
			observed = append(observed, mdCode(o))
		}
		for _, c := range e.Results {
			text := resultSign(c.Result) + " " + md(c.Result)
			if c.N > 1 {
				text += " on " + plural(c.N, "host")
			}
			if len(c.Hosts) > 1 || c.N > 1 && len(c.Hosts) > 0 {
				text += ": " + md(strings.Join(c.Hosts, ", "))
			}
			results = append(results, text)
		}
		condition := mdCode(e.Condition)
		if e.Where != "" {
			condition += " (" + md(e.Where) + ")"
		}
		if e.Message != "" {
			condition += "; " + md(e.Message)
		}
		rows = append(rows, []string{condition, strings.Join(observed, ", "), strings.Join(results, "; ")})
	}
	m.table([]string{"Expected", "Observed", "Result"}, rows)
}

func (m *markdown) units(i itemView) {
	if i.OnHosts && len(i.Shown) > 0 {
		var rows [][]string
		for _, u := range i.Shown {
			rows = append(rows, m.unitRow(u))
		}
		m.table([]string{"Host", "Outcome", "Exit", "Started", "Seconds", "Observed"}, rows)
	}
	if len(i.Failing) > 0 {
		left := ""
		if i.FailingLeft > 0 {
			left = fmt.Sprintf(" and %d more", i.FailingLeft)
		}
		m.line("Also failing: %s%s.\n", md(strings.Join(i.Failing, ", ")), left)
	}
	if i.Others != "" {
		m.line("%s\n", i.Others)
	}
	for _, o := range i.Outputs {
		m.output(o)
	}
}

func (m *markdown) unitRow(u unitView) []string {
	exit := ""
	if u.Signal != "" {
		exit = "signal " + md(u.Signal)
	} else if u.ExitCode != nil {
		exit = strconv.Itoa(*u.ExitCode)
	}
	row := []string{md(u.Name), outcomeCell(u.Outcome), exit, "", "", ""}
	if u.Took != nil {
		row[3], row[4] = m.when(u.StartedAt), exactSeconds(*u.Took)
	}
	var seen []string
	for _, c := range u.Captures {
		seen = append(seen, captureWords(c))
	}
	for _, d := range u.Details {
		seen = append(seen, md(d))
	}
	row[5] = strings.Join(seen, "; ")
	return row
}

func (m *markdown) output(o outputView) {
	what := o.Stream
	if o.Part != engine.PartCommand {
		what += " of " + string(o.Part)
	}
	if o.Attempt > 1 {
		what += fmt.Sprintf(", attempt %d", o.Attempt)
	}
	notes := size(o.Size)
	if o.Truncated {
		notes += ", only head and tail kept"
	}
	if o.Redactions > 0 {
		notes += ", " + plural(o.Redactions, "secret") + " redacted"
	}
	m.line("%s: %s (%s, SHA-256 %s)\n", md(o.Who), md(what), notes, mdCode(brief(o.SHA256)))
	if o.Text == "" {
		where := "Not kept as text."
		if o.Artifact != "" {
			where = "In the bundle: " + mdCode(o.Artifact)
		}
		m.line("%s\n", where)
		return
	}
	head, more := excerpt(o.Text, outputLines, outputBytes)
	m.fence(head)
	if more > 0 {
		m.line("… %s more\n", plural(more, "line"))
	}
}

func (m *markdown) hosts() {
	if len(m.v.HostsShown) == 0 {
		return
	}
	m.heading(2, "Hosts")
	var rows [][]string
	for _, h := range m.v.HostsShown {
		row := []string{md(h.Name), md(joinFields(h.Environment, h.Site, h.CI, h.Owner)), "", "", "", "not done"}
		if c := h.Connected; c != nil {
			row[2] = md(c.User + "@" + c.Address)
			row[3] = mdCode(c.HostKey)
			row[4] = md(joinFields(c.ServerVersion, c.Kex, c.Cipher))
			if len(c.Legacy) > 0 {
				row[3] += " legacy algorithms: " + md(joinWords(c.Legacy))
			}
		}
		if p := h.Preflight; p != nil {
			row[5] = "✓ holds"
			if !p.OK {
				row[5] = "✗ does not hold"
			}
			for _, c := range p.Checks {
				if !c.OK {
					row[5] += "; " + md(c.Name+": "+c.Detail)
				}
			}
		}
		rows = append(rows, row)
	}
	m.table([]string{"Host", "Inventory", "Reached as", "Host key", "Server", "Preflight"}, rows)
	if m.v.HostsLeft > 0 {
		m.line("And %s more hosts; report.json has them all.\n", count(m.v.HostsLeft))
	}
}

func joinFields(fields ...string) string {
	var out []string
	for _, f := range fields {
		if f != "" {
			out = append(out, f)
		}
	}
	return strings.Join(out, " · ")
}

func (m *markdown) record() {
	r := m.r
	m.heading(2, "The record")
	var rows [][]string
	for _, k := range r.Marks {
		rows = append(rows, []string{md(k.Mark), m.when(k.At), md(joinFields(k.Source, string(k.Item)))})
	}
	if len(rows) > 0 {
		m.table([]string{"Mark", "Instant", "Given by"}, rows)
	}
	rows = nil
	for _, a := range r.Actions {
		rows = append(rows, []string{m.when(a.At), md(a.Action), placeWords(string(a.Item), a.Host), md(a.By), md(a.Reason)})
	}
	if len(rows) > 0 {
		m.table([]string{"When", "What people did", "Where", "Who", "Why"}, rows)
	}
	rows = nil
	for _, s := range r.Signed {
		rows = append(rows, []string{md(joinFields(s.Kind, s.Subject)), md(joinFields(s.Principal, s.Role)), m.when(s.At), mdLines(s.Text),
			signatureWords(s)})
	}
	if len(rows) > 0 {
		m.table([]string{"Signed piece", "By", "When", "What it says", "Signature"}, rows)
	}
	rows = nil
	for _, v := range r.Variables {
		rows = append(rows, []string{mdCode(v.Name), mdCode(v.Value)})
	}
	if len(rows) > 0 {
		m.table([]string{"Variable", "Value"}, rows)
	}
	rows = nil
	for _, d := range r.Digests {
		rows = append(rows, []string{md(d.Name), mdCode(d.SHA256)})
	}
	m.table([]string{"Digest (SHA-256) of", "Hex"}, rows)
	m.line("Cleanup: %s\n", md(cleanupWords(r)))
	m.line("Written by continuo %s, %d events in %s.\n", md(joinFields(r.Tool.Version, r.Tool.Commit, r.Tool.Go, r.Tool.OS)),
		r.Run.Events, plural(r.Run.Segments, "segment"))
}

func (m *markdown) verify() {
	m.heading(2, "How to verify")
	m.line("This text is derived from the journal of the run and is not itself the evidence. SIGNERS is your own file of " +
		"allowed signers (OpenSSH format), which you have from elsewhere; the copy in the bundle proves nothing.\n")
	m.fence(verifyTool(m.r.Run.ID))
	m.line("Without continuo, inside the bundle:\n")
	m.fence(verifyHand())
}

func signatureWords(s Signed) string {
	switch {
	case s.Verified:
		return "✓ verified"
	case s.Problem != "":
		return "? not verified: " + md(s.Problem)
	}
	return "? not verified"
}
