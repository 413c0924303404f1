package view

import "strings"

// InitDocument is `init --json`.
type InitDocument struct {
	Schema   string   `json:"schema"`
	Dir      string   `json:"dir"`
	Template string   `json:"template"`
	Files    []string `json:"files"`
	Next     []string `json:"next"`
}

// Init says what was made and what to try. elsewhere: the project is not where the person is.
func (s *Screen) Init(doc InitDocument, title string, elsewhere bool) {
	s.Printf("made a project in %s: %s\n", Clean(doc.Dir), Clean(title))
	for _, f := range doc.Files {
		s.Printf("  %s\n", Clean(f))
	}
	s.Printf("next:\n")
	if elsewhere {
		s.Printf("  cd %s\n", ArgvText([]string{Clean(doc.Dir)}))
	}
	for _, n := range doc.Next {
		s.Printf("  %s\n", n)
	}
}

// FormatDocument is `fmt --json`.
type FormatDocument struct {
	Schema  string   `json:"schema"`
	Changed []string `json:"changed"`
}

// DiffText prints a unified diff of files.
func (s *Screen) DiffText(text string) {
	for _, l := range lines(text) {
		i := plainInk
		switch {
		case strings.HasPrefix(l, "+++"), strings.HasPrefix(l, "---"):
			i = bold
		case strings.HasPrefix(l, "+"):
			i = green
		case strings.HasPrefix(l, "-"):
			i = red
		case strings.HasPrefix(l, "@@"):
			i = cyan
		}
		s.Printf("%s\n", s.paint(i, CleanText(l)))
	}
}
