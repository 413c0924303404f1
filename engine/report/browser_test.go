package report_test

import (
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/report"
)

// chromium is a headless browser without a network, and with nothing of this machine's in it. Only `make axe` uses it.
func chromium(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), browser, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-quic", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir=" + filepath.Join(t.TempDir(), "profile"), "--virtual-time-budget=60000",
	}, args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	return string(out), errs.String()
}

// pages are the reports that a browser looks at: of each kind of end, and one that was reviewed and commented on.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	all := samples(t)
	for _, name := range []string{"passed", "failed", "dry-run", "rolled-back", "fleet"} {
		s, ok := all[name]
		if name == "rolled-back" {
			s, ok = rolledBackDrill(t), true
		}
		require.True(t, ok, name)
		out[name] = asHTML(t, s.report(t))
	}
	r, err := report.Build(passedDrill(t).record(t), report.Options{Signed: signedPieces()})
	require.NoError(t, err)
	out["signed"] = asHTML(t, r)
	return out
}

// signedPieces are what came after the seal: a review, one that was taken back, commentary, a time stamp.
func signedPieces() []report.Signed {
	return []report.Signed{
		{Kind: "review", Role: "auditor", Principal: "rita@example.org", At: sampleStart, Verified: true, Path: "after/0001-review.txt",
			Text: "Seen, accepted. The lag was higher than in spring."},
		{Kind: "review", Role: "mim", Principal: "carol@example.org", At: sampleStart, Path: "after/0002-review.txt", Text: "Reviewed.",
			Problem: "withdrawn by its author in after/0003-withdrawal.txt"},
		{Kind: "addendum", Role: "author", Principal: "ann@example.org", At: sampleStart, Verified: true, Path: "after/0004-addendum.txt",
			Text: "What we learned:\n\nThe standby was behind because of the backup.\nNext time: pause it first."},
		{Kind: "timestamp", At: sampleStart, Path: "after/0005-timestamp.tsr", Problem: "the authority's signature: openssl ts -verify"},
	}
}

// asFile writes a page where a browser can open it.
func asFile(t *testing.T, page string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	return file
}

// needsAxe gives the source of axe-core, or skips.
func needsAxe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("CONTINUO_AXE")
	if path == "" {
		t.Skip("`make axe` sets CONTINUO_AXE to the path of axe.min.js (npm install axe-core)")
	}
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(source)
}

// TestBrowser_accessible runs axe-core over the pages, in light and in dark: no violation of WCAG 2.2 AA.
func TestBrowser_accessible(t *testing.T) { //nolint:paralleltest // a browser takes the whole machine
	source := needsAxe(t)
	for name, page := range pages(t) {
		page = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`).ReplaceAllString(page, "") // axe is a script
		page = strings.Replace(page, "</body>", "<script>"+source+`</script><script>
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => {
  const found = r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html)}));
  document.documentElement.innerHTML = "";
  document.documentElement.setAttribute("data-axe", JSON.stringify({violations: found, passes: r.passes.length}));
});</script></body>`, 1)
		for scheme, setting := range map[string]string{"dark": "0", "light": "1"} {
			out, _ := chromium(t, "--blink-settings=preferredColorScheme="+setting, "--dump-dom", "file://"+asFile(t, page))
			m := regexp.MustCompile(`data-axe="([^"]*)"`).FindStringSubmatch(out)
			require.NotNil(t, m, "axe-core did not finish")
			var got struct {
				Violations []json.RawMessage
				Passes     int
			}
			require.NoError(t, json.Unmarshal([]byte(html.UnescapeString(m[1])), &got))
			require.Empty(t, got.Violations, "%s: %s", name, m[1])
			require.Greater(t, got.Passes, 10)
			t.Logf("%-12s %-5s axe-core: 0 violations, %d rules hold", name, scheme, got.Passes)
		}
	}
}

// TestBrowser_quiet loads the pages as they are: no console message, no request to anywhere.
func TestBrowser_quiet(t *testing.T) { //nolint:paralleltest // a browser takes the whole machine
	needsAxe(t)
	for name, page := range pages(t) {
		file, log := asFile(t, page), filepath.Join(t.TempDir(), "net.json")
		out, errs := chromium(t, "--enable-logging=stderr", "--v=0", "--log-net-log="+log, "--net-log-capture-mode=Everything", "--dump-dom", "file://"+file)
		require.Contains(t, out, "</html>")
		require.NotContains(t, errs, "CONSOLE", name)
		net, err := os.ReadFile(log)
		require.NoError(t, err)
		requests := regexp.MustCompile(`"url":"(https?|wss?|ftp)://[^"]*"`).FindAllString(string(net), -1)
		for _, r := range requests { // the browser's own, which the resolver keeps from leaving
			require.Regexp(t, `://([a-z0-9.-]*\.)?(google|googleapis|gstatic|gvt1)\.com`, r, name)
		}
		t.Logf("%-12s no console message, no request of the page", name)
	}
}

// TestBrowser_prints prints the pages on A4.
func TestBrowser_prints(t *testing.T) { //nolint:paralleltest // a browser takes the whole machine
	needsAxe(t)
	keep := os.Getenv("CONTINUO_SHOTS") // a directory for pictures to look at
	for name, page := range pages(t) {
		file, pdf := asFile(t, page), filepath.Join(t.TempDir(), "page.pdf")
		chromium(t, "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+file)
		data, err := os.ReadFile(pdf)
		require.NoError(t, err)
		boxes := regexp.MustCompile(`/MediaBox\s*\[\s*0\s+0\s+([0-9.]+)\s+([0-9.]+)\s*\]`).FindAllStringSubmatch(string(data), -1)
		require.NotEmpty(t, boxes, "no page")
		for _, b := range boxes {
			w, _ := strconv.ParseFloat(b[1], 64)
			h, _ := strconv.ParseFloat(b[2], 64)
			require.InDelta(t, 595, w, 2, "%s: A4", name)
			require.InDelta(t, 842, h, 2, "%s: A4", name)
		}
		t.Logf("%-12s prints on %d pages of A4", name, len(boxes))
		if keep != "" {
			require.NoError(t, os.WriteFile(filepath.Join(keep, name+".pdf"), data, 0o600))
			chromium(t, "--window-size=1100,2600", "--hide-scrollbars", "--screenshot="+filepath.Join(keep, name+".png"), "file://"+file)
		}
	}
}
