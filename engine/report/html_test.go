package report_test

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func asHTML(tb testing.TB, r *report.Report) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, r.HTML(&b))
	return b.String()
}

func asMarkdown(tb testing.TB, r *report.Report) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, r.Markdown(&b))
	return b.String()
}

func asJSON(tb testing.TB, r *report.Report) string {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, r.JSON(&b))
	return b.String()
}

// TestWriteSamples writes the samples as HTML and Markdown to the directory in CONTINUO_REPORT_SAMPLES, to be looked at.
func TestWriteSamples(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CONTINUO_REPORT_SAMPLES")
	if dir == "" {
		t.Skip("set CONTINUO_REPORT_SAMPLES to a directory to get the samples as files")
	}
	all := samples(t)
	all["longest"] = longDrill(t, 500)
	for name, s := range all {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".html"), []byte(asHTML(t, s.report(t))), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".md"), []byte(asMarkdown(t, s.report(t))), 0o600))
	}
}

// loads matches whatever would make a browser fetch something.
var loads = regexp.MustCompile(`(?i)<(script|link|img|image|iframe|object|embed|video|audio|source|base|form)\b|\ssrc\s*=|\ssrcset\s*=|@import|xlink:href|\son[a-z]+\s*=`)

// fetches matches an address in CSS; only fragments of the page itself may stand there.
var fetches = regexp.MustCompile(`url\(\s*["']?[^#"'\s]`)

func TestHTML_loadsAndRunsNothing(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		page := asHTML(t, s.report(t))
		require.Empty(t, loads.FindString(page), name)
		require.Empty(t, fetches.FindString(page), name)
		require.Contains(t, page, `content="default-src 'none';`)
	}
}

// hostile are texts that would do harm if they were not escaped.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</style><script>alert(2)</script>`,
	`</title><svg onload=alert(3)>`, `javascript:alert(4)`, "`${alert(5)}`", `{{.Verdict}}`, `&lt;script&gt;`, `<!--`, `]]>`,
	"\x1b[31mred\x1b[0m\x07", "a\u202etxt.exe", "zero\u200bwidth\ufeff", "\xff\xfe broken", "line\nbreak\r\n", "\x00", `"; } body { display: none } a::before { content: "`,
}

// poison puts a text into every place of a record that a host, a person or a file can fill.
func poison(rec *engine.Record, text string) {
	o := &rec.Opened
	o.Project, o.Runbook, o.Title, o.Operator, o.OperatorHost, o.Change, o.Incident = text, text, text, text, text, text, text
	o.Exercise, o.Impact, o.RollbackOf, o.From, o.Limit = text, text, text, text, []string{text}
	o.Participants, o.Tool = []engine.Participant{{Name: text, Role: text}}, engine.Tool{Version: text, Commit: text, Go: text, OS: text}
	o.PlanSHA256, o.Run, rec.Why = text, engine.RunID(text), text
	p := rec.Plan
	p.Service, p.Owner, p.Version = text, text, text
	p.Scenario = &engine.PlanScenario{Title: text, Severity: text, Assumptions: []string{text}}
	p.Variables = []engine.PlanVariable{{Name: text, Value: text}}
	for n := range p.Hosts {
		h := &p.Hosts[n]
		h.Address, h.Site, h.Environment, h.CI, h.Owner, h.Via = text, text, text, text, text, text
	}
	for n := range p.Phases {
		p.Phases[n].Title, p.Phases[n].Owner = text, text
	}
	for n := range p.Items {
		i := &p.Items[n]
		i.Title, i.Owner, i.Lane, i.Expects = text, text, text, []string{text}
		i.Commands = []engine.PlanCommand{{Host: text, Script: text}, {Argv: []string{text, text}}, {Probe: text}}
	}
	for n := range rec.Items {
		poisonItem(&rec.Items[n], text)
	}
	for n := range rec.Hosts {
		h := &rec.Hosts[n]
		if c := h.Connected; c != nil {
			*c = engine.HostConnected{Host: c.Host, Address: text, User: text, HostKey: text, HostKeyType: text, Kex: text, Cipher: text,
				ServerVersion: text, AuthMethod: text, Via: []string{text}, Legacy: []string{text}}
		}
		if f := h.Preflight; f != nil {
			*f = engine.PreflightResult{Host: f.Host, Hostname: text, OS: text, BootID: text, Checks: []engine.PreflightCheck{{Name: text, Detail: text, Hint: text}}}
		}
	}
	rec.Deviations = []engine.Deviation{{Kind: text, Host: text, By: text, Reason: text}}
	rec.Actions = []engine.ActionRecord{{OperatorAction: engine.OperatorAction{Action: text, By: text, Host: text, Reason: text}}}
	rec.Marks = []engine.MarkSet{{Mark: text, At: rec.StartedAt.Add(time.Second), Source: text}}
	rec.Rollback = &engine.RollbackRecord{RollbackStarted: engine.RollbackStarted{Reason: text, By: text, Until: runbooks.ItemID(text)},
		RollbackEnded: engine.RollbackEnded{Held: text, Left: []engine.Unit{{Item: runbooks.ItemID(text), Key: text, Host: text}}}}
	rec.Gaps = []engine.Gap{{Item: "x", Host: text, Why: text, Real: true}, {Item: "x", Why: text}}
	for n := range rec.Objectives {
		rec.Objectives[n].Name, rec.Objectives[n].From, rec.Objectives[n].To, rec.Objectives[n].Problem, rec.Objectives[n].Clock = text, text, text, text, text
	}
}

func poisonItem(i *engine.ItemRecord, text string) {
	i.Reason, i.Cause = text, text
	i.Expectations = []engine.Expectation{{Condition: text, Result: text, Observed: text, Message: text}}
	if i.Manual != nil {
		i.Manual = &engine.ManualDone{By: text, Note: text, Inputs: []engine.Captured{{Name: text, Value: text}}}
	}
	i.Approvals = []engine.ApprovalGranted{{By: text, Fingerprint: text}, {By: text, Void: text}}
	i.Denied, i.Decision = &engine.ApprovalDenied{By: text, Reason: text}, &engine.DecisionMade{Choice: text, By: text, Reason: text}
	for n := range i.Units {
		u := &i.Units[n]
		u.Reason, u.Cause, u.SettledBy, u.Signal, u.Command, u.Key = text, text, text, text, text, text
		u.Captures = []engine.Captured{{Name: text, Value: text}}
		u.Expectations, u.Survivors = i.Expectations, []string{text}
		u.Outputs = []engine.ItemOutput{{Part: engine.PartName(text), Stream: text, SHA256: text, Text: text},
			{Part: engine.PartCommand, Stream: text, SHA256: text, Artifact: text}}
		u.Parts = []engine.ItemOutcome{{Part: engine.PartVerify, Reason: text, Signal: text, Command: text, Expectations: i.Expectations}}
	}
}

func poisoned(tb testing.TB, rec *engine.Record, text string) *report.Report {
	tb.Helper()
	poison(rec, text)
	signed := []report.Signed{{Kind: text, Role: text, Principal: text, Subject: text, Text: text, Path: text, Problem: text}}
	r, err := report.Build(rec, report.Options{Signed: signed})
	require.NoError(tb, err)
	return r
}

var (
	tags = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[-a-zA-Z:]+(?:="[^"<>]*")?)*)\s*/?>`)
	// dangerous attributes run or load something.
	dangerous = regexp.MustCompile(`(?i)\son[a-z]+=|javascript:|\ssrc=`)
	forbidden = map[string]bool{"script": true, "img": true, "iframe": true, "object": true, "embed": true, "form": true, "base": true}
	stylesOf  = regexp.MustCompile(`(?s)<style>.*</style>`)
)

// requireHarmless checks that a page has only our own elements, no way to run or load anything, and no byte that is
// obeyed instead of shown.
func requireHarmless(tb testing.TB, page string) {
	tb.Helper()
	require.Equal(tb, 1, strings.Count(page, "</style>"), "the style block ends where we end it")
	body := stylesOf.ReplaceAllString(page, "")
	for _, m := range tags.FindAllStringSubmatch(body, -1) {
		if forbidden[strings.ToLower(m[2])] || dangerous.MatchString(m[3]) {
			require.Fail(tb, "a tag that could run or load something", m[0])
		}
	}
	rest := strings.Replace(tags.ReplaceAllString(body, ""), "<!DOCTYPE html>", "", 1)
	require.NotContains(tb, rest, "<", "everything that begins like a tag is one of ours")
	for _, r := range page {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e ||
			r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0xfeff || r == 0xfffd {
			require.Failf(tb, "not shown but obeyed", "%U: %q", r, around(page, r))
		}
	}
}

func TestHTML_hostileTextsAreShownNotObeyed(t *testing.T) {
	t.Parallel()
	rec := failedDrill(t).record(t)
	for _, text := range hostile {
		requireHarmless(t, asHTML(t, poisoned(t, rec, text)))
	}
	page := html.UnescapeString(asHTML(t, poisoned(t, rec, "a\u202eb\x1b[31m<script>")))
	require.Contains(t, page, `a<span class="esc">\u202e</span>b<span class="esc">\x1b</span>[31m<script>`)
}

func FuzzHTML(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	rec := failedDrill(f).record(f) // each text overwrites the one before it in every place
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			t.Skip("long texts are no different")
		}
		requireHarmless(t, asHTML(t, poisoned(t, rec, text)))
	})
}

func TestHTML_instructionsAreMarkdownWithoutHTML(t *testing.T) {
	t.Parallel()
	page := asHTML(t, passedDrill(t).report(t))
	require.Contains(t, page, "<p><strong>Smoke test</strong></p>")
	require.Contains(t, page, "Pay <strong>one penny</strong> in the <a href=\"https://pay.example.org\">portal</a>.")
	require.Contains(t, page, "[image: https://evil.example/x.png] logo and &lt;b&gt;look&lt;/b&gt;.")
	require.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	require.NotContains(t, page, "<script")
}

var headings = regexp.MustCompile(`<h([1-6])[ >]`)

func TestHTML_structure(t *testing.T) {
	t.Parallel()
	for name, s := range samples(t) {
		page := asHTML(t, s.report(t))
		last := 0
		for _, m := range headings.FindAllStringSubmatch(page, -1) {
			level := int(m[1][0] - '0')
			require.LessOrEqual(t, level, last+1, "%s: a heading of level %d after %d", name, level, last)
			last = level
		}
		require.Equal(t, 1, strings.Count(page, "<h1"), name)
		require.Equal(t, 1, strings.Count(page, "<main"), name)
		require.NotContains(t, page, "<th>", "every heading of a table has a scope")
		ids := regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(page, -1)
		seen := map[string]bool{}
		for _, id := range ids {
			require.False(t, seen[id[1]], "%s: id %s twice", name, id[1])
			seen[id[1]] = true
		}
		for _, ref := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
			require.True(t, seen[ref[1]], "%s: link to nothing: %s", name, ref[1])
		}
	}
}

func TestDryRun_saysSoAndClaimsNothing(t *testing.T) {
	t.Parallel()
	r := readyDryRun(t).report(t)
	require.Empty(t, r.Objectives)
	page := stylesOf.ReplaceAllString(asHTML(t, r), "")
	for face, text := range map[string]string{"html": page, "md": asMarkdown(t, r), "json": asJSON(t, r)} {
		for _, word := range []string{"passed", "rto", "rpo"} {
			require.NotRegexp(t, `(?i)\b`+word+`\b`, text, face)
		}
		require.Contains(t, strings.ToLower(text), "dry-run", face)
	}
	sections := strings.Split(page, "<h2")
	for _, s := range sections[1:] {
		require.Contains(t, strings.SplitN(s, "</h2>", 2)[0], "Dry-run", "every part of the page says so")
	}
	require.Contains(t, asHTML(t, r), `Dry-run \0000b7  payments-failover`, "and every sheet of paper")
}

func TestHTML_hostsBeyondAFewAreCountedAndFailingOnesNamed(t *testing.T) {
	t.Parallel()
	page := asHTML(t, fleetDrill(t).report(t))
	require.Contains(t, page, "97 more hosts: succeeded, in 101 ms to 773 ms")
	for _, h := range []string{"web-041", "web-042", "web-043"} {
		require.Contains(t, page, `<th scope="row">`+h+`</th><td><span class="word bad">`)
	}
	require.Contains(t, page, "fails</span> on 3 hosts: web-041, web-042, web-043")
	require.Less(t, len(page), 100_000)
}

// around is the place of a rune in a text, for a message.
func around(text string, r rune) string {
	n := strings.IndexRune(text, r)
	return text[max(0, n-60):min(len(text), n+20)]
}
