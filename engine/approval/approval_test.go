package approval_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/approval"
	"github.com/continuo-runbooks/continuo/runbooks"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func request() approval.Request {
	return approval.Request{
		Run: "20261121-0300-x", Mode: engine.Live, Runbook: "payments", PlanDigest: "sha256:aa", Gate: "gate.promote",
		Question: "Promote db-b1?\nThe last 3 s are lost.", Hosts: []string{"db-b1", "db-b2"}, Role: "mim", Approvals: 2,
		Operator: "op", Requested: now, ApproveBy: now.Add(30 * time.Minute), StartWithin: 10 * time.Minute,
		Nonce: strings.Repeat("0f", 16),
	}
}

// keys verifies "signatures" of the form principal\x00text.
type keys struct{}

func (keys) Verify(text, sig []byte, _ time.Time) (approval.Signer, error) {
	who, signed, ok := bytes.Cut(sig, []byte{0})
	if !ok || !bytes.Equal(signed, text) {
		return approval.Signer{}, errors.New("bad signature")
	}
	return approval.Signer{Principal: string(who), Fingerprint: "SHA256:x"}, nil
}

func sign(who string, r approval.Request) []byte { return append([]byte(who+"\x00"), r.Text()...) }

func gate() *approval.Gate {
	return approval.NewGate(request(), []string{"alice", "bob", "op"}, []string{"op"})
}

func TestGate_opensByTwoDistinctMembers(t *testing.T) {
	t.Parallel()
	g := gate()
	require.Equal(t, approval.Waiting, g.State(now))
	_, err := g.Add(keys{}, nil, sign("alice", g.Request), now)
	require.NoError(t, err)
	require.Equal(t, 1, g.Missing())
	_, err = g.Add(keys{}, g.Request.Text(), sign("bob", g.Request), now.Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, approval.Open, g.State(now.Add(time.Minute)))
	require.NoError(t, g.Use(now.Add(2*time.Minute)))
	require.ErrorIs(t, g.Use(now.Add(2*time.Minute)), approval.ErrEnded, "approvals are spent")
	_, err = g.Add(keys{}, nil, sign("carol", g.Request), now.Add(2*time.Minute))
	require.ErrorIs(t, err, approval.ErrEnded)
}

func TestGate_refuses(t *testing.T) {
	t.Parallel()
	changed := func(f func(*approval.Request)) approval.Request {
		r := request()
		f(&r)
		return r
	}
	tests := map[string]struct {
		text, sig []byte
		at        time.Time
		want      error
		says      string
	}{
		"the operator":     {nil, sign("op", request()), now, approval.ErrOperator, "op"},
		"a stranger":       {nil, sign("mallory", request()), now, approval.ErrMember, "mallory"},
		"the same person":  {nil, sign("alice", request()), now, approval.ErrTwice, "alice"},
		"a late one":       {nil, sign("bob", request()), now.Add(31 * time.Minute), approval.ErrLate, "03:30:00Z"},
		"a bad signature":  {nil, []byte("bob\x00something"), now, approval.ErrSignature, "bad signature"},
		"another plan":     {changed(func(r *approval.Request) { r.PlanDigest = "sha256:bb" }).Text(), nil, now, approval.ErrOther, "plan sha256:bb"},
		"another run":      {changed(func(r *approval.Request) { r.Run = "r2" }).Text(), nil, now, approval.ErrOther, "run r2"},
		"another gate":     {changed(func(r *approval.Request) { r.Gate = "gate.x" }).Text(), nil, now, approval.ErrOther, "gate gate.x"},
		"a replay":         {changed(func(r *approval.Request) { r.Nonce = strings.Repeat("00", 16) }).Text(), nil, now, approval.ErrOther, "earlier"},
		"a text of others": {[]byte("hello"), nil, now, approval.ErrOther, "not an approval request"},
		"a signature over another plan without its text": {nil, sign("bob", changed(func(r *approval.Request) { r.PlanDigest = "sha256:bb" })), now, approval.ErrSignature, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := gate()
			_, err := g.Add(keys{}, nil, sign("alice", g.Request), now)
			require.NoError(t, err)
			_, err = g.Add(keys{}, tt.text, tt.sig, tt.at)
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.says)
			require.Len(t, g.Counting(), 1)
		})
	}
}

func TestGate_clocksAndDenial(t *testing.T) {
	t.Parallel()
	g := gate()
	require.Equal(t, approval.Expired, g.State(now.Add(31*time.Minute)))
	for _, who := range []string{"alice", "bob"} {
		_, err := g.Add(keys{}, nil, sign(who, g.Request), now)
		require.NoError(t, err)
	}
	require.Equal(t, approval.Open, g.State(now.Add(10*time.Minute)))
	require.Equal(t, approval.Expired, g.State(now.Add(10*time.Minute+time.Second)), "approved, and not started in time")
	require.ErrorIs(t, g.Use(now.Add(11*time.Minute)), approval.ErrEnded)

	d := gate()
	require.NoError(t, d.Deny("bob", now))
	require.Equal(t, approval.Denied, d.State(now))
	_, err := d.Add(keys{}, nil, sign("alice", d.Request), now)
	require.ErrorIs(t, err, approval.ErrEnded)
}

func TestGate_rulesAreCheckedAgainAtUse(t *testing.T) {
	t.Parallel()
	g := gate()
	for _, who := range []string{"alice", "bob"} {
		_, err := g.Add(keys{}, nil, sign(who, g.Request), now)
		require.NoError(t, err)
	}
	g.Steered("bob")
	require.Equal(t, approval.Waiting, g.State(now), "who steers no longer counts")
	require.ErrorIs(t, g.Use(now), approval.ErrEnded)
	require.False(t, g.Reachable(), "alice alone cannot open a gate of two")

	lost := gate()
	for _, who := range []string{"alice", "bob"} {
		_, err := lost.Add(keys{}, nil, sign(who, lost.Request), now)
		require.NoError(t, err)
	}
	lost.Members = []string{"alice", "carol"}
	require.Equal(t, 1, lost.Missing(), "who left the role no longer counts")
}

func TestRequest_text(t *testing.T) {
	t.Parallel()
	text := string(request().Text())
	for _, want := range []string{"plan: sha256:aa\n", "question:\n  Promote db-b1?\n  The last 3 s are lost.\n",
		"approve-by: 2026-11-21T03:30:00Z\n", "start-within: 10m0s\n"} {
		require.Contains(t, text, want)
	}
	spoof := request()
	spoof.Question = "Fine?\u202egnihton \x1b[2J"
	require.NotContains(t, string(spoof.Text()), "\u202e")
	require.NotContains(t, string(spoof.Text()), "\x1b")
}

func TestParseRequest_isTheInverseOfText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z0-9-]{1,12}`)
		r := approval.Request{
			Run: engine.RunID(word.Draw(t, "run")), Mode: engine.Live, Runbook: word.Draw(t, "runbook"),
			PlanDigest: word.Draw(t, "plan"), Gate: runbooks.ItemID(word.Draw(t, "gate")),
			Question: rapid.String().Draw(t, "question"), Hosts: rapid.SliceOf(word).Draw(t, "hosts"), Role: word.Draw(t, "role"),
			Approvals: rapid.IntRange(1, 9).Draw(t, "k"), Operator: word.Draw(t, "op"), Requested: now, Nonce: word.Draw(t, "nonce"),
		}
		got, err := approval.ParseRequest(r.Text())
		if err != nil {
			t.Fatalf("%v\n%s", err, r.Text())
		}
		if !bytes.Equal(got.Text(), r.Text()) {
			t.Fatalf("%q\n%q", got.Text(), r.Text())
		}
	})
}

func TestParseRequest_acceptsNothingElse(t *testing.T) {
	t.Parallel()
	text := request().Text()
	for n := range text {
		changed := bytes.Clone(text)
		changed[n] ^= 1
		got, err := approval.ParseRequest(changed)
		if err == nil {
			require.Equal(t, changed, got.Text(), "byte %d: read as a different text", n)
			require.NotEqual(t, text, got.Text())
		}
	}
	for _, s := range []string{"", "x", string(text) + "\n", strings.Replace(string(text), "hosts: ", "hosts:  ", 1),
		strings.Replace(string(text), "nonce", "noise", 1)} {
		_, err := approval.ParseRequest([]byte(s))
		require.ErrorIs(t, err, approval.ErrText)
	}
}

// people verifies signatures of keys that stand for several principals.
type people map[string]approval.Signer

func (p people) Verify(_, sig []byte, _ time.Time) (approval.Signer, error) {
	who := p[string(sig)]
	who.Aliases = append([]string(nil), who.Aliases...)
	return who, nil
}

func TestGate_aPersonIsOneWhateverNameOrKey(t *testing.T) {
	t.Parallel()
	keys := people{
		"alice":        {Principal: "alice", Fingerprint: "SHA256:a"},
		"alice-laptop": {Principal: "ALICE", Fingerprint: "SHA256:a2"},
		"shared":       {Principal: "bob", Fingerprint: "SHA256:a", Aliases: []string{"alice"}},
		"robert":       {Principal: "aaron", Fingerprint: "SHA256:r", Aliases: []string{"bob", "robert"}},
		"op-alias":     {Principal: "bob", Fingerprint: "SHA256:o", Aliases: []string{"OP"}},
	}
	g := gate()
	_, err := g.Add(keys, nil, []byte("alice"), now)
	require.NoError(t, err)
	for sig, want := range map[string]error{"alice-laptop": approval.ErrTwice, "shared": approval.ErrTwice, "op-alias": approval.ErrOperator} {
		_, err := g.Add(keys, nil, []byte(sig), now)
		require.ErrorIs(t, err, want, sig)
	}
	grant, err := g.Add(keys, nil, []byte("robert"), now)
	require.NoError(t, err)
	require.Equal(t, "bob", grant.Principal, "the name that holds the role")
	require.ElementsMatch(t, []string{"aaron", "robert"}, grant.Aliases)
	require.Zero(t, g.Missing())
	g.Steered("Robert")
	require.Equal(t, 1, g.Missing(), "who steers under another name does not count either")
}
