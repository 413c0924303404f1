package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// rebuild computes the record again, from plan and journal alone.
func (v *verification) rebuild() {
	f := &v.res.Meaning
	if len(v.events) == 0 {
		f.fail("there is no journal to read")
		return
	}
	data, err := readWhole(v.src, PlanFile, maxFile)
	if err != nil {
		f.fail("%v", err)
		return
	}
	plan, rec, err := rebuild(data, v.events, v.artifact)
	if err != nil {
		f.fail("the record cannot be computed from plan and journal: %v", err)
		return
	}
	v.plan, v.rec = plan, rec
	v.res.Verdict = rec.Verdict
}

func (v *verification) artifact(sum string) ([]byte, error) {
	if len(sum) != 64 || checkName(sum) != nil {
		return nil, fmt.Errorf("artifact %q: %w", sum, ErrName)
	}
	return readWhole(v.src, artifactName(sum), MaxArtifact+4096)
}

// sealText writes seal.txt again and compares.
func (v *verification) sealText() {
	if v.rec == nil || !v.src.has(SealFile) {
		return
	}
	f := &v.res.Integrity
	got, err := readWhole(v.src, SealFile, 64<<10)
	if err != nil {
		f.fail("%v", err)
		return
	}
	v.facts.projectSHA256, v.facts.planSHA256 = v.rec.Opened.ProjectSHA256, v.digests[PlanFile]
	want := sealText(v.rec, v.events, v.journal, v.facts, sealValue(got, "signer"))
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := lineAt(gotLines, i), lineAt(wantLines, i)
		if g != w {
			f.fail("%s line %d says %q; the other files say %q", SealFile, i+1, g, w)
			return
		}
	}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// authenticity checks who signed. The signers file is the verifier's own.
func (v *verification) authenticity() {
	f := &v.res.Authenticity
	if v.sums == nil {
		f.fail("nothing was signed: the run is not sealed")
		return
	}
	if !v.src.has(SignatureFile) {
		f.fail("the bundle is unsigned: there is no %s", SignatureFile)
		return
	}
	key, err := v.signedBy(f)
	if err != nil {
		f.fail("%v", err)
		return
	}
	v.res.Signer = ssh.FingerprintSHA256(key)
	if v.opts.Signers == nil {
		f.unchecked("signed by %s, but no signers file was given that says whose key that is", v.res.Signer)
		return
	}
	at := v.sealedAt
	if v.res.Principals, err = v.opts.Signers.Principals(key, EvidenceNamespace, at); err != nil {
		f.fail("signed by %s: %v", v.res.Signer, err)
		return
	}
	f.note("signed by %s with %s%s, valid on %s", strings.Join(v.res.Principals, ", "), v.res.Signer,
		from(v.opts.SignersFrom), stamp(at))
}

func from(where string) string {
	if where == "" {
		return ""
	}
	return " (" + where + ")"
}

// signedBy checks the signature itself, and the signer that seal.txt names.
func (v *verification) signedBy(f *Finding) (ssh.PublicKey, error) {
	armored, err := readWhole(v.src, SignatureFile, 64<<10)
	if err != nil {
		return nil, err
	}
	key, err := checkSignature(v.sums, armored, EvidenceNamespace)
	if err != nil {
		err = fmt.Errorf("%s is not a signature of %s: one of the two was changed: %w", SignatureFile, SumsFile, err)
		v.res.Integrity.fail("%v", err)
		return nil, err
	}
	if v.src.has(SealFile) {
		text, err := readWhole(v.src, SealFile, 64<<10)
		if err != nil {
			return nil, err
		}
		if named := sealValue(text, "signer"); named != noSigner && named != ssh.FingerprintSHA256(key) {
			f.fail("%s names %s as the signer, but %s signed", SealFile, named, ssh.FingerprintSHA256(key))
		}
	}
	return key, nil
}

// completeness checks that nothing of the record is missing.
func (v *verification) completeness() {
	f := &v.res.Completeness
	if v.sums == nil {
		f.fail("the run is not sealed")
	}
	if v.rec == nil {
		f.fail("the record cannot be read to its end")
		return
	}
	if !v.rec.Closed {
		f.fail("the journal does not end with run.closed: the record is unfinished")
	}
	open := openIntents(v.events)
	switch {
	case len(open) > 0 && v.rec.Closed && v.rec.Unknown == 0 && !settledAll(v.events, open):
		f.fail("%d intents have no outcome and are not counted as unknown, the first %s on line %d of %s",
			len(open), open[0].intent.Item, open[0].line, journal.FileName)
	case len(open) > 0:
		f.note("%d intents have no outcome; %d units are unknown", len(open), v.rec.Unknown)
	}
	if len(v.rec.Anomalies) > 0 {
		f.note("the clock jumped %d times; times across the jumps are not comparable", len(v.rec.Anomalies))
	}
	for _, line := range unrecordedJumps(v.events) {
		f.fail("the clock jumps at line %d of %s without a clock.anomaly", line, journal.FileName)
	}
	v.ledger(f)
}

type openIntent struct {
	intent *engine.ItemIntent
	line   int
}

// openIntents lists the intents without an outcome.
func openIntents(events []engine.Event) []openIntent {
	closed := map[engine.AttemptID]bool{}
	for _, e := range events {
		if o, ok := e.Payload.(*engine.ItemOutcome); ok && o.AttemptID != "" {
			closed[o.AttemptID] = true
		}
	}
	var out []openIntent
	for i, e := range events {
		if p, ok := e.Payload.(*engine.ItemIntent); ok && !closed[p.AttemptID] {
			out = append(out, openIntent{intent: p, line: i + 1})
		}
	}
	return out
}

// settledAll reports whether a later word settled the unit of every open intent.
func settledAll(events []engine.Event, open []openIntent) bool {
	settled := map[engine.Unit]bool{}
	for _, e := range events {
		if p, ok := e.Payload.(*engine.ItemSettled); ok {
			settled[p.Unit] = true
		}
	}
	return !slices.ContainsFunc(open, func(o openIntent) bool { return !settled[o.intent.Unit] })
}

// unrecordedJumps lists the lines whose wall clock departs from the monotonic one with no clock.anomaly beside them.
func unrecordedJumps(events []engine.Event) []int {
	var out []int
	for i := 1; i < len(events); i++ {
		_, resumed := events[i].Payload.(*engine.RunResumed)
		if resumed || anomalyAt(events, i) || anomalyAt(events, i-1) {
			continue
		}
		if journal.Jump(events[i-1], events[i]) != 0 {
			out = append(out, i+1)
		}
	}
	return out
}

func anomalyAt(events []engine.Event, i int) bool {
	_, ok := events[i].Payload.(*engine.ClockAnomaly)
	return ok
}

// meaning checks that what is claimed is what the journal says.
func (v *verification) meaning() {
	f := &v.res.Meaning
	if v.rec == nil {
		return
	}
	if v.rec.Closed && v.rec.Claimed != v.rec.Verdict {
		f.fail("run.closed claims %q, the journal says %q: %s", v.rec.Claimed, v.rec.Verdict, v.rec.Why)
	}
	if last, ok := v.events[len(v.events)-1].Payload.(*engine.RunClosed); ok && last.Unknown != v.rec.Unknown {
		f.fail("run.closed claims %d unknown, the journal says %d", last.Unknown, v.rec.Unknown)
	}
	if v.plan.Digest != v.rec.Opened.PlanDigest {
		f.fail("%s has the digest %q, the run was opened with %q", PlanFile, v.plan.Digest, v.rec.Opened.PlanDigest)
	}
	for _, file := range v.src.files() {
		if strings.HasPrefix(file.name, "report.") {
			v.compareReport(f, file.name)
		}
	}
}

// compareReport writes a report again and compares the bytes; another version's report is compared by what it says, as
// far as it is JSON.
func (v *verification) compareReport(f *Finding, name string) {
	render, ok := v.opts.Renderers[name]
	if !ok {
		f.note("%s was not compared: no renderer for it", name)
		return
	}
	want, err := safely(render, v.rec)
	if err != nil {
		f.unchecked("%s was not compared: %v", name, err)
		return
	}
	got, err := v.readLarge(name)
	if err != nil {
		f.fail("%s: %v", name, err)
		return
	}
	sameTool := v.rec.Opened.Tool.Version == v.opts.Tool
	switch {
	case bytes.Equal(got, want):
	case sameTool:
		f.fail("%s does not say what the journal says: written again from it, it differs", name)
	case strings.HasSuffix(name, ".json"):
		if key := contradiction(got, want); key != "" {
			f.fail("%s does not say what the journal says: %q differs", name, key)
			return
		}
		f.note("%s was written by another version; its facts agree", name)
	default:
		f.note("%s was written by another version (%s, this is %s) and was not compared", name,
			orElse(v.rec.Opened.Tool.Version, "unknown"), orElse(v.opts.Tool, "unknown"))
	}
}

func (v *verification) readLarge(name string) ([]byte, error) {
	r, err := v.src.open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// contradiction names the first member that two JSON documents both have and that differs; empty when there is none.
func contradiction(a, b []byte) string {
	var x, y map[string]any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "the whole document"
	}
	return differs(x, y)
}

func differs(x, y map[string]any) string {
	for _, k := range slices.Sorted(maps.Keys(x)) {
		other, both := y[k]
		if !both {
			continue
		}
		if m, ok := x[k].(map[string]any); ok {
			if n, ok := other.(map[string]any); ok {
				if inner := differs(m, n); inner != "" {
					return k + "." + inner
				}
				continue
			}
		}
		if fmt.Sprint(x[k]) != fmt.Sprint(other) {
			return k
		}
	}
	return ""
}
