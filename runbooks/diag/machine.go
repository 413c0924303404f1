package diag

import (
	"encoding/json"
	"fmt"
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

// String is for logs: severity, place, code and summary on one line.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s: %s: %s [%s]", d.Severity, d.Range, Escape(d.Summary), d.Code)
}
