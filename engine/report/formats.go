package report

import (
	"fmt"
	"io"
	"strings"
)

// Formats are the names that Write takes, in the order in which help lists them.
func Formats() []string {
	return []string{"html", "md", "json", "junit", "csv", "oscal", "oscal-plan", "in-toto"}
}

// Write writes the face of that name. subject is what an in-toto statement is about; the other faces do not need it.
func (r *Report) Write(w io.Writer, format string, subject Subject) error {
	switch format {
	case "html":
		return r.HTML(w)
	case "md":
		return r.Markdown(w)
	case "json":
		return r.JSON(w)
	case "junit":
		return r.JUnit(w)
	case "csv":
		return r.CSV(w)
	case "oscal":
		return r.OSCAL(w)
	case "oscal-plan":
		return r.OSCALPlan(w)
	case "in-toto":
		return r.InToto(w, subject)
	}
	return fmt.Errorf("write report: unknown format %q; one of %s", format, strings.Join(Formats(), ", "))
}
