package view

import (
	"strings"

	"github.com/rivo/uniseg"
)

// cell is one field of a table, with the ink it is painted in.
type cell struct {
	text string
	ink  ink
}

// table aligns rows in columns, two spaces between them. The last column is never padded.
type table struct{ rows [][]cell }

func (t *table) row(cells ...cell) { t.rows = append(t.rows, cells) }

// text adds a row without ink.
func (t *table) text(fields ...string) {
	row := make([]cell, len(fields))
	for i, f := range fields {
		row[i] = cell{text: f}
	}
	t.rows = append(t.rows, row)
}

// head adds a row of titles.
func (t *table) head(fields ...string) {
	row := make([]cell, len(fields))
	for i, f := range fields {
		row[i] = cell{f, dim}
	}
	t.rows = append(t.rows, row)
}

// print writes the table, each line after the indent.
func (t *table) print(s *Screen, indent string) {
	var widths []int
	for _, r := range t.rows {
		if len(r) == 1 {
			continue // a heading widens no column
		}
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(c.text))
		}
	}
	var b strings.Builder
	for _, r := range t.rows {
		line := indent
		for i, c := range r {
			line += s.paint(c.ink, c.text)
			if i < len(r)-1 {
				line += strings.Repeat(" ", widths[i]-uniseg.StringWidth(c.text)+2)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	s.Printf("%s", b.String())
}
