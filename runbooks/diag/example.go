package diag

import "strings"

// Example is a Wrong or Right of a Doc, taken apart.
type Example struct {
	// Command is the command line that shows it, such as `continuo plan recover --var lag=3`.
	Command string
	// Files of the project by name. None: no project is known that gives the code, and Printed is what it looks like.
	Files   map[string][]byte
	Printed string
}

// NewExample reads the form that Doc describes.
func NewExample(text string) Example {
	x := Example{Command: "continuo validate", Files: map[string][]byte{}}
	if rest, ok := strings.CutPrefix(text, "$ "); ok {
		x.Command, text, _ = strings.Cut(rest, "\n")
	}
	switch {
	case strings.HasPrefix(text, "error["):
		x.Printed = text
		return x
	case !strings.HasPrefix(text, "-- "):
		x.Files["project.hcl"] = []byte(text)
		return x
	}
	name := ""
	for line := range strings.Lines(text) {
		if head, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(head, " --") {
			name = strings.TrimSuffix(head, " --")
			x.Files[name] = nil
			continue
		}
		x.Files[name] = append(x.Files[name], line...)
	}
	return x
}
