package report

import (
	"errors"
	"fmt"
	"io"

	"github.com/continuo-runbooks/continuo/engine"
)

// The types of an in-toto statement about a test.
const (
	statementType = "https://in-toto.io/Statement/v1"
	testResult    = "https://in-toto.io/attestation/test-result/v0.1"
)

// Subject is what an in-toto statement is about: the sealed record.
type Subject struct {
	Name   string // such as "<run>/SHA256SUMS"
	SHA256 string // hex
}

type statement struct {
	Type          string       `json:"_type"`
	Subject       []descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     testedResult `json:"predicate"`
}

type descriptor struct {
	Name        string            `json:"name"`
	Digest      map[string]string `json:"digest"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type testedResult struct {
	Result        string       `json:"result"`
	Configuration []descriptor `json:"configuration"`
	PassedTests   []string     `json:"passedTests,omitempty"`
	WarnedTests   []string     `json:"warnedTests,omitempty"`
	FailedTests   []string     `json:"failedTests,omitempty"`
}

// InToto writes an in-toto Statement with a test-result predicate, not yet signed. Only a closed live run that passed is
// PASSED; a dry-run or a simulation is WARNED at best, and none of its tests is listed as passed. The error is about a
// subject without a digest, or the writer's.
func (r *Report) InToto(w io.Writer, subject Subject) error {
	if len(subject.SHA256) != 64 {
		return errors.New("write report as in-toto: the subject has no SHA-256")
	}
	s := statement{
		Type: statementType, PredicateType: testResult,
		Subject: []descriptor{{
			Name: subject.Name, Digest: map[string]string{"sha256": subject.SHA256},
			Annotations: map[string]string{"mode": string(r.Run.Mode), "verdict": string(r.Verdict.Verdict)},
		}},
		Predicate: testedResult{Result: r.testedWord(), Configuration: []descriptor{}},
	}
	for _, d := range r.Digests {
		s.Predicate.Configuration = append(s.Predicate.Configuration, descriptor{
			Name: d.Name, Digest: map[string]string{"sha256": d.SHA256}, Annotations: map[string]string{"mode": string(r.Run.Mode)},
		})
	}
	for n := range r.Items {
		r.testedItem(&s.Predicate, &r.Items[n])
	}
	for _, o := range r.Objectives {
		name := "objective/" + visible(o.Name)
		switch {
		case o.Met == nil:
			s.Predicate.WarnedTests = append(s.Predicate.WarnedTests, name)
		case *o.Met && r.Run.Mode == engine.Live:
			s.Predicate.PassedTests = append(s.Predicate.PassedTests, name)
		case *o.Met:
			s.Predicate.WarnedTests = append(s.Predicate.WarnedTests, name)
		default:
			s.Predicate.FailedTests = append(s.Predicate.FailedTests, name)
		}
	}
	return writeJSON(w, s)
}

// testedWord is the result in in-toto's words.
func (r *Report) testedWord() string {
	v := r.Verdict.Verdict
	switch {
	case !r.Verdict.Closed:
		return "FAILED"
	case v == engine.Passed && r.Run.Mode == engine.Live:
		return "PASSED"
	case v == engine.Passed, v == engine.PassedWithDeviations, v == engine.Ready, v == engine.ReadyWithGaps:
		return "WARNED"
	}
	return "FAILED"
}

func (r *Report) testedItem(t *testedResult, i *Item) {
	units := i.Units
	if len(units) == 0 {
		units = []Unit{{Outcome: i.Outcome, Standing: i.Standing}}
	}
	for k := range units {
		u := &units[k]
		name := fmt.Sprintf("%s/%s", visible(i.Phase), visible(caseName(i, u)))
		switch {
		case u.Outcome == engine.Succeeded && u.Attempts <= 1 && r.Run.Mode == engine.Live:
			t.PassedTests = append(t.PassedTests, name)
		case u.Standing == engine.Done && u.Outcome != "", u.Cause == engine.CauseTolerated:
			t.WarnedTests = append(t.WarnedTests, name)
		default:
			t.FailedTests = append(t.FailedTests, name)
		}
	}
}
