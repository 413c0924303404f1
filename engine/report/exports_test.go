package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/report"
)

// oscalSchema compiles NIST's schema once for a test.
func oscalSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/oscal_complete_schema-1-2-2.json")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("oscal.json", doc))
	s, err := c.Compile("oscal.json")
	require.NoError(t, err)
	return s
}

func TestOSCAL_validAgainstTheSchema(t *testing.T) {
	t.Parallel()
	schema := oscalSchema(t)
	for name, s := range samples(t) {
		r := s.report(t)
		for face, write := range map[string]func(*bytes.Buffer) error{
			"results": func(b *bytes.Buffer) error { return r.OSCAL(b) },
			"plan":    func(b *bytes.Buffer) error { return r.OSCALPlan(b) },
		} {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			doc, err := jsonschema.UnmarshalJSON(&b)
			require.NoError(t, err)
			require.NoError(t, schema.Validate(doc), "%s of %s", face, name)
		}
	}
}

// validate fails the test when b is not valid OSCAL.
// The version is what a document says of itself, and nothing else of it changes.
func TestOSCAL_version(t *testing.T) {
	t.Parallel()
	rec := passedDrill(t).record(t)
	newest, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	var want, got bytes.Buffer
	require.NoError(t, newest.OSCAL(&want))
	older, err := report.Build(rec, report.Options{OSCALVersion: "1.1.2"})
	require.NoError(t, err)
	require.NoError(t, older.OSCAL(&got))
	validate(t, oscalSchema(t), got.Bytes())
	require.Equal(t, 1, strings.Count(got.String(), `"oscal-version": "1.1.2"`))
	// The plan's digest is in the results, and the plan says its version too.
	differ := 0
	a, b := strings.Split(want.String(), "\n"), strings.Split(got.String(), "\n")
	require.Len(t, b, len(a))
	for n := range a {
		if a[n] != b[n] {
			differ++
		}
	}
	require.LessOrEqual(t, differ, 2)
	_, err = report.Build(rec, report.Options{OSCALVersion: "9"})
	require.ErrorContains(t, err, `OSCAL "9" is not one of 1.2.2, `)
}

func validate(t *testing.T, schema *jsonschema.Schema, b []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(doc))
}

func TestOSCAL_validWhateverNamesAndTextsAre(t *testing.T) {
	t.Parallel()
	schema := oscalSchema(t)
	for _, text := range []string{"", " ", "\n", "a\nb", "\x00", "\u202e", strings.Repeat("x", 5000), "<script>", "\t", "#"} {
		rec := passedDrill(t).record(t)
		rec.Opened.Operator, rec.Opened.OperatorHost, rec.Opened.Title, rec.Opened.Project = text, text, text, text
		rec.Opened.Change, rec.Opened.Exercise, rec.Why = text, text, text
		rec.Plan.Items[0].Title, rec.Plan.Phases[0].Name = text, text
		rec.Items[0].Reason, rec.Items[0].Units[0].Reason = text, text
		rec.Hosts[0].Connected.HostKey, rec.Hosts[0].Preflight.OS = text, text
		rec.Plan.Hosts[0].Address = text
		rec.Opened.Participants[0].Name = text
		for n := range rec.Items {
			if m := rec.Items[n].Manual; m != nil {
				m.By, m.Note = text, text
			}
		}
		r, err := report.Build(rec, report.Options{Signed: []report.Signed{{Kind: "review", Principal: text, Text: text, Verified: true},
			{Kind: "review", Principal: "rita@example.org", Text: text, Verified: true}}})
		require.NoError(t, err)
		var b, p bytes.Buffer
		require.NoError(t, r.OSCAL(&b))
		require.NoError(t, r.OSCALPlan(&p))
		validate(t, schema, b.Bytes())
		validate(t, schema, p.Bytes())
	}
}

// oscalDoc is what the tests look at in assessment results.
type oscalDoc struct {
	Results struct {
		ImportAP struct{ Href string } `json:"import-ap"`
		Results  []struct {
			Observations []struct {
				UUID    string
				Title   string
				Methods []string
			}
			Findings []struct {
				Title  string
				Target struct {
					ID     string `json:"target-id"`
					Status struct{ State, Reason string }
				}
				Related []struct {
					UUID string `json:"observation-uuid"`
				} `json:"related-observations"`
			}
			Attestations []json.RawMessage
		}
		BackMatter struct {
			Resources []struct {
				UUID   string
				RLinks []struct{ Href string }
			}
		} `json:"back-matter"`
	} `json:"assessment-results"`
}

func readOSCAL(t *testing.T, r *report.Report) oscalDoc {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.OSCAL(&b))
	var d oscalDoc
	require.NoError(t, json.Unmarshal(b.Bytes(), &d))
	return d
}

func TestOSCAL_methodsTellHowSomethingIsKnown(t *testing.T) {
	t.Parallel()
	methods := func(r *report.Report) map[string]string {
		out := map[string]string{}
		for _, o := range readOSCAL(t, r).Results.Results[0].Observations {
			require.Len(t, o.Methods, 1)
			out[strings.SplitN(o.Title, ":", 2)[0]] = o.Methods[0]
		}
		return out
	}
	live := methods(passedDrill(t).report(t))
	require.Equal(t, "TEST", live["check.replication"])
	require.Equal(t, "TEST", live["step.promote"])
	require.Equal(t, "INTERVIEW", live["manual.smoke"])
	require.NotContains(t, live, "wait.settle", "waiting observes nothing")
	dry := methods(readyDryRun(t).report(t))
	require.Equal(t, map[string]string{"check.replication": "EXAMINE", "check.disk": "EXAMINE"}, dry)
}

func TestOSCAL_findingsOnlyOfALiveRun(t *testing.T) {
	t.Parallel()
	require.Empty(t, readOSCAL(t, readyDryRun(t).report(t)).Results.Results[0].Findings)
	d := readOSCAL(t, passedDrill(t).report(t)).Results
	findings := d.Results[0].Findings
	require.Len(t, findings, 4)
	require.Equal(t, "cp-4_obj.a-2", findings[0].Target.ID)
	require.Equal(t, "satisfied", findings[0].Target.Status.State)
	require.Len(t, findings[0].Related, len(d.Results[0].Observations))
	require.Equal(t, "cp-10_obj-1", findings[1].Target.ID)
	unmeasured := readOSCAL(t, failedDrill(t).report(t)).Results.Results[0].Findings
	for _, f := range unmeasured {
		require.Equal(t, "not-satisfied", f.Target.Status.State, f.Title)
		require.Equal(t, "other", f.Target.Status.Reason, f.Title)
	}
	require.Equal(t, "#"+d.BackMatter.Resources[0].UUID, d.ImportAP.Href)
	require.Equal(t, report.OSCALPlanName, d.BackMatter.Resources[0].RLinks[0].Href)
}

func TestOSCAL_reviewIsAnAttestation(t *testing.T) {
	t.Parallel()
	r, err := report.Build(passedDrill(t).record(t), report.Options{Signed: []report.Signed{
		{Kind: "review", Role: "reviewer", Principal: "rita@example.org", At: sampleStart, Text: "Accepted.", Verified: true},
		{Kind: "timestamp", At: sampleStart}, {Kind: "review", Principal: "mallory@example.org"}}})
	require.NoError(t, err)
	require.Len(t, readOSCAL(t, r).Results.Results[0].Attestations, 1)
}

type junitDoc struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name  string `xml:"name,attr"`
		Tests int    `xml:"tests,attr"`
		Cases []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, r *report.Report) junitDoc {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.JUnit(&b))
	var d junitDoc
	require.NoError(t, xml.Unmarshal(b.Bytes(), &d))
	return d
}

func TestJUnit_countsOutcomes(t *testing.T) {
	t.Parallel()
	passed := readJUnit(t, passedDrill(t).report(t))
	require.Equal(t, []int{14, 0, 0, 0}, []int{passed.Tests, passed.Failures, passed.Errors, passed.Skipped})
	failed := readJUnit(t, failedDrill(t).report(t))
	// Unknown and the three objectives that were not measured are errors; four items were not reached.
	require.Equal(t, []int{14, 0, 4, 4}, []int{failed.Tests, failed.Failures, failed.Errors, failed.Skipped})
	fleet := readJUnit(t, fleetDrill(t).report(t))
	require.Equal(t, []int{1000, 3, 0, 0}, []int{fleet.Tests, fleet.Failures, fleet.Errors, fleet.Skipped})
}

func TestJUnit_dryRunPassesNothing(t *testing.T) {
	t.Parallel()
	d := readJUnit(t, readyDryRun(t).report(t))
	require.Equal(t, d.Tests, d.Skipped+d.Failures+d.Errors)
	for _, s := range d.Suites {
		require.NotEqual(t, "objectives", s.Name)
		for _, c := range s.Cases {
			require.True(t, c.Skipped != nil || c.Failure != nil || c.Error != nil, c.Name)
		}
	}
}

func TestJUnit_controlCharactersAreNoXML(t *testing.T) {
	t.Parallel()
	rec := failedDrill(t).record(t)
	rec.Items[3].Units[0].Reason = "\x00\x1b[31m\ufffe\xff ]]> & <x>"
	r, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.JUnit(&b))
	require.NoError(t, xml.Unmarshal(b.Bytes(), &junitDoc{}))
	require.Contains(t, b.String(), `\x00\x1b[31m\ufffe\xff`)
}

func TestCSV_oneRowAUnitAndNoFormulas(t *testing.T) {
	t.Parallel()
	rec := passedDrill(t).record(t)
	for n, evil := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|cmd", "＝1"} {
		rec.Items[n].Units[0].Reason = evil
	}
	r, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.CSV(&b))
	require.Equal(t, strings.Count(b.String(), "\n"), strings.Count(b.String(), "\r\n"))
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 12, "a heading, and eleven units")
	require.Equal(t, "mode", rows[0][1])
	for _, row := range rows[1:] {
		require.Equal(t, "live", row[1])
		for _, cell := range row {
			if cell != "" {
				require.NotContains(t, "=+-@\t\r|＝", string([]rune(cell)[0]), cell)
			}
		}
	}
}

func inToto(t *testing.T, r *report.Report) (result string, passed, warned, failed []string, subject map[string]any) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.InToto(&b, report.Subject{Name: "run/SHA256SUMS", SHA256: digest("sums")}))
	var s struct {
		Type          string `json:"_type"`
		Subject       []map[string]any
		PredicateType string `json:"predicateType"`
		Predicate     struct {
			Result                                string
			Configuration                         []json.RawMessage
			PassedTests, WarnedTests, FailedTests []string
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &s))
	require.Equal(t, "https://in-toto.io/Statement/v1", s.Type)
	require.Equal(t, "https://in-toto.io/attestation/test-result/v0.1", s.PredicateType)
	require.NotEmpty(t, s.Predicate.Configuration)
	require.Len(t, s.Subject, 1)
	return s.Predicate.Result, s.Predicate.PassedTests, s.Predicate.WarnedTests, s.Predicate.FailedTests, s.Subject[0]
}

func TestInToto_result(t *testing.T) {
	t.Parallel()
	result, passed, warned, failed, subject := inToto(t, passedDrill(t).report(t))
	require.Equal(t, "PASSED", result)
	require.Len(t, passed, 14)
	require.Empty(t, warned)
	require.Empty(t, failed)
	require.Equal(t, map[string]any{"sha256": digest("sums")}, subject["digest"])
	result, _, warned, failed, _ = inToto(t, failedDrill(t).report(t))
	require.Equal(t, "FAILED", result)
	require.Contains(t, warned, "fail over/step.freeze@app-b1", "it took two attempts")
	require.Contains(t, failed, "fail over/step.promote@db-b1")
	require.Contains(t, failed, "fail over/check.rows")
}

func TestInToto_neverPassedUnlessLiveAndClosed(t *testing.T) {
	t.Parallel()
	for _, mode := range []engine.Mode{engine.DryRun, engine.Simulate} {
		rec := passedDrill(t).record(t)
		rec.Mode = mode // even a record that claims the impossible
		r, err := report.Build(rec, report.Options{})
		require.NoError(t, err)
		result, passed, _, _, _ := inToto(t, r)
		require.NotEqual(t, "PASSED", result, mode)
		require.Empty(t, passed, mode)
	}
	rec := passedDrill(t).record(t)
	rec.Closed = false
	r, err := report.Build(rec, report.Options{})
	require.NoError(t, err)
	result, _, _, _, _ := inToto(t, r)
	require.Equal(t, "FAILED", result)
	result, passed, _, _, _ := inToto(t, readyDryRun(t).report(t))
	require.Equal(t, "WARNED", result)
	require.Empty(t, passed)
	require.Error(t, r.InToto(&bytes.Buffer{}, report.Subject{Name: "x"}))
}
