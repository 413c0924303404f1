package simulation

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// heard is one answer of a host, as attributes of an `on` block; empty ones are the defaults.
type heard struct {
	stdout, stderr, exit, signal, outcome, state, status, delay string
}

// saying is what one unit answered to one of its parts, in order.
type saying struct {
	place
	answers []heard
	remarks []string
}

// hearing is one unit's part while its events are read.
type hearing struct {
	outs map[int]map[string]engine.ItemOutput // by round or attempt, and stream
}

// maxRecorded is how much of one output becomes part of a test, in bytes.
const maxRecorded = 64 << 10

// listen reads what hosts said from the events.
func (r *recorder) listen() error {
	open := map[place]*hearing{}
	began := map[engine.AttemptID]time.Duration{}
	r.launched = map[engine.Unit]bool{}
	at := func(u engine.Unit, part engine.PartName) place {
		return place{item: u.Item, part: cmp.Or(part, engine.PartCommand), host: u.Host, key: u.Key}
	}
	for _, e := range r.past.Events {
		switch p := e.Payload.(type) {
		case *engine.ItemIntent:
			began[p.AttemptID] = e.Mono
			r.launched[p.Unit] = true
		case *engine.ItemOutput:
			h := open[at(p.Unit, p.Part)]
			if h == nil {
				h = &hearing{outs: map[int]map[string]engine.ItemOutput{}}
				open[at(p.Unit, p.Part)] = h
			}
			if h.outs[p.Attempt] == nil {
				h.outs[p.Attempt] = map[string]engine.ItemOutput{}
			}
			h.outs[p.Attempt][p.Stream] = *p
		case *engine.ItemOutcome:
			where := at(p.Unit, p.Part)
			if !r.heardFrom(p) {
				continue
			}
			if err := r.hear(where, p, open[where], e.Mono-began[p.AttemptID]); err != nil {
				return err
			}
			delete(open, where)
		}
	}
	return nil
}

// heardFrom reports whether an outcome is that of something that a host was asked: an attempt, an observation of a part, or
// a check on a host.
func (r *recorder) heardFrom(p *engine.ItemOutcome) bool {
	i := itemAt(r.p, r.rb, p.Item)
	switch {
	case i == nil:
		if p.Whole() {
			r.note("%s is not in the runbook any more: what it answered is left out", p.Item)
		}
		return false
	case i.Kind.Effect() == runbooks.Human || p.Outcome == engine.Skipped || p.Outcome == engine.NotReached || p.Outcome == engine.NotExercised:
		return false
	case p.AttemptID != "" || p.Part != "":
		return true
	case i.Kind != runbooks.Check:
		// A step that was not launched at all: the host was out of reach, or would not.
		return !p.Whole() && !r.launched[p.Unit] && (p.Outcome == engine.Unreachable || p.Outcome == engine.NeverStarted)
	}
	return i.HTTP != nil && p.Command != "" || !p.Whole() && p.Command != ""
}

// hear takes one outcome: of an attempt, or of all rounds of an observation.
func (r *recorder) hear(where place, p *engine.ItemOutcome, h *hearing, took time.Duration) error {
	i := itemAt(r.p, r.rb, p.Item)
	n := slices.IndexFunc(r.said, func(s saying) bool { return s.place == where })
	if n < 0 {
		n = len(r.said)
		r.said = append(r.said, saying{place: where})
	}
	s := &r.said[n]
	first, last := 1, max(1, p.Rounds)
	if p.AttemptID != "" {
		first, last = p.Attempt, p.Attempt
	}
	if i.TCP != nil && p.Cause == "inconclusive" && where.part == engine.PartCommand {
		r.inconclusive(where, i, s)
		return nil
	}
	var final heard
	for round := last; round >= first; round-- {
		var a heard
		if h != nil {
			var err error
			if a.stdout, err = r.text(s, h.outs[round]["stdout"]); err != nil {
				return err
			}
			if a.stderr, err = r.text(s, h.outs[round]["stderr"]); err != nil {
				return err
			}
		}
		if round == last {
			ended(&a, i, p, took)
			final = a
		} else if !notYet(&a, i, where.part, final) {
			r.note("%s was polled %d times; what it said before the last is not all on record", placeName(where), p.Rounds)
		}
		s.answers = slices.Insert(s.answers, len(s.answers)-(last-round), a)
	}
	return nil
}

// inconclusive is a tcp check that saw nothing: its witness did not answer, or the host that was to look was out of reach.
func (r *recorder) inconclusive(where place, i *runbooks.Item, s *saying) {
	if i.TCP.Witness == nil {
		s.answers = append(s.answers, heard{outcome: string(engine.Unreachable)})
		return
	}
	s.answers = append(s.answers, heard{state: string(engine.TCPNoAnswer)})
	where.part = engine.PartWitness
	r.said = append(r.said, saying{place: where, answers: []heard{{state: string(engine.TCPNoAnswer)}}})
}

// ended writes how an attempt or the last round of an observation ended.
func ended(a *heard, i *runbooks.Item, p *engine.ItemOutcome, took time.Duration) {
	switch p.Outcome {
	case engine.TimedOut, engine.Unreachable, engine.NeverStarted:
		a.outcome = string(p.Outcome)
		return
	case engine.Unknown:
		if a.outcome = string(engine.Unknown); p.Cause == "lost" {
			a.outcome = string(outcomeLost)
		}
		return
	default: // it ended by itself: the code says how
	}
	switch {
	case i.TCP != nil || i.HTTP != nil:
		observed := ""
		if len(p.Expectations) > 0 {
			observed = p.Expectations[0].Observed
		}
		if i.TCP != nil {
			a.state = observed
		} else if words := strings.Fields(observed); len(words) > 0 && words[len(words)-1] != "200" {
			a.status = words[len(words)-1]
		}
	case p.Signal != "":
		a.signal = p.Signal
	case p.ExitCode != nil && *p.ExitCode != 0:
		a.exit = fmt.Sprint(*p.ExitCode)
	}
	if i.Kind.Effect() == runbooks.Change && p.AttemptID != "" && took >= time.Second {
		a.delay = took.Round(100 * time.Millisecond).String()
	}
}

// notYet completes a round of a poll that did not hold: only what it wrote is on record. It reports false when nothing
// distinguishes it from the one that held.
func notYet(a *heard, i *runbooks.Item, part engine.PartName, final heard) bool {
	switch {
	case part == engine.PartCommand && i.TCP != nil:
		if a.state = string(engine.TCPRefused); i.TCP.Want != string(engine.TCPOpen) {
			a.state = string(engine.TCPOpen)
		}
	case part == engine.PartCommand && i.HTTP != nil:
		a.status = "503"
	case a.stdout == final.stdout:
		code := badCode(i, part)
		if code < 0 {
			return false
		}
		if a.exit = fmt.Sprint(code); code == 0 {
			a.exit = ""
		}
	case final.exit != "":
		a.exit = final.exit
	}
	return true
}

// text is an output as a string of the language; "" is nothing.
func (r *recorder) text(s *saying, o engine.ItemOutput) (string, error) {
	if o.Size == 0 {
		return "", nil
	}
	data, err := r.past.Output(o)
	if err != nil {
		return "", fmt.Errorf("output of %s: %w", placeName(s.place), err)
	}
	remark := func(format string, args ...any) {
		s.remarks = append(s.remarks, o.Stream+": "+fmt.Sprintf(format, args...))
	}
	data = bytes.TrimRight(data, "\n")
	switch {
	case o.Truncated:
		remark("%d bytes, of which the record kept the beginning and the end", o.Size)
	case len(data) > maxRecorded:
		remark("%d bytes; the test has the first %d", len(data), maxRecorded)
		data = data[:maxRecorded]
	}
	if o.Redactions > 0 || bytes.Contains(data, []byte("[redacted:")) {
		remark("secrets in it were not recorded")
		r.note("%s: secrets in its output were not recorded; the test says [redacted:NAME] in their place", placeName(s.place))
	}
	if !utf8.Valid(data) {
		remark("not UTF-8: other bytes became question marks")
		data = bytes.ToValidUTF8(data, []byte("?"))
	}
	// Simulated runs are all called the same: what names the run names that one.
	return strings.ReplaceAll(string(data), string(r.past.Record.Opened.Run), simulatedRun), nil
}

// answers writes the `on` blocks, in order of the runbook.
func (r *recorder) answers(w *writer) {
	for n := range r.past.Record.Items {
		i := &r.past.Record.Items[n]
		item := itemAt(r.p, r.rb, i.Plan.ID)
		if item == nil {
			continue
		}
		if item.Kind.Effect() == runbooks.Human {
			r.person(w, i, item)
			continue
		}
		for _, part := range []engine.PartName{engine.PartUnless, engine.PartSource, engine.PartWitness, engine.PartCommand, engine.PartVerify, engine.PartRollback} {
			r.part(w, n, part)
		}
	}
}

// part writes what all units said to one part of an item: what most of them said once, and what others said by name.
func (r *recorder) part(w *writer, at int, part engine.PartName) {
	id := r.past.Record.Items[at].Plan.ID
	var all []saying
	for _, s := range r.said {
		if s.item == id && s.part == part {
			s.answers = compact(s.answers)
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return
	}
	common := mostSaid(all)
	label := string(id)
	if part != engine.PartCommand {
		label += "." + string(part)
	}
	if common >= 0 {
		// What failed for want of output is said, so that it is no answer that was forgotten.
		block(w, label, all[common], false, r.past.Record.Items[at].Standing == engine.Fails)
	}
	for n, s := range all {
		if common < 0 || n != common && !slices.Equal(s.answers, all[common].answers) {
			block(w, label, s, true, false)
		}
	}
}

// compact leaves out repetitions at the end: the last answer repeats by itself.
func compact(as []heard) []heard {
	for len(as) > 1 && as[len(as)-1] == as[len(as)-2] {
		as = as[:len(as)-1]
	}
	return as
}

// mostSaid is the saying that most units share.
func mostSaid(all []saying) int {
	best, most := -1, 0
	for n := range all {
		same := 0
		for _, s := range all {
			if slices.Equal(s.answers, all[n].answers) {
				same++
			}
		}
		if same > most {
			best, most = n, same
		}
	}
	return best
}

// block writes one `on` block; one that says only what is said without it is left out.
func block(w *writer, label string, s saying, named, failed bool) {
	columns := []struct {
		name string
		of   func(heard) string
		text bool
		none string
	}{
		{"stdout", func(h heard) string { return h.stdout }, true, `""`}, {"stderr", func(h heard) string { return h.stderr }, true, `""`},
		{"exit_code", func(h heard) string { return h.exit }, false, "0"}, {"signal", func(h heard) string { return h.signal }, true, `""`},
		{"outcome", func(h heard) string { return h.outcome }, true, quote(string(engine.Succeeded))},
		{"state", func(h heard) string { return h.state }, true, `"open"`}, {"status", func(h heard) string { return h.status }, false, "200"},
		{"delay", func(h heard) string { return h.delay }, true, `"0s"`},
	}
	lines := []string{}
	for _, c := range columns {
		values, said := []string{}, false
		for _, a := range s.answers {
			v := c.of(a)
			said = said || v != ""
			switch {
			case v == "":
				v = c.none
			case c.text:
				v = quote(v)
			}
			values = append(values, v)
		}
		switch {
		case !said:
		case !slices.ContainsFunc(values, func(v string) bool { return v != values[0] }):
			lines = append(lines, c.name+" = "+values[0])
		default:
			lines = append(lines, c.name+" = ["+strings.Join(values, ", ")+"]")
		}
	}
	switch {
	case len(lines) == 0 && failed:
		lines = append(lines, `stdout = ""`)
	case len(lines) == 0 && !named && len(s.remarks) == 0:
		return
	}
	w.line("")
	for _, m := range s.remarks {
		w.comment("%s", m)
	}
	w.open("on %s", quote(label))
	if named && s.host != "" {
		w.attr("host", quote(s.host))
	}
	if named && s.key != "" {
		w.attr("key", quote(s.key))
	}
	for _, l := range lines {
		w.line(l)
	}
	w.end()
}

// resolve is a text of the journal in full; one that cannot be read is said so.
func (r *recorder) resolve(s string) string {
	if r.past.Text == nil {
		return s
	}
	text, err := r.past.Text(s)
	if err != nil {
		r.note("a long text is not in the record: %v", err)
	}
	return text
}
