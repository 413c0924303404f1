package diag

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path"
	"slices"
	"unicode/utf8"
)

// SARIF writes lists in the Static Analysis Results Interchange Format 2.1.0, which code hosts show beside the lines.
type SARIF struct {
	Version string // of continuo
	URI     string // where continuo is described
	// Base is the project's directory as seen from the root of the repository, with slashes; empty: it is the root. Code
	// hosts take a URI as relative to that.
	Base string
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
	ID      string        `json:"id"`
	Short   *sarifMessage `json:"shortDescription,omitempty"`
	Full    *sarifMessage `json:"fullDescription,omitempty"`
	Help    *sarifMessage `json:"help,omitempty"`
	Default sarifDefault  `json:"defaultConfiguration"`
}

type sarifDefault struct {
	Level Severity `json:"level"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifResult struct {
	RuleID    string            `json:"ruleId"`
	RuleIndex int               `json:"ruleIndex"`
	Level     Severity          `json:"level"`
	Message   sarifMessage      `json:"message"`
	Locations []sarifLocation   `json:"locations,omitempty"`
	Related   []sarifLocation   `json:"relatedLocations,omitempty"`
	Prints    map[string]string `json:"partialFingerprints"`
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
	codes, levels := map[string]int{}, map[string]Severity{}
	for _, d := range l {
		codes[d.Code], levels[d.Code] = 0, d.Severity
	}
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "continuo", Version: s.Version, URI: s.URI, Rules: []sarifRule{}}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		codes[code] = len(run.Tool.Driver.Rules)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, s.rule(code, levels[code]))
	}
	seen := map[string]int{}
	for _, d := range l {
		r := s.result(d, codes[d.Code])
		mark := s.fingerprint(d)
		seen[mark]++
		r.Prints = map[string]string{"primaryLocationLineHash": fmt.Sprintf("%s:%d", mark, seen[mark])}
		run.Results = append(run.Results, r)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func (s SARIF) rule(code string, level Severity) sarifRule {
	r := sarifRule{ID: code, Default: sarifDefault{level}}
	if doc, ok := s.Docs.Lookup(code); ok {
		r.Short, r.Full = &sarifMessage{Text: doc.Title}, &sarifMessage{Text: doc.Meaning}
		r.Help = &sarifMessage{
			Text:     fmt.Sprintf("%s\n\nwrong:\n\n%s\nright:\n\n%s", doc.Meaning, inHelp(doc.Wrong), inHelp(doc.Right)),
			Markdown: fmt.Sprintf("%s\n\nWrong:\n\n%s\nRight:\n\n%s", doc.Meaning, fence(doc.Wrong), fence(doc.Right)),
		}
	}
	return r
}

// maxHelp bounds an example in a rule's help, in bytes: those of the limits of size are very long.
const maxHelp = 4 << 10

func inHelp(example string) string {
	if len(example) > maxHelp || !utf8.ValidString(example) {
		return "(`continuo explain` shows it)\n"
	}
	return example
}

func fence(example string) string {
	text := inHelp(example)
	if text == example {
		return "```hcl\n" + text + "```\n"
	}
	return text
}

// fingerprint identifies a finding from one commit to the next: its code and the text of its line, wherever the line has moved.
func (s SARIF) fingerprint(d Diagnostic) string {
	text := d.Summary
	if s.Source != nil && d.Range.Start.Line > 0 && path.Ext(d.Range.File) == ".hcl" { // other files may hold secrets
		src := s.Source(d.Range.File)
		if begin, ok := lineStart(src, d.Range.Start); ok {
			line, _, _ := bytes.Cut(src[begin:], []byte("\n"))
			text = string(bytes.TrimSpace(line))
		}
	}
	sum := sha256.Sum256([]byte(d.Code + "\x00" + d.Range.File + "\x00" + text))
	return hex.EncodeToString(sum[:16])
}

func (s SARIF) result(d Diagnostic, rule int) sarifResult {
	text := d.Summary
	if d.Detail != "" {
		text += "\n" + d.Detail
	}
	if d.Hint != "" {
		text += "\nhint: " + d.Hint
	}
	out := sarifResult{RuleID: d.Code, RuleIndex: rule, Level: d.Severity, Message: sarifMessage{Text: text}}
	if p := s.physical(d.Range); p != nil {
		out.Locations = []sarifLocation{{Physical: p}}
	}
	for i, r := range d.Related {
		if p := s.physical(r.Range); p != nil {
			out.Related = append(out.Related, sarifLocation{ID: i + 1, Physical: p, Message: &sarifMessage{Text: r.Message}})
		}
	}
	return out
}

func (s SARIF) physical(r Range) *sarifPhysical {
	if r.File == "" {
		return nil
	}
	p := &sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: path.Join(s.Base, r.File)}).EscapedPath()}}
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
	begin, ok := lineStart(src, at)
	if !ok {
		return 0
	}
	return utf8.RuneCount(src[begin:at.Byte]) + 1
}

// lineStart is where the line of a position begins. Not ok: the source does not hold the position.
func lineStart(src []byte, at Pos) (begin int, ok bool) {
	if at.Byte < 0 || at.Byte > len(src) || len(src) == 0 {
		return 0, false
	}
	return bytes.LastIndexByte(src[:at.Byte], '\n') + 1, true
}
