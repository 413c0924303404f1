package diag_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

func sarif(t *testing.T, s diag.SARIF, l diag.List) (text string, run map[string]any, results []map[string]any) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, s.Write(&b, l))
	var doc struct {
		Runs []map[string]any `json:"runs"`
	}
	require.NoError(t, json.Unmarshal([]byte(b.String()), &doc))
	require.Len(t, doc.Runs, 1)
	for _, r := range doc.Runs[0]["results"].([]any) {
		results = append(results, r.(map[string]any))
	}
	return b.String(), doc.Runs[0], results
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	src := "名 = bad\n"
	table, err := diag.NewTable([]diag.Doc{{Code: "CON-A001", Title: "title", Meaning: "meaning", Wrong: "w\n", Right: "r\n"}})
	require.NoError(t, err)
	l := diag.List{
		{Severity: diag.Error, Code: "CON-B001", Summary: "two", Range: diag.Range{File: "dir/a b.hcl", Start: diag.Pos{Line: 3}}},
		{Severity: diag.Warning, Code: "CON-A001", Summary: "one", Detail: "d", Hint: "h", Range: at(t, "a.hcl", src, "bad"),
			Related: []diag.Related{{Message: "m", Range: at(t, "a.hcl", src, "名")}}},
		{Severity: diag.Error, Code: "CON-B001", Summary: "no place"},
	}
	s := diag.SARIF{Version: "1.2.3", URI: "https://example.org", Docs: table, Source: source(map[string]string{"a.hcl": src})}
	text, run, results := sarif(t, s, l)
	require.Contains(t, text, `"$schema": "https://json.schemastore.org/sarif-2.1.0.json",`)
	require.Contains(t, text, `"version": "2.1.0",`)
	for _, r := range results {
		prints := r["partialFingerprints"].(map[string]any)
		require.Regexp(t, `^[0-9a-f]{32}:1$`, prints["primaryLocationLineHash"])
		delete(r, "partialFingerprints")
	}
	got, err := json.Marshal(run)
	require.NoError(t, err)
	require.JSONEq(t, `{
	    "tool": {"driver": {"name": "continuo", "version": "1.2.3", "informationUri": "https://example.org", "rules": [
	      {"id": "CON-A001", "shortDescription": {"text": "title"}, "fullDescription": {"text": "meaning"},
	       "help": {"text": "meaning\n\nwrong:\n\nw\n\nright:\n\nr\n",
	         "markdown": "meaning\n\nWrong:\n\n`+"```hcl\\nw\\n```"+`\n\nRight:\n\n`+"```hcl\\nr\\n```"+`\n"},
	       "defaultConfiguration": {"level": "warning"}},
	      {"id": "CON-B001", "defaultConfiguration": {"level": "error"}}]}},
	    "columnKind": "unicodeCodePoints",
	    "results": [
	      {"ruleId": "CON-B001", "ruleIndex": 1, "level": "error", "message": {"text": "no place"}},
	      {"ruleId": "CON-A001", "ruleIndex": 0, "level": "warning", "message": {"text": "one\nd\nhint: h"},
	       "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.hcl"},
	         "region": {"startLine": 1, "startColumn": 5, "endLine": 1, "endColumn": 8}}}],
	       "relatedLocations": [{"id": 1, "message": {"text": "m"}, "physicalLocation": {"artifactLocation": {"uri": "a.hcl"},
	         "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}}}]},
	      {"ruleId": "CON-B001", "ruleIndex": 1, "level": "error", "message": {"text": "two"},
	       "locations": [{"physicalLocation": {"artifactLocation": {"uri": "dir/a%20b.hcl"}, "region": {"startLine": 3, "endLine": 3}}}]}
	    ]}`, string(got))
	text, _, _ = sarif(t, diag.SARIF{}, nil)
	require.Contains(t, text, `"results": []`)
}

// A code host knows a finding again when its line has moved, and tells two on equal lines apart.
func TestSARIF_fingerprints(t *testing.T) {
	t.Parallel()
	prints := func(file, src string) []any {
		var l diag.List
		for n, line := range strings.Split(src, "\n") {
			if strings.Contains(line, "bad") {
				l = append(l, diag.Diagnostic{Severity: diag.Error, Code: "CON-A001", Summary: "s",
					Range: diag.Range{File: file, Start: diag.Pos{Line: n + 1, Byte: offset(src, n)}, End: diag.Pos{Line: n + 1, Byte: offset(src, n) + 1}}})
			}
		}
		_, _, results := sarif(t, diag.SARIF{Source: source(map[string]string{file: src})}, l)
		var out []any
		for _, r := range results {
			out = append(out, r["partialFingerprints"].(map[string]any)["primaryLocationLineHash"])
		}
		return out
	}
	once := prints("a.hcl", "x = bad\n")
	require.Len(t, once, 1)
	require.Equal(t, once, prints("a.hcl", "# new\n\n  x = bad\n"))
	require.NotEqual(t, once, prints("a.hcl", "y = bad\n"))
	require.NotEqual(t, once, prints("b.hcl", "x = bad\n"))
	twice := prints("a.hcl", "x = bad\nx = bad\n")
	require.Equal(t, once[0], twice[0])
	require.NotEqual(t, twice[0], twice[1])
	require.Equal(t, prints("a.env", "x = bad\n"), prints("a.env", "y = bad\n"), "the line of a file that may hold secrets is not in it")
}

// offset is where line n of a text begins, from 0.
func offset(src string, n int) int {
	at := 0
	for range n {
		at += strings.Index(src[at:], "\n") + 1
	}
	return at
}

// Where the project is not the repository's root, the places say where it lies.
func TestSARIF_base(t *testing.T) {
	t.Parallel()
	text, _, _ := sarif(t, diag.SARIF{Base: "run books/pay"}, diag.List{{Severity: diag.Error, Code: "CON-A001", Summary: "s", Range: at(t, "a.hcl", "x", "x")}})
	require.Contains(t, text, `"uri": "run%20books/pay/a.hcl"`)
}
