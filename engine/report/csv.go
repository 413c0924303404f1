package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSV writes one row for each unit (RFC 4180: UTF-8, CRLF), with the mode in every row. Cells that a spreadsheet would
// take for a formula begin with an apostrophe. The error is the writer's.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err := out.Write([]string{
		"run", "mode", "verdict", "runbook", "phase", "item", "kind", "key", "host", "outcome", "standing", "reason", "cause",
		"settled_by", "attempts", "exit_code", "signal", "started_at", "ended_at", "took_s", "critical_path",
	})
	for n := range r.Items {
		i := &r.Items[n]
		units := i.Units
		if len(units) == 0 {
			units = []Unit{{Outcome: i.Outcome, Standing: i.Standing, Reason: i.Reason, Cause: i.Cause, StartedAt: i.StartedAt, Took: i.Took}}
		}
		for k := range units {
			if err == nil {
				err = out.Write(r.csvRow(i, &units[k]))
			}
		}
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write report as csv: %w", err)
	}
	return nil
}

func (r *Report) csvRow(i *Item, u *Unit) []string {
	row := []string{
		string(r.Run.ID), string(r.Run.Mode), string(r.Verdict.Verdict), r.Run.Runbook, i.Phase, string(i.ID), string(i.Kind), u.Key, u.Host,
		string(u.Outcome), string(u.Standing), u.Reason, u.Cause, u.SettledBy, "", "", u.Signal, "", "", "", strconv.FormatBool(i.Critical),
	}
	for n := range row {
		row[n] = csvCell(row[n])
	}
	if u.Attempts > 0 {
		row[14] = strconv.Itoa(u.Attempts)
	}
	if u.ExitCode != nil {
		row[15] = strconv.Itoa(*u.ExitCode)
	}
	if u.Took != nil {
		row[17] = u.StartedAt.UTC().Format(time.RFC3339Nano)
		row[18] = endOf(u.StartedAt, u.Took).UTC().Format(time.RFC3339Nano)
		row[19] = strconv.FormatFloat(u.Took.Duration().Seconds(), 'f', -1, 64)
	}
	return row
}

// csvCell guards foreign text against being taken for a formula. Control characters are shown escaped, so that a tab or
// a carriage return cannot lead either.
func csvCell(text string) string {
	text = visible(text)
	if text != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}
