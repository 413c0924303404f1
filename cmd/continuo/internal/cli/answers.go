package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/control"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func approveCommand(a *app) *cobra.Command {
	var by, signature, key string
	var request bool
	c := &cobra.Command{
		Use:   "approve RUN GATE",
		Short: "Approve a gate of a running run, with your own SSH key, from any terminal",
		Long: `An approval is a signature over the request's exact text. It can be made here (--key), or anywhere with ssh-keygen and brought
by any channel: print the text with --request, sign it, hand the signature in with --signature. Exit code 4, and why, when the run
does not count it.`,
		Example: `  continuo approve @latest gate.promote --by ann@example.org --key ~/.ssh/id_ed25519
  continuo approve @latest gate.promote --request > request.txt
  ssh-keygen -Y sign -n approval@continuo -f ~/.ssh/id_ed25519 request.txt
  continuo approve @latest gate.promote --by ann@example.org --signature request.txt.sig`,
		Args: exactly("RUN", "GATE"), ValidArgsFunction: a.completeAnswer(runbooks.Gate),
		RunE: func(c *cobra.Command, args []string) error {
			text, err := a.requestText(args[0], args[1])
			if err != nil {
				return err
			}
			if request {
				_, err := a.out.Write(text)
				return err
			}
			var signed, beside []byte
			switch {
			case (signature == "") == (key == ""):
				return failf(Usage, usageHint(c), "approve: exactly one of --key, --signature and --request")
			case key != "":
				signed, err = a.signApproval(c.Context(), view.NewAsker(a.env.Stdin, a.err, a.global.noInput), key, text)
			case signature == "-":
				signed, err = io.ReadAll(io.LimitReader(a.env.Stdin, 1<<20))
			default:
				signed, err = os.ReadFile(a.path(signature))
				if name, ok := strings.CutSuffix(signature, ".sig"); ok { // what was signed lies beside it, or not
					beside, _ = os.ReadFile(a.path(name))
				}
			}
			if err != nil {
				return fail(Usage, fmt.Errorf("approve: %w", err), "")
			}
			before := a.grants(args[0], args[1], a.operator(by))
			err = a.wish(c.Context(), args[0], control.Request{Op: control.Approve, Item: args[1], By: a.operator(by), Signature: string(signed), Signed: string(beside)})
			if err != nil {
				return err
			}
			return a.awaitGrant(c.Context(), args[0], args[1], a.operator(by), len(before))
		},
	}
	f := c.Flags()
	f.BoolVar(&request, "request", false, "print the text to sign, and do nothing else")
	f.StringVar(&signature, "signature", "", "the signature, a `FILE` as ssh-keygen -Y sign writes it; - is stdin")
	f.StringVar(&key, "key", "", "sign with this private `KEY`, or .pub for the agent")
	f.StringVar(&by, "by", "", "`PRINCIPAL` who approves, as in allowed_signers (default: user@host)")
	return c
}

// grants are the words of a person for a gate that a run has judged, those that do not count too, in order.
func (a *app) grants(ref, gate, by string) []*engine.ApprovalGranted {
	l, err := a.loadRun(ref)
	if err != nil {
		return nil // whoever asked for the request's text has heard of it
	}
	var out []*engine.ApprovalGranted
	for _, e := range l.Events {
		if g, ok := e.Payload.(*engine.ApprovalGranted); ok && string(g.Item) == gate && g.By == by {
			out = append(out, g)
		}
	}
	return out
}

// awaitGrant waits for a little until the run has judged a person's next word, of whom it knew some before, and tells
// whoever gave it: one that does not count is no success.
func (a *app) awaitGrant(ctx context.Context, ref, gate, by string, before int) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if all := a.grants(ref, gate, by); len(all) > before {
			if void := all[before].Void; void != "" {
				return failf(Refused, "", "%s: the word of %s does not count: %s", gate, view.Clean(by), view.Clean(void))
			}
			a.err.Printf("approve: %s: the word of %s counts\n", gate, view.Clean(by))
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // it was handed in, and that was said
		case <-tick.C:
		}
	}
}

// requestText is the text of a gate's request that a run waits for, from its journal.
func (a *app) requestText(ref, gate string) ([]byte, error) {
	l, err := a.loadRun(ref)
	if err != nil {
		return nil, err
	}
	text := ""
	for _, e := range l.Events {
		if r, ok := e.Payload.(*engine.ApprovalRequested); ok && string(r.Item) == gate {
			text = r.Request
		}
	}
	if text == "" {
		return nil, failf(Usage, "`continuo status` says what it waits for", "run %s has not asked for an approval of %q", l.Record.Opened.Run, gate)
	}
	if text, err = l.Text(text); err != nil {
		return nil, fail(BadEvidence, err, "")
	}
	return []byte(text), nil
}

func denyCommand(a *app) *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "deny RUN GATE", Short: "Deny a gate of a running run: that ends it", Args: exactly("RUN", "GATE"), ValidArgsFunction: a.completeAnswer(runbooks.Gate),
		Example: `  continuo deny @latest gate.promote --by ann@example.org --reason "site A is coming back"`,
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return failf(Usage, `say why: --reason "…"`, "deny: no reason")
			}
			return a.wish(c.Context(), args[0], control.Request{Op: control.Deny, Item: args[1], By: a.operator(by), Reason: reason})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "`WHY`, for the evidence")
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who denies (default: user@host)")
	return c
}

func decideCommand(a *app) *cobra.Command {
	var by, reason string
	c := &cobra.Command{
		Use: "decide RUN ITEM OPTION", Short: "Answer a decision of a running run", Args: exactly("RUN", "ITEM", "OPTION"), ValidArgsFunction: a.completeAnswer(runbooks.Decision),
		Example: `  continuo decide @latest decision.way back-out --by ann@example.org --reason "the lag does not shrink"`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.wish(c.Context(), args[0], control.Request{Op: control.Decide, Item: args[1], Option: args[2], By: a.operator(by), Reason: reason})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "`WHY`, for the evidence")
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who decides (default: user@host)")
	return c
}

func doneCommand(a *app) *cobra.Command {
	var by, failed string
	var inputs []string
	c := &cobra.Command{
		Use: "done RUN ITEM", Short: "Say that a manual item of a running run is done, or could not be done", Args: exactly("RUN", "ITEM"), ValidArgsFunction: a.completeAnswer(runbooks.Manual),
		Example: `  continuo done @latest manual.smoke --by desk@example.org --input ticket=4711
  continuo done @latest manual.smoke --failed "the portal is down"`,
		RunE: func(c *cobra.Command, args []string) error {
			given, err := pairs("input", inputs)
			if err != nil {
				return err
			}
			r := control.Request{Op: control.Done, Item: args[1], By: a.operator(by), Inputs: given, Reason: failed}
			if c.Flags().Changed("failed") {
				if r.As = failedWord; failed == "" {
					return failf(Usage, `say why: --failed "…"`, "done: no reason")
				}
			}
			return a.wish(c.Context(), args[0], r)
		},
	}
	c.Flags().StringVar(&failed, "failed", "", "it could not be done, and `WHY`")
	c.Flags().StringArrayVar(&inputs, "input", nil, "an input of the item: `NAME=VALUE`; repeated for more")
	c.Flags().StringVar(&by, "by", "", "`PRINCIPAL` who says so (default: user@host)")
	return c
}
