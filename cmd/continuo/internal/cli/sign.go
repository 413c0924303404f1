package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/engine/evidence"
)

type signFlags struct {
	pieceFlags
	role, message, file, withdraw string
}

func signCommand(a *app) *cobra.Command {
	var f signFlags
	c := &cobra.Command{
		Use:   "sign RUN --role ROLE",
		Short: "Review a sealed run: your word on it, signed with your own SSH key",
		Long: `A review is added beside the sealed record and changes nothing in it. It names the run, the digest of its SHA256SUMS, who
reviewed it in which role, and when. It is signed here (--key), or anywhere with ssh-keygen: print the text with --request,
sign it, and hand the signature in with --signature; the text is expected beside it, without ".sig".

The role is one of the project, and you are a member of it. Whether operator, approver and reviewer were different people
is computed and printed. A run whose record does not hold cannot be signed off (exit code 6).`,
		Example: `  continuo sign @latest --role auditor --by rita@example.org --key ~/.ssh/id_ed25519 --message "Seen, accepted."
  continuo sign @latest --role auditor --by rita@example.org --request > review.txt
  ssh-keygen -Y sign -n review@continuo -f ~/.ssh/id_ed25519 review.txt
  continuo sign @latest --signature review.txt.sig
  continuo sign @latest --withdraw 0001 --by rita@example.org --key ~/.ssh/id_ed25519 --message "the wrong run"`,
		Args: exactly("RUN"), ValidArgsFunction: a.completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			return a.sign(c, args[0], f)
		},
	}
	s := c.Flags()
	s.StringVar(&f.role, "role", "", "the `ROLE` of the project in which you review")
	s.StringVarP(&f.message, "message", "m", "", "what you say (default: that you reviewed it)")
	s.StringVar(&f.file, "file", "", "what you say, from a `FILE`; - is stdin")
	s.StringVar(&f.withdraw, "withdraw", "", "take back your review or addendum with this `NUMBER`, such as 0001")
	f.add(c)
	complete(c, "role", a.completeRoles)
	return c
}

// pieceFlags say by whom a piece is signed, and how.
type pieceFlags struct {
	by, key, signature string
	request            bool
}

func (f *pieceFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.by, "by", "", "`PRINCIPAL` who signs, as in allowed_signers (default: user@host)")
	s.StringVar(&f.key, "key", "", "sign with this private `KEY`, or .pub for the agent")
	s.BoolVar(&f.request, "request", false, "print the text to sign, and do nothing else")
	s.StringVar(&f.signature, "signature", "", "the signature, a `FILE` as ssh-keygen -Y sign writes it, beside its text")
}

// how checks that there is exactly one way to sign.
func (f pieceFlags) how(c *cobra.Command) error {
	ways := 0
	for _, given := range []bool{f.key != "", f.signature != "", f.request} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return failf(Usage, usageHint(c), "%s: exactly one of --key, --signature and --request", c.Name())
	}
	return nil
}

// completeRoles offers the project's roles.
func (a *app) completeRoles(*cobra.Command, []string, string) (completed, cobra.ShellCompDirective) {
	var out completed
	if p := a.project(); p != nil {
		for _, r := range p.Roles {
			out = append(out, cobra.CompletionWithDesc(r.Name, strings.Join(r.Members, ", ")))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) sign(c *cobra.Command, ref string, f signFlags) error {
	if err := f.how(c); err != nil {
		return err
	}
	dir, err := a.sealedDir(ref)
	if err != nil {
		return err
	}
	piece := evidence.Addendum{Kind: evidence.Review, Role: f.role, Principal: a.operator(f.by), Text: "Reviewed."}
	if f.signature == "" {
		if err := a.word(&piece, dir, f); err != nil {
			return err
		}
	}
	return a.addPiece(c.Context(), dir, piece, f.pieceFlags)
}

// word fills in what is said, of a review or a withdrawal.
func (a *app) word(piece *evidence.Addendum, dir string, f signFlags) error {
	said := f.message
	switch {
	case f.message != "" && f.file != "":
		return failf(Usage, "", "sign: --message and --file are both given")
	case f.file != "":
		text, err := a.read(f.file)
		if err != nil {
			return fail(Usage, fmt.Errorf("sign: %w", err), "")
		}
		said = string(text)
	}
	if f.withdraw == "" {
		if said != "" {
			piece.Text = said
		}
		return a.mayReview(piece.Principal, f.role)
	}
	if said == "" {
		return failf(Usage, `say why: --message "…"`, "sign: --withdraw without a reason")
	}
	pieces, err := evidence.AfterPieces(dir, nil)
	if err != nil {
		return fail(BadEvidence, err, "")
	}
	for _, p := range pieces {
		if numberOf(p.File) == f.withdraw {
			piece.Kind, piece.Role, piece.Text = evidence.Withdrawal, p.Role, evidence.WithdrawalText(p.File, said)
			return nil
		}
	}
	return failf(Usage, "`continuo verify` lists what was added", "sign: there is no piece %q to withdraw", f.withdraw)
}

var pieceNumber = regexp.MustCompile(`^after/([0-9]{4})-`)

func numberOf(file string) string {
	if m := pieceNumber.FindStringSubmatch(file); m != nil {
		return m[1]
	}
	return ""
}

// read reads what a person wrote, from a file or stdin.
func (a *app) read(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(a.env.Stdin, 1<<20))
	}
	return os.ReadFile(a.path(name))
}

// mayReview refuses whoever is not in the role.
func (a *app) mayReview(who, role string) error {
	p, _, err := a.load()
	if err != nil {
		return err
	}
	var names []string
	for _, r := range p.Roles {
		names = append(names, r.Name)
		if r.Name != role {
			continue
		}
		if slices.ContainsFunc(r.Members, func(m string) bool { return evidence.SamePerson(m, who) }) {
			return nil
		}
		return failf(Refused, "its members: "+strings.Join(r.Members, ", ")+"; who you are is --by", "sign: %s is not a member of role %s", who, role)
	}
	switch {
	case len(names) == 0:
		return failf(Usage, `write one: role "auditor" { members = ["rita@example.org"] }`, "sign: the project has no roles")
	case role == "":
		return failf(Usage, "there are: "+strings.Join(names, ", "), "sign: --role is missing")
	}
	return failf(Usage, didYouMean(role, names, "there are: "+strings.Join(names, ", ")), "sign: the project has no role %q", role)
}

// sealedDir is the directory of a sealed run.
func (a *app) sealedDir(ref string) (string, error) {
	l, err := a.loadRun(ref)
	if err != nil {
		return "", err
	}
	if !l.Sealed {
		return "", failf(Usage, "`continuo seal "+string(l.Record.Opened.Run)+"` finishes it", "run %s is not sealed: there is nothing yet that a signature could stand for", l.Record.Opened.Run)
	}
	return l.Dir, nil
}

// addPiece signs a piece, or takes the signature that was made elsewhere, and puts it beside the sealed run.
func (a *app) addPiece(ctx context.Context, dir string, piece evidence.Addendum, f pieceFlags) error {
	text, signature, err := a.signedPiece(ctx, dir, &piece, f)
	if err != nil || signature == nil {
		return err
	}
	opts, err := a.verifyOptions("", "")
	if err != nil {
		return err
	}
	if piece.Kind == evidence.Review {
		if err := a.mayReview(piece.Principal, piece.Role); err != nil {
			return err
		}
		if err := a.holds(dir, opts); err != nil {
			return err
		}
	}
	if opts.Signers == nil {
		return failf(Usage, "the project's allowed_signers says whose key is whose: PRINCIPAL namespaces=\"review@continuo\" ssh-ed25519 …",
			"sign: nobody is known here")
	}
	added, err := evidence.AddSigned(dir, text, signature, opts.Signers)
	switch {
	case errors.Is(err, evidence.ErrUnknownKey) || errors.Is(err, evidence.ErrNotAllowed):
		return fail(Refused, err, "a line in allowed_signers says whose key is whose: "+piece.Principal+` namespaces="review@continuo" ssh-ed25519 …`)
	case err != nil:
		return fail(Refused, err, "")
	}
	if err := a.ledger().RecordPiece(dir, added); err != nil {
		a.err.Warn("the ledger of runs does not hold this: "+err.Error(), "without it, nothing shows when the piece is taken away")
	}
	return a.showPiece(dir, added)
}

// holds refuses to review a record that does not.
func (a *app) holds(dir string, opts evidence.VerifyOptions) error {
	res, err := evidence.Verify(dir, a.withLedger(opts, dir))
	if err != nil {
		return fail(BadEvidence, err, "")
	}
	for _, f := range []evidence.Finding{res.Integrity, res.Completeness, res.Meaning} {
		if f.Status == evidence.StatusFailed {
			return failf(BadEvidence, "`continuo verify` says more; a remark on it: `continuo report RUN --commentary FILE`",
				"sign: the record does not hold: %s", f.Problems[0])
		}
	}
	return nil
}

// signedPiece gives text and signature of a piece. Where only the text was asked for, it is printed and there is no
// signature.
func (a *app) signedPiece(ctx context.Context, dir string, piece *evidence.Addendum, f pieceFlags) (text, signature []byte, err error) {
	if f.signature != "" {
		name, ok := strings.CutSuffix(f.signature, ".sig")
		if !ok {
			return nil, nil, failf(Usage, "ssh-keygen -Y sign writes TEXT.sig beside TEXT", "--signature: %s does not end with .sig", f.signature)
		}
		if text, err = os.ReadFile(a.path(name)); err == nil {
			signature, err = os.ReadFile(a.path(f.signature))
		}
		if err != nil {
			return nil, nil, fail(Usage, fmt.Errorf("--signature: %w", err), "the text that was signed lies beside it, without .sig")
		}
		if *piece, err = evidence.ParseAddendum(text); err != nil {
			return nil, nil, fail(Refused, fmt.Errorf("--signature: %s: %w", name, err), "sign exactly what --request printed")
		}
		return text, signature, nil
	}
	piece.Time = a.env.Now().UTC().Truncate(time.Second)
	if text, err = evidence.AddendumText(dir, *piece); err != nil {
		return nil, nil, fail(Usage, err, "")
	}
	if f.request {
		_, err = a.out.Write(text)
		return text, nil, err
	}
	s, err := a.signer(ctx, view.NewAsker(a.env.Stdin, a.err, a.global.noInput), a.homePath(f.key))
	if err != nil {
		return nil, nil, fail(Usage, err, "")
	}
	signature, err = s.Sign(text, evidence.ReviewNamespace)
	if err != nil {
		return nil, nil, fail(Usage, err, "")
	}
	return text, signature, nil
}
