package view

import (
	"encoding/json"
	"fmt"
)

// The names of the documents that the command line itself defines. Fields may be added, never renamed.
const (
	ErrorSchema   = "continuo/error/v1"
	VersionSchema = "continuo/version/v1"
	RunsSchema    = "continuo/runs/v1"
	HostsSchema   = "continuo/hosts/v1"
	TrustSchema   = "continuo/trust/v1"
	LabSchema     = "continuo/lab/v1"
	InitSchema    = "continuo/init/v1"
	FormatSchema  = "continuo/format/v1"
	ExplainSchema = "continuo/explain/v1"
	FileSchema    = "continuo/file/v1"
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
