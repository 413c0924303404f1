package diag

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Table holds the explanations of all codes. It is made once from what each package gives; there is no registry.
type Table struct{ docs map[string]Doc }

// NewTable joins the packages' explanations. A code that two of them explain, or that lacks a title, a meaning or an
// example, is an error.
func NewTable(parts ...[]Doc) (*Table, error) {
	t := &Table{docs: map[string]Doc{}}
	for _, part := range parts {
		for _, d := range part {
			if _, twice := t.docs[d.Code]; twice {
				return nil, fmt.Errorf("code %s: explained twice", d.Code)
			}
			if d.Code == "" || d.Title == "" || d.Meaning == "" || d.Wrong == "" || d.Right == "" {
				return nil, fmt.Errorf("code %q: no title, meaning, wrong or right example", d.Code)
			}
			t.docs[d.Code] = d
		}
	}
	return t, nil
}

// Lookup finds a code in any letter case, with or without CON-.
func (t *Table) Lookup(code string) (Doc, bool) {
	if t == nil {
		return Doc{}, false
	}
	d, ok := t.docs[normalCode(code)]
	return d, ok
}

func normalCode(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if !strings.HasPrefix(code, "CON-") {
		code = "CON-" + code
	}
	return code
}

// Suggest is the code that was most likely meant, or "".
func (t *Table) Suggest(code string) string {
	if t == nil {
		return ""
	}
	return Suggest(normalCode(code), slices.Collect(maps.Keys(t.docs)))
}

// All gives the explanations in order of their codes.
func (t *Table) All() []Doc {
	if t == nil {
		return nil
	}
	out := make([]Doc, 0, len(t.docs))
	for _, code := range slices.Sorted(maps.Keys(t.docs)) {
		out = append(out, t.docs[code])
	}
	return out
}
