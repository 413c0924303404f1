package view

import "github.com/continuo-runbooks/continuo/runbooks/diag"

// ExplainDocument is `explain --json`.
type ExplainDocument struct {
	Schema string        `json:"schema"`
	Codes  []ExplainCode `json:"codes"`
}

// ExplainCode is one code.
type ExplainCode struct {
	Code    string `json:"code"`
	Title   string `json:"title"`
	Meaning string `json:"meaning"`
	Wrong   string `json:"wrong,omitempty"`
	Right   string `json:"right,omitempty"`
}

// NewExplainDocument is a list of explanations as a document.
func NewExplainDocument(docs []diag.Doc) ExplainDocument {
	out := ExplainDocument{Schema: ExplainSchema, Codes: make([]ExplainCode, len(docs))}
	for n, d := range docs {
		out.Codes[n] = ExplainCode(d)
	}
	return out
}
