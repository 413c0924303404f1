package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/view"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// app is what all commands of one invocation share.
type app struct {
	env    Env
	global globals
	out    *view.Screen // stdout: data
	err    *view.Screen // stderr: progress, questions, diagnostics, logs
	log    *logFile
}

// globals are the flags that every command takes.
type globals struct {
	dir     string
	color   string
	json    bool
	noInput bool
	state   string
	log     string
}

// Main runs one command line and returns its exit code. It never panics and never exits.
func Main(env Env) (code Code) {
	a := &app{env: env, log: &logFile{}}
	a.screens("auto")
	defer func() {
		if r := recover(); r != nil {
			code = a.defect(r, debug.Stack())
		}
	}()
	root := newRoot(a)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	err := root.ExecuteContext(context.Background())
	code = a.report(err)
	if cerr := a.log.close(); cerr != nil {
		a.err.Error(fmt.Errorf("write log %s: %w", a.global.log, cerr), "")
	}
	return code
}

// screens makes the two screens with a colour setting.
func (a *app) screens(color string) {
	opt := view.Options{
		Color: color, NoColor: a.env.get("NO_COLOR") != "", Dumb: a.env.get("TERM") == "dumb", CI: a.env.get("CI") != "",
		Columns: a.env.get("COLUMNS"),
	}
	a.out = view.NewScreen(a.env.Stdout, opt)
	a.err = view.NewScreen(a.env.Stderr, opt)
}

// report prints what an error says, in the form that was asked for, and gives its exit code.
func (a *app) report(err error) Code {
	if err == nil {
		return OK
	}
	code, hint := classify(err)
	var list *diag.ListError
	var own *Error
	switch {
	case errors.As(err, &list):
		if a.global.json {
			if werr := a.out.JSON(list.List); werr != nil {
				a.err.Error(werr, "")
			}
			return code
		}
		if werr := a.err.DiagnosticText(list.List, readSource(a.dir())); werr != nil {
			return code // stderr is gone: there is no one to tell
		}
	case errors.As(err, &own) && own.Err == nil:
	default:
		a.err.Error(err, hint)
		if a.global.json {
			// stderr has the error: there is nothing to add when stdout is gone.
			_ = a.out.JSON(view.ErrorDocument{Schema: view.ErrorSchema, Error: err.Error(), Hint: hint, ExitCode: int(code)})
		}
	}
	return code
}

// defect reports a panic: what happened, and what to send to whom.
func (a *app) defect(r any, stack []byte) Code {
	a.err.Error(fmt.Errorf("continuo has a defect: %v", r),
		"report the lines below with the command line and `continuo version`; a run that was going on is held and its journal is intact: `continuo show @latest`")
	a.err.Printf("%s\n", stack)
	return Defect
}

// newRoot builds the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "continuo",
		Short: "Executes continuity runbooks over SSH and records the results as evidence",
		Example: `  continuo init drill && cd drill      a small project that works as it stands
  continuo lab up                      practice hosts on this machine
  continuo run failover                rehearse: checks run, nothing changes
  continuo run failover --live         the drill itself
  continuo verify @latest              what an auditor does with the result`,
		SilenceErrors: true, SilenceUsage: true,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			return a.prepare(c.Flags())
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	f := root.PersistentFlags()
	f.StringVarP(&a.global.dir, "chdir", "C", "", "work in `DIR` instead of the current directory")
	f.StringVar(&a.global.color, "color", "auto", "colour: `WHEN` is auto, always or never")
	f.BoolVar(&a.global.json, "json", false, "one JSON document (or JSON Lines) on stdout, for machines")
	f.BoolVar(&a.global.noInput, "no-input", false, "never ask, even on a terminal")
	f.StringVar(&a.global.state, "state", "", "keep runs in `DIR` instead of .continuo of the project")
	f.StringVar(&a.global.log, "log", "", "write a technical log as JSON Lines to `FILE`; - is stderr")
	f.BoolP("help", "h", false, "help about the command")
	if err := f.MarkHidden("help"); err != nil { // every help page would say that there is help
		panic(err)
	}
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
	useTemplates(root)
	addCommands(root, a)
	return root
}

// addCommands adds every command to its group. The order here is the order of the help.
func addCommands(root *cobra.Command, a *app) {
	groups := []struct {
		id, title string
		cmds      []*cobra.Command
	}{
		{"write", "Write runbooks:", writeCommands(a)},
		{"run", "Rehearse and run:", runCommands(a)},
		{"evidence", "Read and check the evidence:", evidenceCommands(a)},
		{"hosts", "Hosts:", hostCommands(a)},
		{"other", "More:", otherCommands(a)},
	}
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.cmds {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID("other")
}

// prepare settles the global flags once they are parsed: flag, then CONTINUO_*, then the configuration file.
func (a *app) prepare(flags *pflag.FlagSet) error {
	if err := a.defaults(flags); err != nil {
		return err
	}
	switch a.global.color {
	case "auto", "always", "never":
	default:
		return failf(Usage, didYouMean(a.global.color, []string{"auto", "always", "never"}, ""),
			"--color: unknown value %q", a.global.color)
	}
	a.screens(a.global.color)
	return a.log.open(a.global.log, a.path, a.env.Stderr)
}

// dir is the directory that the command works in, absolute.
func (a *app) dir() string {
	switch {
	case a.global.dir == "":
		return a.env.Dir
	case filepath.IsAbs(a.global.dir):
		return filepath.Clean(a.global.dir)
	}
	return filepath.Join(a.env.Dir, a.global.dir)
}

// path makes a path of the command line absolute. With -C it is taken from that directory, as if continuo had been
// started there.
func (a *app) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.dir(), p)
}

// unknownCommand is the Args of commands that only hold other commands.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return failf(Usage, didYouMean(args[0], names, "`"+c.CommandPath()+" --help` lists the commands"),
		"unknown command %q for %s", args[0], c.CommandPath())
}

// flagError turns pflag's complaint into a usage error with a suggestion.
func flagError(c *cobra.Command, err error) error {
	hint := "`" + c.CommandPath() + " --help` lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if s := diag.Suggest(strings.TrimLeft(unknown.GetSpecifiedName(), "-"), names); s != "" {
			hint = fmt.Sprintf("did you mean --%s?", s)
		}
	}
	return fail(Usage, fmt.Errorf("%s: %w", c.CommandPath(), err), hint)
}
