package format

import (
	"fmt"
	"strings"
)

// context is how many unchanged lines stand around a change.
const context = 3

// Diff shows what formatting changes as a unified diff, or "" when nothing. Lines are compared as they are; control
// characters are the view's business.
func Diff(name string, before, after []byte) string {
	a, b := lines(before), lines(after)
	ops := edits(a, b)
	var out strings.Builder
	for start := 0; start < len(ops); {
		if ops[start].kind == ' ' {
			start++
			continue
		}
		from := max(0, start-context)
		to, quiet := start, 0
		for to < len(ops) && quiet <= 2*context {
			if ops[to].kind == ' ' {
				quiet++
			} else {
				quiet = 0
			}
			to++
		}
		to -= max(0, quiet-context)
		if out.Len() == 0 {
			fmt.Fprintf(&out, "--- %s\n+++ %s (formatted)\n", name, name)
		}
		hunk(&out, ops[from:to])
		start = to
	}
	return out.String()
}

type op struct {
	kind byte // ' ', '-', '+'
	text string
	a, b int // line numbers from 0 before this line
}

func hunk(out *strings.Builder, ops []op) {
	na, nb := 0, 0
	for _, o := range ops {
		if o.kind != '+' {
			na++
		}
		if o.kind != '-' {
			nb++
		}
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", ops[0].a+1, na, ops[0].b+1, nb)
	for _, o := range ops {
		out.WriteByte(o.kind)
		out.WriteString(o.text)
		if !strings.HasSuffix(o.text, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func lines(src []byte) []string {
	if len(src) == 0 {
		return nil
	}
	s := strings.SplitAfter(string(src), "\n")
	if s[len(s)-1] == "" {
		s = s[:len(s)-1]
	}
	return s
}

// edits finds a short script from a to b. What both begin and end with is cut off first; a middle too large for the exact
// answer is replaced as a whole.
func edits(a, b []string) []op {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	e := script{}
	for _, t := range a[:head] {
		e.add(' ', t)
	}
	e.middle(a[head:len(a)-tail], b[head:len(b)-tail])
	for _, t := range a[len(a)-tail:] {
		e.add(' ', t)
	}
	return e.ops
}

type script struct {
	ops  []op
	a, b int
}

func (s *script) add(kind byte, text string) {
	s.ops = append(s.ops, op{kind, text, s.a, s.b})
	if kind != '+' {
		s.a++
	}
	if kind != '-' {
		s.b++
	}
}

// maxCells bounds the table of the longest common subsequence.
const maxCells = 4_000_000

func (s *script) middle(a, b []string) {
	if len(a)*len(b) > maxCells {
		for _, t := range a {
			s.add('-', t)
		}
		for _, t := range b {
			s.add('+', t)
		}
		return
	}
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			s.add(' ', a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			s.add('-', a[i])
			i++
		default:
			s.add('+', b[j])
			j++
		}
	}
}
