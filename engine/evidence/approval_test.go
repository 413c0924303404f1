package evidence

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
)

func request() ApprovalRequest {
	return ApprovalRequest{
		Run: sampleRun, Mode: engine.Live, PlanDigest: "sha256:0123", Project: "payments", Runbook: "failover",
		Gate: "gate.promote", Question: "Promote db-b1?\nThe last 4 s are lost.", Role: "major-incident-manager", Approvals: 2,
		Operators: []string{"alice@example.org"}, Hosts: []string{"db-b1", "db-b2"},
		Asked:   time.Date(2026, 11, 21, 18, 20, 0, 0, time.UTC),
		Expires: time.Date(2026, 11, 21, 18, 50, 0, 0, time.UTC), Nonce: strings.Repeat("ab", 16),
	}
}

func rules(t testing.TB) ApprovalRules {
	t.Helper()
	return ApprovalRules{
		Signers:   people(t, "bob", "carol", "alice", "dave", "bob=bob-laptop", "eve"),
		Members:   []string{"Bob@example.org", "carol@example.org", "alice@example.org"},
		Operators: []string{"alice@example.org", "eve@example.org"},
		Now:       time.Date(2026, 11, 21, 18, 30, 0, 0, time.UTC),
	}
}

func approve(t testing.TB, r ApprovalRequest, key string) []byte {
	t.Helper()
	sig, err := testKey(t, key).Sign(r.Text(), ApprovalNamespace)
	require.NoError(t, err)
	return sig
}

func TestTheTextOfAnApproval(t *testing.T) {
	t.Parallel()
	text := string(request().Text())
	require.True(t, strings.HasPrefix(text, "continuo-approval v1\nrun "+string(sampleRun)+"\nmode live\nplan sha256:0123\n"))
	require.Contains(t, text, "\nhosts db-b1 db-b2\n")
	require.Contains(t, text, "\napprove-by 2026-11-21T18:50:00Z\nstart-by never\n")
	require.Contains(t, text, "\nquestion Promote db-b1??The last 4 s are lost.\n", "a question cannot write lines of its own")
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	who, err := CheckApproval(request(), approve(t, request(), "bob"), rules(t))
	require.NoError(t, err)
	require.Equal(t, "bob@example.org", who)

	changed := func(change func(*ApprovalRequest)) ApprovalRequest {
		r := request()
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		signed ApprovalRequest
		key    string
		rules  func(*ApprovalRules)
		want   error
	}{
		"the operator's own":                 {request(), "alice", nil, ErrOperator},
		"of one who steered the run later":   {request(), "eve", nil, ErrOperator},
		"a second by the same person":        {request(), "bob", already("bob@example.org"), ErrSamePerson},
		"the same person under another key":  {request(), "bob-laptop", already("BOB@example.org"), ErrSamePerson},
		"an expired one":                     {request(), "bob", func(r *ApprovalRules) { r.Now = r.Now.Add(time.Hour) }, ErrApprovalExpired},
		"a non-member":                       {request(), "dave", nil, ErrNotMember},
		"of one who lost the role":           {request(), "bob", func(r *ApprovalRules) { r.Members = r.Members[1:] }, ErrNotMember},
		"an unknown key":                     {request(), "mallory", nil, ErrUnknownKey},
		"a revoked key":                      {request(), "bob", func(r *ApprovalRules) { _ = r.Signers.Revoke([]byte(testKey(t, "bob").Fingerprint())) }, ErrRevoked},
		"for another plan":                   {changed(func(r *ApprovalRequest) { r.PlanDigest = "sha256:9" }), "bob", nil, ErrApprovalText},
		"of another run":                     {changed(func(r *ApprovalRequest) { r.Run = "other" }), "bob", nil, ErrApprovalText},
		"for other hosts":                    {changed(func(r *ApprovalRequest) { r.Hosts = r.Hosts[:1] }), "bob", nil, ErrApprovalText},
		"for the dry-run":                    {changed(func(r *ApprovalRequest) { r.Mode = engine.DryRun }), "bob", nil, ErrApprovalText},
		"a replay of an earlier request":     {changed(func(r *ApprovalRequest) { r.Nonce = strings.Repeat("cd", 16) }), "bob", nil, ErrApprovalText},
		"of a request with other operators":  {changed(func(r *ApprovalRequest) { r.Operators = nil }), "bob", nil, ErrApprovalText},
		"of a request that never expires":    {changed(func(r *ApprovalRequest) { r.Expires = time.Time{} }), "bob", nil, ErrApprovalText},
		"of a request to another gate":       {changed(func(r *ApprovalRequest) { r.Gate = "gate.other" }), "bob", nil, ErrApprovalText},
		"of a request with another question": {changed(func(r *ApprovalRequest) { r.Question = "?" }), "bob", nil, ErrApprovalText},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ru := rules(t)
			if c.rules != nil {
				c.rules(&ru)
			}
			who, err := CheckApproval(request(), approve(t, c.signed, c.key), ru)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, who)
		})
	}
	sig, err := testKey(t, "bob").Sign(request().Text(), EvidenceNamespace)
	require.NoError(t, err)
	_, err = CheckApproval(request(), sig, rules(t))
	require.ErrorIs(t, err, ErrNamespace)
}

func already(who string) func(*ApprovalRules) {
	return func(r *ApprovalRules) { r.Already = []string{who} }
}

func TestOneKeyOfTwoPrincipalsIsOnePerson(t *testing.T) {
	t.Parallel()
	ru := rules(t)
	ru.Signers = people(t, "robert=bob", "bob")
	_, err := CheckApproval(request(), approve(t, request(), "bob"), ru)
	require.NoError(t, err)
	ru.Already = []string{"robert@example.org"}
	_, err = CheckApproval(request(), approve(t, request(), "bob"), ru)
	require.ErrorIs(t, err, ErrSamePerson)
	ru.Already, ru.Operators = nil, []string{"robert@example.org"}
	_, err = CheckApproval(request(), approve(t, request(), "bob"), ru)
	require.ErrorIs(t, err, ErrOperator)
}

func TestAnApprovalMadeByOpenSSHCounts(t *testing.T) {
	t.Parallel()
	keygen := tool(t, "ssh-keygen")
	work := t.TempDir()
	key, name := filepath.Join(work, "id"), filepath.Join(work, "request.txt")
	out, err := exec.Command(keygen, "-q", "-t", "ecdsa", "-N", "", "-f", key).CombinedOutput()
	require.NoError(t, err, "%s", out)
	pub, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, request().Text(), 0o600))
	out, err = exec.Command(keygen, "-Y", "sign", "-f", key, "-n", ApprovalNamespace, name).CombinedOutput()
	require.NoError(t, err, "%s", out)
	sig, err := os.ReadFile(name + ".sig")
	require.NoError(t, err)
	ru := rules(t)
	ru.Signers, err = ParseSigners([]byte("carol@example.org " + string(pub)))
	require.NoError(t, err)
	who, err := CheckApproval(request(), sig, ru)
	require.NoError(t, err)
	require.Equal(t, "carol@example.org", who)
}

// approvedSample is a sealed run with one approval, made by the key.
func approvedSample(t testing.TB, r ApprovalRequest, key string) string {
	t.Helper()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	s.step()
	require.NoError(t, s.run.StoreApproval(r, 1, approve(t, r, key)))
	dir := s.close()
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	return dir
}

func TestApprovalsInABundleAreVerified(t *testing.T) {
	t.Parallel()
	opts := verifyOptions(t)
	opts.Signers = people(t, "bob", "alice")
	res, err := Verify(approvedSample(t, request(), "bob"), opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.Contains(t, strings.Join(res.Authenticity.Notes, "\n"), "approvals/gate.promote/1: approved by bob@example.org")

	other := request()
	other.PlanDigest = "sha256:other"
	for want, dir := range map[string]string{
		ErrOperator.Error():                       approvedSample(t, request(), "alice"),
		ErrUnknownKey.Error():                     approvedSample(t, request(), "mallory"),
		`it is for plan "sha256:other", not`:      approvedSample(t, other, "bob"),
		"text and signature are not both there":   without(t, approvedSample(t, request(), "bob"), "approvals/gate.promote/1.sig"),
		"approvals/x is not the name of an appro": with(t, approvedSample(t, request(), "bob"), "approvals/x"),
	} {
		res, err := Verify(dir, opts)
		require.NoError(t, err)
		require.Contains(t, strings.Join(res.Reasons(), "\n"), want)
	}
}

func without(t testing.TB, dir, name string) string {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(dir, name)))
	resign(t, dir, testKey(t, "executor"))
	return dir
}

func with(t testing.TB, dir, name string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	resign(t, dir, testKey(t, "executor"))
	return dir
}
