package evidence

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal"
)

// forge changes a sealed bundle and signs it again with its own key: what only reading can show.
func forge(t *testing.T, change func(dir string)) *Result {
	t.Helper()
	dir := sealedSample(t)
	change(dir)
	resign(t, dir, testKey(t, "executor"))
	return mustVerify(t, dir)
}

// resign writes SHA256SUMS and its signature anew, whatever lies there.
func resign(t testing.TB, dir string, key *Signer) {
	t.Helper()
	src, err := openDir(dir)
	require.NoError(t, err)
	defer src.Close()
	var entries []Entry
	for _, f := range src.files() {
		if listed(f.name) {
			data, err := os.ReadFile(filepath.Join(dir, f.name))
			require.NoError(t, err)
			entries = append(entries, Entry{Name: f.name, SHA256: sum(data)})
		}
	}
	sums := formatSums(entries)
	sig, err := key.Sign(sums, EvidenceNamespace)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, SumsFile), sums, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, SignatureFile), sig, 0o600))
}

func edit(t testing.TB, dir, name string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	changed := change(bytes.Clone(data))
	require.NotEqual(t, string(data), string(changed))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), changed, 0o600))
}

func replace(old, with string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(with)) }
}

// rewrite gives the events to change and writes the journal anew, with a chain that holds.
func rewrite(t testing.TB, dir string, change func([]engine.Event) []engine.Event) {
	t.Helper()
	events := loadSample(t, dir).Events
	first := *events[0].Payload.(*engine.RunOpened)
	mode := events[0].Mode
	events = change(events)
	require.NoError(t, os.Remove(filepath.Join(dir, journal.FileName)))
	clock := &replay{}
	j, err := journal.Create(dir, journal.Options{
		Run: first.Run, Nonce: first.Nonce, Mode: mode, Clock: clock, Mono: func() time.Duration { return clock.mono },
	})
	require.NoError(t, err)
	for _, e := range events {
		clock.wall, clock.mono = e.Time, e.Mono
		_, err := j.Append(t.Context(), e.Payload)
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
}

type replay struct {
	wall time.Time
	mono time.Duration
}

func (r *replay) Now() time.Time { return r.wall }

// reseal lets the seal be made anew over what lies there.
func reseal(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{SumsFile, SignatureFile} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
}

func TestWhatTheHolderOfTheKeyForges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		layer  string
		want   string
	}{
		"report says other than the journal": {
			func(t *testing.T, dir string) { t.Helper(); edit(t, dir, "report.html", replace("passed", "PASSED!")) },
			"meaning", "report.html does not say what the journal says",
		},
		"JSON report says other than the journal": {
			func(t *testing.T, dir string) { t.Helper(); edit(t, dir, "report.json", replace("passed", "failed")) },
			"meaning", "report.json does not say",
		},
		"seal says other than the journal": {
			func(t *testing.T, dir string) { t.Helper(); edit(t, dir, SealFile, replace("unknown 0", "unknown 1")) },
			"integrity", `seal.txt line 7 says "unknown 1"; the other files say "unknown 0"`,
		},
		"seal names another signer": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, SealFile, replace(testKey(t, "executor").Fingerprint(), testKey(t, "other").Fingerprint()))
			},
			"authenticity", "as the signer, but",
		},
		"plan changed": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, PlanFile, replace(`"value": "30"`, `"value": "31"`))
			},
			"integrity", "plan.json is not the plan that the run was opened with",
		},
		"plan with an unknown member": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, PlanFile, replace(`"project":`, `"projekt": "", "project":`))
			},
			"meaning", "unknown field",
		},
		"project changed": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, "project/payments.hcl", replace("payments", "paiments"))
			},
			"integrity", "project/ is not the project that the run was opened with",
		},
		"project file added": {
			func(t *testing.T, dir string) {
				t.Helper()
				require.NoError(t, os.WriteFile(filepath.Join(dir, "project/new.hcl"), []byte("x"), 0o600))
			},
			"integrity", "project/ is not the project",
		},
		"artifact changed": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, someArtifact(t, dir), replace("please", "thanks"))
			},
			"integrity", "its content does not match its name",
		},
		"artifact missing": {
			func(t *testing.T, dir string) {
				t.Helper()
				require.NoError(t, os.RemoveAll(filepath.Join(dir, "artifacts")))
			},
			"integrity", "is missing (item.output, line 8",
		},
		"line of the journal left out": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, journal.FileName, func(b []byte) []byte {
					lines := bytes.SplitAfter(b, []byte("\n"))
					return bytes.Join(append(lines[:3:3], lines[4:]...), nil)
				})
			},
			"integrity", "journal line 4: chain is broken",
		},
		"tail of the journal cut": {
			func(t *testing.T, dir string) {
				t.Helper()
				edit(t, dir, journal.FileName, func(b []byte) []byte {
					lines := bytes.SplitAfter(b, []byte("\n"))
					return bytes.Join(lines[:len(lines)-2], nil)
				})
			},
			"completeness", "does not end with run.closed",
		},
		"another key signed": {
			func(t *testing.T, dir string) { t.Helper(); resign(t, dir, testKey(t, "mallory")) },
			"authenticity", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var res *Result
			if name == "another key signed" {
				dir := sealedSample(t)
				c.change(t, dir)
				res = mustVerify(t, dir)
				c.want = ErrUnknownKey.Error()
			} else {
				res = forge(t, func(dir string) { c.change(t, dir) })
			}
			require.False(t, res.OK())
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.layer+": ")
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.want)
		})
	}
}

func someArtifact(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "artifacts/sha256/*/*"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	rel, err := filepath.Rel(dir, found[0])
	require.NoError(t, err)
	return rel
}

func TestAWholeNewRecordIsCaughtByWhatItSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func([]engine.Event) []engine.Event
		want   string
	}{
		"verdict claimed": {func(ev []engine.Event) []engine.Event {
			ev[len(ev)-1].Payload.(*engine.RunClosed).Verdict = engine.PassedWithDeviations
			return ev
		}, `meaning: run.closed claims "passed-with-deviations", the journal says "passed"`},
		"unknown claimed away": {func(ev []engine.Event) []engine.Event {
			ev[len(ev)-1].Payload.(*engine.RunClosed).Unknown = 3
			return ev
		}, "meaning: run.closed claims 3 unknown, the journal says 0"},
		"outcome left out": {func(ev []engine.Event) []engine.Event {
			for i, e := range ev {
				if o, ok := e.Payload.(*engine.ItemOutcome); ok && o.AttemptID != "" {
					return append(ev[:i:i], ev[i+1:]...)
				}
			}
			return nil
		}, "completeness: 1 intents have no outcome and are not counted as unknown"},
		"plan digest": {func(ev []engine.Event) []engine.Event {
			ev[0].Payload.(*engine.RunOpened).PlanDigest = "sha256:other"
			return ev
		}, `meaning: plan.json has the digest "sha256:0123"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := sealedSample(t)
			rewrite(t, dir, c.change)
			reseal(t, dir)
			res := mustVerify(t, dir)
			require.False(t, res.OK())
			require.Contains(t, strings.Join(res.Reasons(), "\n"), c.want)
		})
	}
}

func TestAClockThatJumpsWithoutAWordIsFound(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	rewrite(t, dir, func(ev []engine.Event) []engine.Event {
		for i := 5; i < len(ev); i++ {
			ev[i].Time = ev[i].Time.Add(-2 * time.Hour)
		}
		ev[len(ev)-1].Payload.(*engine.RunClosed).Verdict = engine.PassedWithDeviations // for the jump
		return ev                                                                       // the journal itself writes the clock.anomaly
	})
	reseal(t, dir)
	res := mustVerify(t, dir)
	require.Empty(t, res.Reasons())
	require.Contains(t, strings.Join(res.Completeness.Notes, "\n"), "the clock jumped 1 times")

	ev := loadSample(t, dir).Events
	var without []engine.Event
	for _, e := range ev {
		if _, is := e.Payload.(*engine.ClockAnomaly); !is {
			without = append(without, e)
		}
	}
	require.Equal(t, []int{6}, unrecordedJumps(without))
	require.Empty(t, unrecordedJumps(ev))
}

func TestADryRunCannotBeShownAsLive(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), func(o *RunOptions) { o.Mode = engine.DryRun })
	dir := s.close()
	_, err := Seal(dir, sealOptions(t))
	require.NoError(t, err)
	edit(t, dir, journal.FileName, func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"mode":"dry-run"`), []byte(`"mode":"live"`), 1)
	})
	edit(t, dir, SealFile, replace("mode dry-run", "mode live"))
	resign(t, dir, testKey(t, "executor"))
	res := mustVerify(t, dir)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), "journal line 2: chain is broken")
}

func TestAnUnsealedRunSaysSo(t *testing.T) {
	t.Parallel()
	s := openSample(t, t.TempDir(), nil)
	s.check()
	s.intent()
	require.NoError(t, s.run.Close())
	res := mustVerify(t, s.run.Dir)
	text := strings.Join(res.Reasons(), "\n")
	for _, want := range []string{
		"integrity: SHA256SUMS is missing: the run is not sealed", "authenticity: nothing was signed",
		"completeness: the run is not sealed", "does not end with run.closed",
	} {
		require.Contains(t, text, want)
	}
	require.Equal(t, engine.Incomplete, res.Verdict)
}

func TestWithoutSignersAuthenticityIsUnchecked(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	opts := verifyOptions(t)
	opts.Signers = nil
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Equal(t, StatusUnchecked, res.Authenticity.Status)
	require.False(t, res.OK())
	require.Contains(t, res.Reasons()[0], testKey(t, "executor").Fingerprint())

	expired := testKey(t, "executor").AllowedSigner("executor@ops-1", EvidenceNamespace)
	expired = strings.Replace(expired, "namespaces=", `valid-before="20261121Z",namespaces=`, 1)
	opts.Signers, err = ParseSigners([]byte(expired + "\n"))
	require.NoError(t, err)
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), ErrExpired.Error())
	require.NoError(t, opts.Signers.Revoke([]byte(testKey(t, "executor").Fingerprint())))
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), ErrRevoked.Error())
}

func TestReportsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := sealedSample(t)
	opts := verifyOptions(t)
	opts.Tool = "0.2.0"
	opts.Renderers = map[string]Renderer{
		"report.html": func(*engine.Record) ([]byte, error) { return []byte("another layout"), nil },
		"report.json": func(r *engine.Record) ([]byte, error) {
			return json.Marshal(map[string]any{"run": r.Opened.Run, "verdict": r.Verdict, "added_later": 1})
		},
	}
	res, err := Verify(dir, opts)
	require.NoError(t, err)
	require.Empty(t, res.Reasons())
	notes := strings.Join(res.Meaning.Notes, "\n")
	require.Contains(t, notes, "report.html was written by another version (0.1.0, this is 0.2.0) and was not compared")
	require.Contains(t, notes, "report.json was written by another version; its facts agree")

	opts.Renderers["report.json"] = func(*engine.Record) ([]byte, error) { return []byte(`{"verdict":"failed"}`), nil }
	res, err = Verify(dir, opts)
	require.NoError(t, err)
	require.Contains(t, strings.Join(res.Reasons(), "\n"), `report.json does not say what the journal says: "verdict" differs`)
}

func TestVerifyOfNothing(t *testing.T) {
	t.Parallel()
	_, err := Verify(t.TempDir(), VerifyOptions{})
	require.ErrorIs(t, err, ErrNoBundle)
	_, err = Verify(filepath.Join(t.TempDir(), "none"), VerifyOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}
