package evidence

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/engine/journal"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// request is what the sample's gate asks; its clock is that of the sample.
func request() approval.Request {
	return approval.Request{
		Run: sampleRun, Mode: engine.Live, PlanDigest: "sha256:0123", Runbook: "failover", Gate: "gate.promote",
		Question: "Promote db-b1?\nThe last 4 s are lost.", Role: "major-incident-manager", Approvals: 2,
		Operator: "alice@example.org", Hosts: []string{"db-b1", "db-b2"}, Requested: newTicker().now,
		ApproveBy: newTicker().now.Add(30 * time.Minute), StartWithin: 10 * time.Minute, Nonce: strings.Repeat("ab", 16),
	}
}

func approve(t testing.TB, r approval.Request, key string) []byte {
	t.Helper()
	sig, err := testKey(t, key).Sign(r.Text(), ApprovalNamespace)
	require.NoError(t, err)
	return sig
}

// requested is the event of a request.
func requested(r approval.Request) *engine.ApprovalRequested {
	return &engine.ApprovalRequested{
		Item: r.Gate, Role: r.Role, Approvals: r.Approvals, ApproveBy: r.ApproveBy, Request: string(r.Text()), SHA256: sum(r.Text()),
		Members: []string{"Bob@example.org", "carol@example.org", "alice@example.org", "eve@example.org"},
	}
}

// granted is the event of a grant, as the engine writes it.
func granted(t testing.TB, r approval.Request, who, key string) *engine.ApprovalGranted {
	t.Helper()
	return &engine.ApprovalGranted{
		Item: r.Gate, By: who + "@example.org", Fingerprint: testKey(t, key).Fingerprint(), Signature: string(approve(t, r, key)),
	}
}

func used(r approval.Request, who ...string) *engine.ApprovalUsed {
	p := &engine.ApprovalUsed{Item: r.Gate, For: "step.promote"}
	for _, w := range who {
		p.By = append(p.By, w+"@example.org")
	}
	return p
}

// withGate gives the sample's plan a gate.
func withGate(o *RunOptions) {
	o.Plan.Items = append(o.Plan.Items, engine.PlanItem{ID: "gate.promote", Kind: runbooks.Gate, Phase: "go", Effect: runbooks.Human, Disposition: engine.WillRun})
	o.Plan.Phases[0].Items = append(o.Plan.Phases[0].Items, "gate.promote")
}

// gate runs the sample's gate with these events.
func (s *sample) gate(events ...engine.Payload) {
	s.t.Helper()
	s.add(&engine.ItemStarted{Item: "gate.promote"})
	s.add(events...)
	s.add(&engine.ItemOutcome{Unit: engine.Unit{Item: "gate.promote"}, Outcome: engine.Succeeded})
}

// approvedSample is a sealed run whose gate said what the events say.
func approvedSample(t testing.TB, events ...engine.Payload) string {
	t.Helper()
	s := openSample(t, t.TempDir(), withGate)
	s.check()
	s.gate(events...)
	s.step()
	dir := s.close()
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	return dir
}

func TestApprovalsInABundleAreVerified(t *testing.T) {
	t.Parallel()
	r := request()
	dir := approvedSample(t, requested(r), &engine.ApprovalGranted{Item: r.Gate, By: "mallory@example.org", Signature: "x", Void: "the signature does not hold"},
		granted(t, r, "bob", "bob"), granted(t, r, "carol", "carol"), used(r, "bob", "carol"))
	opts := verifyOptions(t)
	opts.Signers = people(t, "bob", "carol")
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.Contains(t, strings.Join(res.Authenticity.Notes, "\n"), "gate.promote approved by bob@example.org (approvals/gate.promote/1.sig)")

	text, err := os.ReadFile(filepath.Join(dir, "approvals/gate.promote/2.txt"))
	require.NoError(t, err)
	require.Equal(t, r.Text(), text)
	sig, err := os.ReadFile(filepath.Join(dir, "approvals/gate.promote/2.sig"))
	require.NoError(t, err)
	require.Equal(t, approve(t, r, "carol"), sig)
	require.NoFileExists(t, filepath.Join(dir, "approvals/gate.promote/3.txt"), "what did not count is in the journal alone")

	opts.Signers = nil
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Equal(t, StatusUnchecked, res.Authenticity.Status, "whose keys they are is not known, the signatures hold")
}

func TestALongRequestIsAnArtifact(t *testing.T) {
	t.Parallel()
	r := request()
	r.Question = strings.Repeat("Is it so?\n", 1000)
	s := openSample(t, t.TempDir(), withGate)
	s.check()
	ref, err := s.run.Artifacts.Put(r.Text())
	require.NoError(t, err)
	asked := requested(r)
	asked.Request = journal.ArtifactRef + ref
	s.gate(asked, granted(t, r, "bob", "bob"), granted(t, r, "carol", "carol"), used(r, "bob", "carol"))
	s.step()
	dir := s.close()
	_, err = Seal(dir, sealOptions(t))
	require.NoError(t, err)
	opts := verifyOptions(t)
	opts.Signers = people(t, "bob", "carol")
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	text, err := os.ReadFile(filepath.Join(dir, "approvals/gate.promote/1.txt"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(r.Text(), text))
	require.NoError(t, os.Remove(filepath.Join(dir, artifactName(ref))))
	resign(t, dir, testKey(t, "executor"))
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), "artifact "+ref+" is missing (approval.requested")
}

// TestVerifyPlaysTheGatesAgain forges what an engine that keeps the rules would not have written, signed with the
// executor's own key.
func TestVerifyPlaysTheGatesAgain(t *testing.T) {
	t.Parallel()
	r := request()
	changed := func(change func(*approval.Request)) approval.Request {
		r := request()
		change(&r)
		return r
	}
	both := []engine.Payload{granted(t, r, "bob", "bob"), granted(t, r, "carol", "carol")}
	with := func(events ...engine.Payload) []engine.Payload {
		return append([]engine.Payload{requested(r)}, events...)
	}
	otherPlan := changed(func(r *approval.Request) { r.PlanDigest = "sha256:9" })
	late := changed(func(r *approval.Request) { r.ApproveBy = r.Requested.Add(-time.Minute) })
	slow := changed(func(r *approval.Request) { r.StartWithin = time.Nanosecond })
	earlier := changed(func(r *approval.Request) { r.Nonce = strings.Repeat("cd", 16) })
	for name, c := range map[string]struct {
		events []engine.Payload
		want   string
	}{
		"the operator's own":             {with(granted(t, r, "alice", "alice")), approval.ErrOperator.Error()},
		"of one who steers later":        {append(with(both...), &engine.OperatorAction{Action: "pause", By: "bob@example.org"}, used(r, "bob", "carol")), "lacked 1 of 2 approvals"},
		"one person twice":               {with(granted(t, r, "bob", "bob"), granted(t, r, "bob", "bob-laptop")), approval.ErrTwice.Error()},
		"no member":                      {with(granted(t, r, "dave", "dave")), approval.ErrMember.Error()},
		"an unknown key":                 {with(granted(t, r, "bob", "mallory")), ErrUnknownKey.Error()},
		"another's key":                  {with(granted(t, r, "carol", "bob")), "the journal names carol@example.org"},
		"late":                           {[]engine.Payload{requested(late), granted(t, late, "bob", "bob")}, approval.ErrLate.Error()},
		"used late":                      {[]engine.Payload{requested(slow), granted(t, slow, "bob", "bob"), granted(t, slow, "carol", "carol"), &engine.ClockAnomaly{}, used(slow)}, ""},
		"used with too few":              {with(both[0], used(r, "bob")), "lacked 1 of 2 approvals"},
		"used twice":                     {append(with(both...), used(r), used(r)), "gate is used"},
		"used and never asked":           {[]engine.Payload{used(r)}, "nobody asked to approve"},
		"given and never asked":          {both[:1], "nobody asked for it"},
		"a replay of an earlier request": {[]engine.Payload{requested(earlier), granted(t, r, "bob", "bob")}, approval.ErrSignature.Error()},
		"for another plan":               {[]engine.Payload{requested(otherPlan)}, `it is for plan "sha256:9", not "sha256:0123"`},
		"a text that is none":            {[]engine.Payload{&engine.ApprovalRequested{Item: r.Gate, Request: "yes?", SHA256: sum([]byte("yes?"))}}, approval.ErrText.Error()},
		"a digest of something else":     {[]engine.Payload{&engine.ApprovalRequested{Item: r.Gate, Request: string(r.Text()), SHA256: sum(nil)}}, "its digest is not the one beside it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := verifyOptions(t)
			opts.Signers = people(t, "bob", "carol", "alice", "dave", "bob=bob-laptop", "eve")
			res, err := Verify(approvedSample(t, c.events...), opts)
			require.NoError(t, err)
			if c.want == "" { // a moment late is the time between a decision and its line
				require.Empty(t, res.Reasons())
				return
			}
			require.Equal(t, StatusFailed, res.Authenticity.Status)
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.want)
		})
	}
}

func TestFilesOfApprovalsAreThoseOfTheJournal(t *testing.T) {
	t.Parallel()
	r := request()
	good := approvedSample(t, requested(r), granted(t, r, "bob", "bob"))
	for want, change := range map[string]func(string){
		"approvals/gate.promote/1.sig is missing: the journal holds this approval": func(d string) {
			require.NoError(t, os.Remove(filepath.Join(d, "approvals/gate.promote/1.sig")))
		},
		"approvals/gate.promote/1.txt is not what the journal holds of this approval": func(d string) {
			edit(t, d, "approvals/gate.promote/1.txt", replace("db-b1", "db-b9"))
		},
		"approvals/gate.promote/2.txt: the journal knows no such approval": func(d string) { write("approvals/gate.promote/2.txt", "x")(t, d) },
		"approvals/x is not the name of an approval":                       func(d string) { write("approvals/x", "x")(t, d) },
	} {
		dir := copyTree(t, good)
		change(dir)
		resign(t, dir, testKey(t, "executor"))
		res := mustVerify(t, dir)
		require.Equal(t, StatusFailed, res.Integrity.Status)
		require.Contains(t, strings.Join(res.Reasons(), "\n"), want)
	}
}

func TestOneKeyOfTwoPrincipalsIsOnePerson(t *testing.T) {
	t.Parallel()
	who, err := ApprovalVerifier{Signers: people(t, "robert=bob", "bob")}.Verify(request().Text(), approve(t, request(), "bob"), request().Requested)
	require.NoError(t, err)
	require.Equal(t, "bob@example.org", who.Principal)
	require.Equal(t, []string{"robert@example.org"}, who.Aliases)
}
