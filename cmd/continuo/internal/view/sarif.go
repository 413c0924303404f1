package view

import (
	"slices"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// The parts of SARIF 2.1.0 that code-scanning services read.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID string `json:"id"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifMessage    `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
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

// SARIF prints findings as a SARIF 2.1.0 log, for code review.
func (s *Screen) SARIF(list diag.List, version string) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "continuo", Version: version, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	var codes []string
	for _, d := range list.Sorted() {
		if !slices.Contains(codes, d.Code) {
			codes = append(codes, d.Code)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{d.Code})
		}
		run.Results = append(run.Results, sarifOf(d))
	}
	return s.JSON(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifOf(d diag.Diagnostic) sarifResult {
	text := d.Summary
	for _, more := range []string{d.Detail, d.Hint} {
		if more != "" {
			text += "\n" + more
		}
	}
	r := sarifResult{RuleID: d.Code, Level: d.Severity.String(), Message: sarifMessage{text}}
	if d.Range.File == "" {
		return r
	}
	at := sarifPhysical{Artifact: sarifArtifact{d.Range.File}}
	if d.Range.Start.Line > 0 {
		at.Region = &sarifRegion{
			StartLine: d.Range.Start.Line, StartColumn: d.Range.Start.Column, EndLine: d.Range.End.Line, EndColumn: d.Range.End.Column,
		}
	}
	r.Locations = []sarifLocation{{at}}
	return r
}
