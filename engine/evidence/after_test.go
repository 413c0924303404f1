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

var reviewedAt = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// people are the signers of the tests: the executor, and persons by their own keys.
func people(t testing.TB, names ...string) *Signers {
	t.Helper()
	s := sampleSigners(t)
	for _, n := range names {
		who, key, ok := strings.Cut(n, "=")
		if !ok {
			key = who
		}
		more, err := ParseSigners([]byte(who + "@example.org " + publicLine(testKey(t, key)) + "\n"))
		require.NoError(t, err)
		s.Merge(more)
	}
	return s
}

func review(who string) Addendum {
	return Addendum{Kind: Review, Role: "continuity manager", Principal: who + "@example.org", Time: reviewedAt, Text: "Seen. The lag was high.\n\nOtherwise as agreed."}
}

func addReview(t testing.TB, dir, who string, signers *Signers) Addendum {
	t.Helper()
	text, err := AddendumText(dir, review(who))
	require.NoError(t, err)
	sig, err := testKey(t, who).Sign(text, ReviewNamespace)
	require.NoError(t, err)
	a, err := AddSigned(dir, text, sig, signers)
	require.NoError(t, err)
	return a
}

func TestAReviewIsAddedAndVerified(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	signers := people(t, "rita", "alice")
	first := addReview(t, dir, "rita", signers)
	require.Equal(t, "after/0001-review.txt", first.File)
	second := addReview(t, dir, "alice", signers)
	require.Equal(t, "after/0002-review.txt", second.File)

	opts := verifyOptions(t)
	opts.Signers = signers
	for _, path := range []string{dir, writeTar(t, exported(t, dir))} {
		res, err := Verify(path, opts)
		require.NoError(t, err)
		require.Empty(t, res.Reasons())
		require.Len(t, res.After, 2)
		require.Equal(t, "rita@example.org", res.After[0].Principal)
		require.Equal(t, "Seen. The lag was high.\n\nOtherwise as agreed.", res.After[0].Text)
		require.False(t, res.After[0].Operator)
		require.True(t, res.After[1].Operator, "alice opened the run")
		require.Contains(t, strings.Join(res.Authenticity.Notes, "\n"), "alice@example.org worked on the run: this is no independent review")
	}
	pieces, err := AfterPieces(dir, signers)
	require.NoError(t, err)
	require.Len(t, pieces, 2)
	require.Equal(t, StatusOK, pieces[0].Status)
	require.True(t, pieces[1].Operator)
	pieces, err = AfterPieces(dir, nil)
	require.NoError(t, err)
	require.Equal(t, StatusUnchecked, pieces[0].Status)
}

func TestAReviewSignedByOpenSSHIsTaken(t *testing.T) {
	t.Parallel()
	keygen := tool(t, "ssh-keygen")
	dir, work := sealedSample(t), t.TempDir()
	key := filepath.Join(work, "id")
	out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput()
	require.NoError(t, err, "%s", out)
	pub, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	signers, err := ParseSigners([]byte("rita@example.org " + string(pub)))
	require.NoError(t, err)
	text, err := AddendumText(dir, review("rita"))
	require.NoError(t, err)
	name := filepath.Join(work, "review.txt")
	require.NoError(t, os.WriteFile(name, text, 0o600))
	out, err = exec.Command(keygen, "-Y", "sign", "-f", key, "-n", ReviewNamespace, name).CombinedOutput()
	require.NoError(t, err, "%s", out)
	sig, err := os.ReadFile(name + ".sig")
	require.NoError(t, err)
	_, err = AddSigned(dir, text, sig, signers)
	require.NoError(t, err)
	require.Equal(t, StatusOK, mustVerify(t, dir).Integrity.Status)
}

func TestAddSignedRefuses(t *testing.T) { //nolint:tparallel // its parts take the same lock
	t.Parallel()
	dir := sealedSample(t)
	signers := people(t, "rita", "bob")
	good, err := AddendumText(dir, review("rita"))
	require.NoError(t, err)
	sign := func(text []byte, who, namespace string) []byte {
		sig, err := testKey(t, who).Sign(text, namespace)
		require.NoError(t, err)
		return sig
	}
	other := strings.Replace(string(good), "sums-sha256 ", "sums-sha256 0", 1)
	for name, c := range map[string]struct { //nolint:paralleltest // its parts take the same lock
		text []byte
		sig  []byte
		want error
	}{
		"other text":          {[]byte(strings.Replace(string(good), "high", "low", 1)), sign(good, "rita", ReviewNamespace), ErrSignature},
		"other purpose":       {good, sign(good, "rita", ApprovalNamespace), ErrNamespace},
		"someone else's key":  {good, sign(good, "bob", ReviewNamespace), ErrNotSigner},
		"an unknown key":      {good, sign(good, "mallory", ReviewNamespace), ErrUnknownKey},
		"another seal":        {[]byte(other), sign([]byte(other), "rita", ReviewNamespace), ErrOtherSeal},
		"free text":           {[]byte("all good\n"), sign([]byte("all good\n"), "rita", ReviewNamespace), ErrAddendum},
		"another spelling":    {append(good[:len(good):len(good)], '\n'), sign(append(good[:len(good):len(good)], '\n'), "rita", ReviewNamespace), ErrAddendum},
		"no signature at all": {good, nil, ErrArmor},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := AddSigned(dir, c.text, c.sig, signers)
			require.ErrorIs(t, err, c.want)
			require.NoDirExists(t, filepath.Join(dir, AfterDir))
		})
	}
	unsealed := openSample(t, t.TempDir(), nil).close()
	_, err = AddendumText(unsealed, review("rita"))
	require.ErrorIs(t, err, ErrNotSealed)
	_, err = AddSigned(unsealed, good, sign(good, "rita", ReviewNamespace), signers)
	require.ErrorIs(t, err, ErrNotSealed)
}

func TestAddendumTextRefuses(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	for name, change := range map[string]func(*Addendum){
		"kind":        func(a *Addendum) { a.Kind = "" },
		"role":        func(a *Addendum) { a.Role = "x\nprincipal y" },
		"principal":   func(a *Addendum) { a.Principal = "" },
		"length":      func(a *Addendum) { a.Text = strings.Repeat("x", maxAddendum) },
		"bad UTF-8":   func(a *Addendum) { a.Text = "\xff" },
		"two breaks ": func(a *Addendum) { a.Role = "x\n\ny" },
	} {
		a := review("rita")
		change(&a)
		_, err := AddendumText(dir, a)
		require.ErrorIs(t, err, ErrAddendum, name)
	}
}

func TestTamperedPieces(t *testing.T) {
	t.Parallel()
	good := sealedSample(t)
	signers := people(t, "rita", "ruth", "bob")
	addReview(t, good, "rita", signers)
	addReview(t, good, "ruth", signers)
	other := sealedSample(t)
	edit(t, other, "report.html", replace("passed", "x"))
	resign(t, other, testKey(t, "executor"))
	addReview(t, other, "rita", signers)
	write := func(dir, name, text string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
	}{
		"text changed":      {func(d string) error { edit(t, d, "after/0001-review.txt", replace("high", "low")); return nil }, "authenticity: after/0001-review.txt: signature does not match"},
		"role changed":      {func(d string) error { edit(t, d, "after/0001-review.txt", replace("manager", "director")); return nil }, "authenticity: after/0001-review.txt: signature"},
		"renamed kind":      {func(d string) error { return renameBoth(d, "0002-review", "0002-addendum") }, `it says "review"`},
		"of another bundle": {func(d string) error { return copyPiece(other, d, "0001-review") }, "it is about another seal"},
		"signature missing": {func(d string) error { return os.Remove(d + "/after/0001-review.sig") }, "after/0001-review.txt: "},
		"text missing":      {func(d string) error { return os.Remove(d + "/after/0002-review.txt") }, "signs nothing"},
		"first piece gone":  {func(d string) error { return removeBoth(d, "0001-review") }, "completeness: after/0001-… is missing"},
		"two of one number": {func(d string) error { return renameBoth(d, "0002-review", "0001-addendum") }, "two pieces of this number"},
		"anything else":     {func(d string) error { return write(d, "after/notes.md", "x") }, "after/notes.md is not the name of a piece"},
		"a piece in a dir": {func(d string) error {
			_ = os.Mkdir(d+"/after/x", 0o700)
			return write(d, "after/x/0003-review.txt", "x")
		}, "is not the name of a piece"},
		"a time stamp's txt": {func(d string) error { return write(d, "after/0003-timestamp.txt", "x") }, "is not the name of a piece"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := copyTree(t, good)
			require.NoError(t, c.change(dir))
			opts := verifyOptions(t)
			opts.Signers = signers
			res, err := Verify(dir, opts)
			require.NoError(t, err)
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.want)
		})
	}
}

func renameBoth(dir, from, to string) error {
	for _, ext := range []string{".txt", ".sig"} {
		if err := os.Rename(filepath.Join(dir, AfterDir, from+ext), filepath.Join(dir, AfterDir, to+ext)); err != nil {
			return err
		}
	}
	return nil
}

func removeBoth(dir, name string) error {
	for _, ext := range []string{".txt", ".sig"} {
		if err := os.Remove(filepath.Join(dir, AfterDir, name+ext)); err != nil {
			return err
		}
	}
	return nil
}

func copyPiece(from, to, name string) error {
	for _, ext := range []string{".txt", ".sig"} {
		data, err := os.ReadFile(filepath.Join(from, AfterDir, name+ext))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, AfterDir, name+ext), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestWhatACrashLeftOfAPieceIsNoPiece(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, AfterDir), 0o700))
	for _, n := range []string{"0001-review.sig", "0001-review.txt.tmp"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, AfterDir, n), []byte("half"), 0o600))
	}
	signers := people(t, "rita")
	require.Equal(t, "after/0001-review.txt", addReview(t, dir, "rita", signers).File)
	opts := verifyOptions(t)
	opts.Signers = signers
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
}

func TestOperators(t *testing.T) {
	t.Parallel()
	ev := func(ps ...engine.Payload) (out []engine.Event) {
		for _, p := range ps {
			out = append(out, engine.Event{Payload: p})
		}
		return out
	}
	require.Equal(t, []string{"alice@x", "bob@x", "carol@x"}, Operators(ev(
		&engine.RunOpened{Operator: "alice@x"}, &engine.OperatorAction{Action: engine.ActionPause, By: "bob@x"},
		&engine.OperatorAction{Action: engine.ActionNote, By: "dave@x"}, &engine.RunResumed{By: "carol@x"},
		&engine.RunResumed{By: "ALICE@x"}, &engine.ManualDone{By: "erin@x"}, &engine.OperatorAction{Action: engine.ActionKill},
	)))
}

// withdrawal of a file, signed by who.
func withdrawal(t testing.TB, dir, file, who string, signers *Signers) error {
	t.Helper()
	a := review(who)
	a.Kind, a.Text = Withdrawal, WithdrawalText(file, "It was the wrong run.")
	text, err := AddendumText(dir, a)
	require.NoError(t, err)
	sig, err := testKey(t, who).Sign(text, ReviewNamespace)
	require.NoError(t, err)
	_, err = AddSigned(dir, text, sig, signers)
	return err
}

func TestOnlyItsAuthorWithdrawsAPieceOnce(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	signers := people(t, "rita", "bob")
	addReview(t, dir, "rita", signers)
	require.ErrorIs(t, withdrawal(t, dir, "after/0001-review.txt", "bob", signers), ErrWithdrawal)
	require.ErrorIs(t, withdrawal(t, dir, "after/0002-review.txt", "rita", signers), ErrWithdrawal)
	require.NoError(t, withdrawal(t, dir, "after/0001-review.txt", "rita", signers))
	require.ErrorIs(t, withdrawal(t, dir, "after/0001-review.txt", "rita", signers), ErrWithdrawal)
	require.ErrorIs(t, withdrawal(t, dir, "after/0002-withdrawal.txt", "rita", signers), ErrWithdrawal)
	opts := verifyOptions(t)
	opts.Signers = signers
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	require.Equal(t, "after/0002-withdrawal.txt", res.After[0].WithdrawnBy)
	require.Equal(t, "after/0001-review.txt", res.After[1].Withdraws())

	// One that was slipped in by hand is not taken for one.
	a := review("bob")
	a.Kind, a.Text = Withdrawal, WithdrawalText("after/0001-review.txt", "Not so.")
	text, err := AddendumText(dir, a)
	require.NoError(t, err)
	sig, err := testKey(t, "bob").Sign(text, ReviewNamespace)
	require.NoError(t, err)
	write("after/0003-withdrawal.txt", string(text))(t, dir)
	write("after/0003-withdrawal.sig", string(sig))(t, dir)
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), ErrWithdrawal.Error())
}

func TestAPieceThatIsTakenAwayShowsInTheLedger(t *testing.T) {
	t.Parallel()
	state, l := installation(t)
	signers := people(t, "rita")
	dir := RunDir(state, "r2")
	require.NoError(t, l.RecordPiece(dir, addReview(t, dir, "rita", signers)))
	opts := verifyOptions(t)
	opts.Signers = signers
	look := func() string {
		var err error
		opts.Ledger, err = ReadLedger(filepath.Join(state, LedgerFile))
		require.NoError(t, err)
		res, err := Verify(dir, opts)
		require.NoError(t, err)
		return strings.Join(append(res.Reasons(), checkLedger(t, state, "").Problems...), "\n")
	}
	require.Empty(t, look())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, AfterDir)))
	require.Contains(t, look(), "completeness: after/0001-review.txt, which rita@example.org added at ")
	require.Contains(t, look(), "run r2: after/0001-review.txt, which rita@example.org added at ")
}
