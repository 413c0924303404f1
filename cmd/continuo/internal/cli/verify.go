package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

func verifyCommand(a *app) *cobra.Command {
	var signers, revoked, ledger string
	c := &cobra.Command{
		Use:   "verify BUNDLE…",
		Short: "Check evidence, offline, believing nothing that it says about itself",
		Long: `A BUNDLE is a directory, a tar made by "continuo export", or a run of this project (an id, the beginning of one, @latest).
Four verdicts, each with its reason: integrity (files, chain, seal), authenticity (who signed), completeness (nothing is
missing) and meaning (what is claimed is what the journal says). Exit code 6 unless all four hold.

Whose key is whose is the verifier's to know: give --signers. Without it, this machine's own key and the project's
allowed_signers are used; elsewhere authenticity is unchecked, which is no success.

Of a pruned run, what is kept is checked: the digests, their signature, and what the ledger says.`,
		Example: `  continuo verify @latest
  continuo verify drill.tar --signers auditors/allowed_signers
  continuo verify .continuo/runs/* --json`,
		Args:              atLeast("BUNDLE"),
		ValidArgsFunction: a.completeBundles,
		RunE: func(_ *cobra.Command, args []string) error {
			opts, err := a.verifyOptions(signers, revoked)
			if err != nil {
				return err
			}
			if ledger != "" {
				if opts.Ledger, err = evidence.ReadLedger(a.path(ledger)); err != nil {
					return fail(BadEvidence, err, "")
				}
			}
			return a.verify(args, opts)
		},
	}
	c.Flags().StringVar(&signers, "signers", "", "whose keys are whose: an OpenSSH allowed_signers `FILE`")
	c.Flags().StringVar(&revoked, "revoked", "", "keys that count no more: a `FILE` of public keys or fingerprints")
	c.Flags().StringVar(&ledger, "ledger", "", "the list of runs that must know this one: a `FILE` (default: this project's)")
	return c
}

// completeBundles offers runs and files.
func (a *app) completeBundles(c *cobra.Command, args []string, word string) (completed, cobra.ShellCompDirective) {
	out, _ := a.completeRuns(c, args, word)
	return out, cobra.ShellCompDirectiveDefault
}

func (a *app) verifyOptions(signers, revoked string) (evidence.VerifyOptions, error) {
	opts := evidence.VerifyOptions{Renderers: renderers(), Tool: tool().Version}
	if signers == "" {
		var err error
		opts.Signers, opts.SignersFrom, err = a.machineSigners(a.signersFile())
		if err != nil {
			return opts, fail(Usage, err, "name another file with --signers")
		}
	} else {
		data, err := os.ReadFile(a.path(signers))
		if err == nil {
			opts.Signers, err = evidence.ParseSigners(data)
		}
		if err != nil {
			return opts, fail(Usage, fmt.Errorf("--signers: %w", err), "")
		}
		opts.SignersFrom = signers
	}
	if revoked != "" {
		data, err := os.ReadFile(a.path(revoked))
		if err == nil && opts.Signers == nil {
			err = errors.New("there are no signers to take keys from")
		}
		if err == nil {
			err = opts.Signers.Revoke(data)
		}
		if err != nil {
			return opts, fail(Usage, fmt.Errorf("--revoked: %w", err), "")
		}
	}
	return opts, nil
}

// signersFile is the project's allowed_signers, also when the project is not valid at the moment.
func (a *app) signersFile() string {
	name := "allowed_signers"
	if p := a.project(); p != nil {
		name = cmp.Or(p.AllowedSigners, name)
	}
	return filepath.Join(a.dir(), filepath.FromSlash(name))
}

func (a *app) verify(args []string, opts evidence.VerifyOptions) error {
	doc := view.VerifyDocument{Schema: view.VerifySchema, Bundles: []view.VerifyBundle{}}
	code := OK
	for _, arg := range args {
		res, err := a.verifyOne(arg, opts)
		if err != nil {
			return err
		}
		if !res.OK() {
			code = BadEvidence
		}
		doc.Bundles = append(doc.Bundles, view.NewVerifyBundle(res))
		if !a.global.json {
			a.out.Verify(res)
		}
	}
	if a.global.json {
		if err := a.out.JSON(doc); err != nil {
			return err
		}
	}
	return exit(code)
}

// verifyOne checks what an argument names: a bundle, a run, or what is kept of a pruned one.
func (a *app) verifyOne(arg string, opts evidence.VerifyOptions) (*evidence.Result, error) {
	path, err := a.bundlePath(arg)
	if err != nil {
		id, perr := evidence.FindPruned(a.stateDir(), arg)
		if perr != nil {
			return nil, err
		}
		if opts.Ledger == nil {
			if opts.Ledger, err = evidence.ReadLedger(filepath.Join(a.stateDir(), evidence.LedgerFile)); err != nil {
				return nil, fail(BadEvidence, err, "")
			}
		}
		res, err := evidence.VerifyPruned(a.stateDir(), id, opts)
		if err != nil {
			return nil, fail(BadEvidence, err, "")
		}
		return res, nil
	}
	res, err := evidence.Verify(path, a.withLedger(opts, path))
	if err != nil {
		return nil, fail(BadEvidence, err, "a bundle is the directory of a run, or a tar made by `continuo export`")
	}
	return res, nil
}

// bundlePath is what an argument of verify names: a path that is there, else a run of the project.
func (a *app) bundlePath(arg string) (string, error) {
	if path := a.path(arg); arg != "" {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return a.runDir(arg)
}

// withLedger adds the project's own ledger where none was given and the bundle lies among the project's runs.
func (a *app) withLedger(opts evidence.VerifyOptions, path string) evidence.VerifyOptions {
	if opts.Ledger != nil || filepath.Dir(filepath.Dir(path)) != a.stateDir() {
		return opts
	}
	if rec, err := evidence.ReadLedger(filepath.Join(a.stateDir(), evidence.LedgerFile)); err == nil {
		opts.Ledger = rec
	}
	return opts
}
