package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Schema names the JSON form. Fields may be added to it, never renamed.
const Schema = "continuo/diagnostics/v1"

type jsonList struct {
	Schema      string     `json:"schema"`
	Diagnostics []jsonDiag `json:"diagnostics"`
}

type jsonDiag struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail,omitempty"`
	Hint     string   `json:"hint,omitempty"`
	Context  string   `json:"context,omitempty"`
	jsonPlace
	Related []jsonRelated `json:"related,omitempty"`
}

type jsonPlace struct {
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Byte      *int   `json:"byte,omitempty"`
	EndByte   *int   `json:"end_byte,omitempty"`
}

type jsonRelated struct {
	Message string `json:"message"`
	jsonPlace
}

func placeOf(r Range) jsonPlace {
	p := jsonPlace{File: r.File, Line: r.Start.Line, Column: r.Start.Column, EndLine: r.End.Line, EndColumn: r.End.Column}
	if r.Start.Line > 0 {
		p.Byte, p.EndByte = &r.Start.Byte, &r.End.Byte
	}
	return p
}

// MarshalJSON gives the list as one document of the Schema, sorted; an empty list is an empty list.
func (l List) MarshalJSON() ([]byte, error) {
	out := jsonList{Schema: Schema, Diagnostics: []jsonDiag{}}
	for _, d := range l.Sorted() {
		j := jsonDiag{Severity: d.Severity, Code: d.Code, Summary: d.Summary, Detail: d.Detail, Hint: d.Hint,
			Context: d.Context, jsonPlace: placeOf(d.Range)}
		for _, r := range d.Related {
			j.Related = append(j.Related, jsonRelated{Message: r.Message, jsonPlace: placeOf(r.Range)})
		}
		out.Diagnostics = append(out.Diagnostics, j)
	}
	return json.Marshal(out)
}

// SARIF writes lists in the Static Analysis Results Interchange Format 2.1.0, which code hosts show beside the lines.
type SARIF struct {
	Version string // of continuo
	URI     string // where continuo is described
	// Docs explains the codes; those that the results have become rules. Nil: the rules have no words.
	Docs *Table
	// Source gives the content of a file, so that columns are counted as SARIF wants them; nil where it is not at hand.
	Source func(file string) []byte
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	URI     string      `json:"informationUri,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID    string        `json:"id"`
	Short *sarifMessage `json:"shortDescription,omitempty"`
	Full  *sarifMessage `json:"fullDescription,omitempty"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifMessage    `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
	Related   []sarifLocation `json:"relatedLocations,omitempty"`
}

type sarifLocation struct {
	ID       int            `json:"id,omitempty"`
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Message  *sarifMessage  `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

// Write renders the list.
func (s SARIF) Write(w io.Writer, l List) error {
	l = l.Sorted()
	codes := map[string]int{}
	for _, d := range l {
		codes[d.Code] = 0
	}
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "continuo", Version: s.Version, URI: s.URI, Rules: []sarifRule{}}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		codes[code] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s.rule(code))
	}
	for _, d := range l {
		run.Results = append(run.Results, s.result(d, codes[d.Code]))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func (s SARIF) rule(code string) sarifRule {
	r := sarifRule{ID: code}
	if doc, ok := s.Docs.Lookup(code); ok {
		r.Short, r.Full = &sarifMessage{doc.Title}, &sarifMessage{doc.Meaning}
	}
	return r
}

func (s SARIF) result(d Diagnostic, rule int) sarifResult {
	text := d.Summary
	if d.Detail != "" {
		text += "\n" + d.Detail
	}
	if d.Hint != "" {
		text += "\nhint: " + d.Hint
	}
	out := sarifResult{RuleID: d.Code, RuleIndex: rule, Level: d.Severity.String(), Message: sarifMessage{text}}
	if p := s.physical(d.Range); p != nil {
		out.Locations = []sarifLocation{{Physical: p}}
	}
	for i, r := range d.Related {
		if p := s.physical(r.Range); p != nil {
			out.Related = append(out.Related, sarifLocation{ID: i + 1, Physical: p, Message: &sarifMessage{r.Message}})
		}
	}
	return out
}

func (s SARIF) physical(r Range) *sarifPhysical {
	if r.File == "" {
		return nil
	}
	p := &sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: r.File}).EscapedPath()}}
	if r.Start.Line < 1 {
		return p
	}
	p.Region = &sarifRegion{StartLine: r.Start.Line, EndLine: max(r.End.Line, r.Start.Line)}
	if s.Source != nil {
		src := s.Source(r.File)
		p.Region.StartColumn, p.Region.EndColumn = codePoints(src, r.Start), codePoints(src, r.End)
	}
	return p
}

// codePoints is the column of a position in code points, from 1; 0 when the source does not tell.
func codePoints(src []byte, at Pos) int {
	if at.Byte < 0 || at.Byte > len(src) || len(src) == 0 {
		return 0
	}
	begin := strings.LastIndexByte(string(src[:at.Byte]), '\n') + 1
	return utf8.RuneCount(src[begin:at.Byte]) + 1
}

// String is for logs: severity, place, code and summary on one line.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s: %s: %s [%s]", d.Severity, d.Range, Escape(d.Summary), d.Code)
}
