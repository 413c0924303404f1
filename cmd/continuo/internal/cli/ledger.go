package cli

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

// ledger is the list of all runs of the state directory. Its name is used when the first entry makes it.
func (a *app) ledger() *evidence.Ledger {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return evidence.NewLedger(a.stateDir(), a.env.Hostname+"-"+hex.EncodeToString(b)).On(a.env.FS)
}

func ledgerCommand(a *app) *cobra.Command {
	return group("ledger", "The list of all runs: it shows when a whole run is missing", `  continuo ledger verify
  continuo ledger verify --pin 12:uKg3…    against a checkpoint that somebody else kept
  continuo ledger checkpoint               what to give an auditor to keep`,
		ledgerVerify(a), ledgerCheckpoint(a))
}

func ledgerVerify(a *app) *cobra.Command {
	var pin, signers string
	c := &cobra.Command{
		Use: "verify", Short: "Check the ledger's chain and checkpoints, and the runs against it", Args: atMost(0),
		Long: `Whoever holds the executor key can write a ledger anew. That shows only against a checkpoint which was kept elsewhere: in an
auditor's mail, in another repository. Give it with --pin. Exit code 6 when something is wrong.`,
		Example: "  continuo ledger verify --pin 12:uKg3lGaXhb2uhaz1xnkXzQ0EzFaQ4Kd4pB5vN0Fr0bE=",
		RunE: func(*cobra.Command, []string) error {
			opts, err := a.verifyOptions(signers, "")
			if err != nil {
				return err
			}
			res, err := evidence.VerifyLedger(a.stateDir(), evidence.LedgerOptions{Pin: pin, Signers: opts.Signers})
			if err != nil && !fileExists(filepath.Join(a.stateDir(), evidence.LedgerFile)) {
				return failf(Usage, "the first run makes one", "ledger verify: there is no ledger in %s", a.stateDir())
			}
			if err != nil {
				return fail(BadEvidence, err, "")
			}
			if a.global.json {
				err = a.out.JSON(view.NewLedgerDocument(res))
			} else {
				a.out.Ledger(res)
			}
			if err == nil && len(res.Problems) > 0 {
				return exit(BadEvidence)
			}
			return err
		},
	}
	c.Flags().StringVar(&pin, "pin", "", "a checkpoint that was kept elsewhere: `SIZE:ROOT`")
	c.Flags().StringVar(&signers, "signers", "", "whose keys are whose: an OpenSSH allowed_signers `FILE`")
	return c
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func ledgerCheckpoint(a *app) *cobra.Command {
	var signWith string
	c := &cobra.Command{
		Use: "checkpoint", Short: "Sign what the ledger holds now, for somebody else to keep", Args: atMost(0),
		Example: "  continuo ledger checkpoint | mail -s 'continuo checkpoint' auditor@example.org",
		RunE: func(c *cobra.Command, _ []string) error {
			if !fileExists(filepath.Join(a.stateDir(), evidence.LedgerFile)) {
				return failf(Usage, "the first run makes one", "ledger checkpoint: there is no ledger in %s", a.stateDir())
			}
			ask := view.NewAsker(a.env.Stdin, a.err, a.global.noInput)
			signer, err := a.signer(c.Context(), ask, signWith)
			if err != nil {
				return fail(BadEvidence, err, "")
			}
			cp, err := a.ledger().Checkpoint(signer)
			if err != nil {
				return fail(BadEvidence, fmt.Errorf("ledger checkpoint: %w", err), "")
			}
			if a.global.json {
				return a.out.JSON(view.NewCheckpointDocument(cp))
			}
			a.out.Checkpoint(cp)
			return nil
		},
	}
	c.Flags().StringVar(&signWith, "sign-with", "", "sign with this SSH private `KEY` instead of continuo's own")
	return c
}
