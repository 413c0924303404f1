package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// row is one figure; without a target it is shown only.
type row struct {
	name, measured string
	target         string
	met            bool
}

type table struct{ rows []row }

func (t *table) show(name, measured string) {
	t.rows = append(t.rows, row{name: name, measured: measured})
}

func (t *table) judge(name, measured, target string, met bool) {
	t.rows = append(t.rows, row{name, measured, target, met})
}

// print writes the figures and returns how many targets were missed.
func (t *table) print(w io.Writer) (missed int) {
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(tw, "FIGURE\tMEASURED\tTARGET\t")
	for _, r := range t.rows {
		verdict := ""
		switch {
		case r.target == "":
		case r.met:
			verdict = "met"
		default:
			verdict = "MISSED"
			missed++
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", r.name, r.measured, r.target, verdict)
	}
	_ = tw.Flush()
	return missed
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }
