package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes report.json: the whole report, indented, with a last line feed. The error is the writer's.
func (r *Report) JSON(w io.Writer) error { return writeJSON(w, r) }

// writeJSON is how every JSON document of a report is written. Angle brackets stay as they are: commands are full of them.
func writeJSON(w io.Writer, doc any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write report as json: %w", err)
	}
	return nil
}

// Read parses a report.json. Fields that this version does not know are an error: it could not compare them.
func Read(data []byte) (*Report, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var r Report
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("read report: schema %q is not %s", r.Schema, Schema)
	}
	loc, err := zone(r.Timezone)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	r.loc = loc
	return &r, nil
}
