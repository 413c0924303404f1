package view

import (
	"encoding/json"
	"fmt"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// The names of the documents that the command line itself defines. Fields may be added, never renamed.
const (
	ErrorSchema       = "continuo/error/v1"
	VersionSchema     = "continuo/version/v1"
	DiagnosticsSchema = "continuo/diagnostics/v1"
	RunsSchema        = "continuo/runs/v1"
	HostsSchema       = "continuo/hosts/v1"
	TrustSchema       = "continuo/trust/v1"
	LabSchema         = "continuo/lab/v1"
	InitSchema        = "continuo/init/v1"
	FormatSchema      = "continuo/format/v1"
	ExplainSchema     = "continuo/explain/v1"
	FileSchema        = "continuo/file/v1"
)

// ErrorDocument is what a command that ends in an error prints with --json, when it has nothing else to say.
type ErrorDocument struct {
	Schema   string `json:"schema"`
	Error    string `json:"error"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exit_code"`
}

// VersionDocument is `version --json`.
type VersionDocument struct {
	Schema  string   `json:"schema"`
	Version string   `json:"version"`
	Commit  string   `json:"commit,omitempty"`
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Modules []Module `json:"modules,omitempty"`
}

// Module is one module that is built in.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// FileDocument says that a command wrote files or directories.
type FileDocument struct {
	Schema string   `json:"schema"`
	Paths  []string `json:"paths"`
}

type diagnosticsDocument struct {
	Schema      string           `json:"schema"`
	Diagnostics []diagnosticJSON `json:"diagnostics"`
}

type diagnosticJSON struct {
	Severity  diag.Severity `json:"severity"`
	Code      string        `json:"code"`
	Summary   string        `json:"summary"`
	Detail    string        `json:"detail,omitempty"`
	Hint      string        `json:"hint,omitempty"`
	Context   string        `json:"context,omitempty"`
	File      string        `json:"file,omitempty"`
	Line      int           `json:"line,omitempty"`
	Column    int           `json:"column,omitempty"`
	EndLine   int           `json:"end_line,omitempty"`
	EndColumn int           `json:"end_column,omitempty"`
}

// JSON prints one document on a line of its own, indented for people who look anyway.
func (s *Screen) JSON(doc any) error {
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return s.write(append(b, '\n'))
}

// JSONLine prints one document of a stream.
func (s *Screen) JSONLine(doc any) error {
	b, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return s.write(append(b, '\n'))
}

// Diagnostics prints findings as the document continuo/diagnostics/v1.
func (s *Screen) Diagnostics(list diag.List) error {
	doc := diagnosticsDocument{Schema: DiagnosticsSchema, Diagnostics: []diagnosticJSON{}}
	for _, d := range list.Sorted() {
		doc.Diagnostics = append(doc.Diagnostics, diagnosticJSON{
			Severity: d.Severity, Code: d.Code, Summary: d.Summary, Detail: d.Detail, Hint: d.Hint, Context: d.Context,
			File: d.Range.File, Line: d.Range.Start.Line, Column: d.Range.Start.Column,
			EndLine: d.Range.End.Line, EndColumn: d.Range.End.Column,
		})
	}
	return s.JSON(doc)
}

// Version prints the version for people.
func (s *Screen) Version(doc VersionDocument) {
	s.Printf("continuo %s\n", doc.Version)
	if doc.Commit != "" {
		s.Printf("commit %s\n", doc.Commit)
	}
	s.Printf("%s %s\n", doc.Go, doc.OS)
	for _, m := range doc.Modules {
		s.Printf("  %s %s\n", m.Path, m.Version)
	}
}
