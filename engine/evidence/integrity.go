package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// integrity checks that the files are exactly those that were sealed, and the journal's chain.
func (v *verification) integrity() {
	f := &v.res.Integrity
	for _, odd := range v.src.oddities() {
		f.fail("%s", odd)
	}
	if !v.hashAll(f) {
		return
	}
	v.readJournal(f)
	if v.src.has(SumsFile) {
		v.compareSums(f)
	} else {
		f.fail("%s is missing: the run is not sealed", SumsFile)
	}
	v.checkArtifacts(f)
	v.checkInputs(f)
}

// hashAll hashes every file once.
func (v *verification) hashAll(f *Finding) bool {
	v.withheld = map[string]bool{}
	folded := map[string]string{}
	for _, file := range v.src.files() {
		if other, twice := folded[strings.ToLower(file.name)]; twice {
			f.fail("%s and %s differ only in case", other, file.name)
		}
		folded[strings.ToLower(file.name)] = file.name
		digest, head, err := v.hashFile(file.name)
		if err != nil {
			f.fail("%s: %v", file.name, err)
			return false
		}
		v.digests[file.name] = digest
		withheld := file.size <= maxStub && isStub(file.name, head)
		if withheld {
			v.withheld[file.name] = true
		}
		v.facts.count(Entry{Name: file.name}, file.size, withheld)
		if file.name == journal.FileName {
			v.journal.size, v.journal.sha256 = file.size, digest
		}
	}
	return true
}

func (v *verification) hashFile(name string) (digest string, head []byte, err error) {
	r, err := v.src.open(name)
	if err != nil {
		return "", nil, err
	}
	defer r.Close()
	h := sha256.New()
	head, err = io.ReadAll(io.TeeReader(io.LimitReader(r, maxStub), h))
	if err != nil {
		return "", nil, err
	}
	if _, err := io.Copy(h, r); err != nil {
		return "", nil, err
	}
	return hex.EncodeToString(h.Sum(nil)), head, nil
}

// compareSums compares the exact set of files and their digests with SHA256SUMS.
func (v *verification) compareSums(f *Finding) {
	if !v.readSums(f) {
		return
	}
	want := map[string]bool{}
	for _, e := range v.entries {
		want[e.Name] = true
		got, there := v.digests[e.Name]
		switch {
		case !there:
			f.fail("%s is missing", e.Name)
		case got != e.SHA256:
			f.fail("%s was changed: its content is not what %s lists", e.Name, SumsFile)
		}
	}
	for _, file := range v.src.files() {
		if listed(file.name) && !want[file.name] {
			f.fail("%s is not in %s", file.name, SumsFile)
		}
	}
	for _, name := range []string{journal.FileName, PlanFile, SealFile, ReadmeFile} {
		if !want[name] {
			f.fail("%s does not list %s", SumsFile, name)
		}
	}
}

// readSums reads SHA256SUMS, and reports whether it is a list.
func (v *verification) readSums(f *Finding) bool {
	var err error
	if v.sums, err = readWhole(v.src, SumsFile, maxFile); err != nil {
		f.fail("%v", err)
		return false
	}
	v.res.SumsSHA256 = sum(v.sums)
	if v.entries, err = parseSums(v.sums); err != nil {
		f.fail("%v", err)
		return false
	}
	return true
}

// readJournal reads the journal strictly.
func (v *verification) readJournal(f *Finding) {
	r, err := v.src.open(journal.FileName)
	if err != nil {
		f.fail("%s: %v", journal.FileName, err)
		return
	}
	defer r.Close()
	in := journal.NewReader(r)
	for {
		ev, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			f.fail("%s: %v", journal.FileName, err)
			break
		}
		v.events = append(v.events, ev)
		v.heads = append(v.heads, in.Head())
	}
	v.journal.head = in.Head()
	if len(v.events) == 0 {
		return
	}
	v.sealedAt = v.events[len(v.events)-1].Time
	if o, ok := v.events[0].Payload.(*engine.RunOpened); ok {
		v.res.Run, v.res.Mode = o.Run, v.events[0].Mode
	}
}

// checkArtifacts compares every artifact with its name, and looks for those that the journal refers to.
func (v *verification) checkArtifacts(f *Finding) {
	for _, file := range v.src.files() {
		if !strings.HasPrefix(file.name, ArtifactsDir+"/") {
			continue
		}
		m := artifactRE.FindStringSubmatch(file.name)
		switch {
		case m == nil || !strings.HasPrefix(m[2], m[1]):
			f.fail("%s is not the name of an artifact", file.name)
		case v.withheld[file.name]:
		case v.digests[file.name] != m[2]:
			f.fail("%s was changed: its content does not match its name", file.name)
		}
	}
	for i, ev := range v.events {
		for _, ref := range artifactsOf(ev.Payload) {
			if len(ref) != 64 || !v.src.has(artifactName(ref)) {
				f.fail("artifact %.64s is missing (%s, line %d of %s)", ref, ev.Payload.EventType(), i+1, journal.FileName)
			}
		}
	}
	for _, name := range sortedKeys(v.withheld) {
		f.note("%s was withheld before the seal", name)
	}
}

// artifactsOf lists the artifacts that an event refers to by a field of its own.
func artifactsOf(p engine.Payload) []string {
	var refs []string
	add := func(s string) {
		if ref, ok := strings.CutPrefix(s, journal.ArtifactRef); ok {
			refs = append(refs, ref)
		}
	}
	switch p := p.(type) {
	case *engine.ItemOutput:
		if p.Artifact != "" {
			refs = append(refs, p.Artifact)
		}
	case *engine.JournalRecovered:
		if p.Artifact != "" {
			refs = append(refs, p.Artifact)
		}
	case *engine.ApprovalRequested:
		add(p.Request)
	case *engine.ApprovalGranted:
		add(p.Signature)
	case *engine.ItemIntent:
		add(p.Command)
	case *engine.ItemOutcome:
		add(p.Command)
		add(p.Reason)
	}
	return refs
}

// checkInputs compares plan and project with the digests of run.opened.
func (v *verification) checkInputs(f *Finding) {
	if len(v.events) == 0 {
		return
	}
	o, ok := v.events[0].Payload.(*engine.RunOpened)
	if !ok {
		return
	}
	if got := v.digests[PlanFile]; got != o.PlanSHA256 {
		f.fail("%s is not the plan that the run was opened with", PlanFile)
	}
	var entries []Entry
	for name, digest := range v.digests {
		if strings.HasPrefix(name, ProjectDir+"/") {
			if v.withheld[name] {
				f.note("the project cannot be compared with the digest in the journal: a file of it was withheld")
				return
			}
			entries = append(entries, Entry{Name: name, SHA256: digest})
		}
	}
	if projectDigest(entries) != o.ProjectSHA256 {
		f.fail("%s/ is not the project that the run was opened with", ProjectDir)
	}
}

func sortedKeys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
