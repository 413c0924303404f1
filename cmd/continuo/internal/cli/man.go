package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand writes the manual pages; `make man` calls it.
func manCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "man DIR", Short: "Write the manual pages into a directory", Hidden: true, Args: exactly("DIR"),
		Example: "  continuo man share/man/man1",
		RunE: func(c *cobra.Command, args []string) error {
			dir := a.path(args[0])
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // for everyone to read
				return fail(Fail, err, "")
			}
			return writeManual(c.Root(), dir)
		},
	}
}

// writeManual writes the page of a command and those of its own commands.
func writeManual(c *cobra.Command, dir string) error {
	if c.Hidden {
		return nil
	}
	path := filepath.Join(dir, manName(c)+".1")
	if err := os.WriteFile(path, []byte(manPage(c)), 0o644); err != nil { //nolint:gosec // for everyone to read
		return fail(Fail, err, "")
	}
	for _, sub := range c.Commands() {
		if err := writeManual(sub, dir); err != nil {
			return err
		}
	}
	return nil
}

func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage is the page of one command, for man(7).
func manPage(c *cobra.Command) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p(`.TH "%s" 1 "" "continuo %s" "continuo"`, roff(strings.ToUpper(manName(c))), roff(tool().Version))
	p(".SH NAME\n%s \\- %s", roff(manName(c)), roff(c.Short))
	p(".SH SYNOPSIS\n.B %s", roff(c.UseLine()))
	if c.Long != "" {
		p(".SH DESCRIPTION\n%s", paragraphs(c.Long))
	}
	if c.HasAvailableSubCommands() {
		p(".SH COMMANDS")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				p(".TP\n.BR %s (1)\n%s", roff(manName(sub)), roff(sub.Short))
			}
		}
	}
	options(p, "OPTIONS", c.NonInheritedFlags())
	options(p, "OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	if c.Example != "" {
		p(".SH EXAMPLES\n.nf\n%s\n.fi", roff(c.Example))
	}
	p(".SH EXIT STATUS\n.nf\n%s.fi", roff(strings.SplitN(exitCodesText, "\n\n", 2)[1]))
	if c.HasParent() {
		p(".SH SEE ALSO\n.BR %s (1)", roff(manName(c.Parent())))
	}
	return b.String()
}

// options lists flags that are shown.
func options(p func(string, ...any), title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p(".SH %s", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, text := pflag.UnquoteUsage(f)
		long := `\fB` + roff("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			long = `\fB` + roff("-"+f.Shorthand) + `\fR, ` + long
		}
		if name != "" {
			long += ` \fI` + roff(name) + `\fR`
		}
		p(".TP\n%s\n%s", long, roff(text))
	})
}

// paragraphs are the paragraphs of a text, filled by the reader's terminal.
func paragraphs(text string) string {
	all := strings.Split(strings.TrimSpace(text), "\n\n")
	for n, s := range all {
		all[n] = roff(s)
	}
	return strings.Join(all, "\n.PP\n")
}

// roff has a text stand for itself.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "…", `...`).Replace(text)
	lines := strings.Split(text, "\n")
	for n, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[n] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
