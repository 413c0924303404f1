package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/evidence"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// The bundle that is verified: outputs of a size that is kept whole, together a gigabyte.
const (
	bundleOutputs = 64
	bundleOutput  = 16 << 20
)

// benchVerify measures how fast `verify` checks a bundle of 1 GB, beside `sha256sum` over the same files, which is the least
// that must be done. Both read what is in the page cache.
func benchVerify(ctx context.Context, s settings, dir string, t *table) error {
	bundle, signers, err := bigBundle(ctx, dir)
	if err != nil {
		return err
	}
	sums, err := exec.LookPath("sha256sum")
	if err != nil {
		return fmt.Errorf("sha256sum is what verify is compared with: %w", err)
	}
	var ours, theirs []time.Duration
	var rss []int64
	for range s.rounds {
		m, err := measure(ctx, bundle, sums, "--quiet", "-c", evidence.SumsFile)
		if err != nil {
			return err
		}
		theirs = append(theirs, m.wall)
		if m, err = measure(ctx, dir, s.binary, "verify", bundle, "--signers", signers); err != nil {
			return err
		}
		if !strings.Contains(string(m.stdout), "VERIFIED ") || strings.Contains(string(m.stdout), "NOT VERIFIED") {
			return fmt.Errorf("verify says: %s", m.stdout)
		}
		ours, rss = append(ours, m.wall), append(rss, m.rss)
	}
	ratio := slices.Min(theirs).Seconds() / slices.Min(ours).Seconds()
	t.show("verify: a bundle of 1 GB, sha256sum", seconds(slices.Min(theirs)))
	t.show("verify: a bundle of 1 GB, continuo verify", seconds(slices.Min(ours)))
	t.judge("verify: speed, sha256sum being 1", fmt.Sprintf("%.2f", ratio), ">= 0.60", ratio >= 0.6)
	t.judge("verify: peak memory", megabytes(slices.Max(rss)), "< 64 MB", slices.Max(rss) < 64e6)
	return nil
}

// bigBundle seals a run that wrote a gigabyte, and a signers file for it.
func bigBundle(ctx context.Context, dir string) (bundle, signers string, err error) {
	const id, nonce = "big", "00112233445566778899aabbccddeeff"
	plan := &engine.Plan{
		Schema: engine.PlanSchema, Runbook: "big", Digest: "sha256:0", Hosts: []engine.PlanHost{{Name: "a"}},
		Phases: []engine.PlanPhase{{Name: "only", Items: []runbooks.ItemID{"check.big"}}},
		Items: []engine.PlanItem{{ID: "check.big", Kind: runbooks.Check, Phase: "only", Effect: runbooks.Read, Hosts: []string{"a"},
			Disposition: engine.WillRun}},
	}
	run, err := evidence.Create(dir, evidence.RunOptions{Run: id, Nonce: nonce, Mode: engine.Live, Plan: plan})
	if err != nil {
		return "", "", err
	}
	opened := &engine.RunOpened{Run: id, Nonce: nonce, Operator: "bench@localhost", Hosts: 1, Items: 1}
	run.Digests.Fill(opened)
	unit := engine.Unit{Item: "check.big", Host: "a"}
	events := []engine.Payload{opened, &engine.ItemStarted{Item: unit.Item, Hosts: []string{"a"}}}
	for n := range bundleOutputs {
		out, err := output(run, uint64(n))
		if err != nil {
			return "", "", err
		}
		out.Unit, out.Part, out.Attempt, out.Stream = unit, engine.PartCommand, 1, "stdout"
		events = append(events, &out)
	}
	events = append(events, &engine.ItemOutcome{Unit: unit, Outcome: engine.Succeeded},
		&engine.ItemOutcome{Unit: engine.Unit{Item: unit.Item}, Outcome: engine.Succeeded}, &engine.RunClosed{Verdict: engine.Passed})
	for _, p := range events {
		if _, err := run.Journal.Append(ctx, p); err != nil {
			return "", "", err
		}
	}
	if err := run.Close(); err != nil {
		return "", "", err
	}
	key, _, err := evidence.ExecutorKey(filepath.Join(dir, "key"), "bench")
	if err != nil {
		return "", "", err
	}
	if _, err := evidence.Seal(run.Dir, evidence.SealOptions{Signer: key, Redactor: redact.New()}); err != nil {
		return "", "", err
	}
	signers = filepath.Join(dir, "signers")
	return run.Dir, signers, os.WriteFile(signers, []byte(key.AllowedSigner("bench", evidence.EvidenceNamespace)+"\n"), 0o600)
}

// output keeps one output that no two of are alike.
func output(run *evidence.Run, seed uint64) (engine.ItemOutput, error) {
	w, err := run.Artifacts.Create()
	if err != nil {
		return engine.ItemOutput{}, err
	}
	random := rand.New(rand.NewPCG(seed, 0))
	chunk := make([]byte, 1<<20)
	for range bundleOutput / len(chunk) {
		for i := 0; i < len(chunk); i += 8 {
			binary.LittleEndian.PutUint64(chunk[i:], random.Uint64())
		}
		if _, err := w.Write(chunk); err != nil {
			return engine.ItemOutput{}, err
		}
	}
	return w.Finish()
}
