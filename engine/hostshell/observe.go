package hostshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
)

// localeText sets a locale that does not translate messages and knows UTF-8 where the host has one.
const localeText = `if [ -d /usr/lib/locale/C.utf8 ] || [ -d /usr/lib/locale/C.UTF-8 ]; then LC_ALL=C.UTF-8; else LC_ALL=C; fi
export LC_ALL
`

// chdirText goes to the working directory, or refuses. The text uses no variable of the command's environment.
func chdirText(dir, nonce string) string {
	if dir == "" {
		return "CDPATH= cd \"${HOME:-/}\" 2>/dev/null || cd /\n"
	}
	if strings.HasPrefix(dir, "-") {
		dir = "./" + dir
	}
	return "CDPATH= cd " + Quote(dir) + " >/dev/null 2>&1 || { echo " + nonce + " refused working-directory; exit 126; }\n"
}

// plainText is a command that replaces the shell: its exit status and its signal are the host's own word.
func plainText(c engine.Command, nonce string) string {
	var b strings.Builder
	b.WriteString("{\n" + localeText + chdirText(c.WorkingDir, nonce))
	for _, e := range c.Env {
		b.WriteString("export " + e.Name + "=" + Quote(e.Value) + "\n")
	}
	fmt.Fprintf(&b, "command -v %s >/dev/null 2>&1 || { echo %s refused program; exit 126; }\n", Quote(program(c)), nonce)
	fmt.Fprintf(&b, "echo %s ok $$ $PPID\necho %s ok >&2\n", nonce, nonce)
	stdin := " </dev/null"
	if c.Stdin != nil || c.Input != nil {
		stdin = ""
	}
	if len(c.Argv) > 0 {
		b.WriteString("exec " + quoteAll(c.Argv) + stdin + "\n}\n")
		return b.String()
	}
	end := "end" + newNonce()
	b.WriteString("exec " + quoteAll(interpreterOf(c)) + " /dev/fd/3 3<<'" + end + "'" + stdin + "\n")
	b.WriteString(c.Script + "\n" + end + "\n}\n")
	return b.String()
}

// Observe runs a read-only command.
func (h *Host) Observe(ctx context.Context, c engine.Command, sink engine.OutputSink) (engine.ExitStatus, error) {
	status, err := h.plain(ctx, c, sink, engine.ErrUnreachable)
	if err != nil && ctx.Err() != nil {
		return status, ctx.Err()
	}
	return status, err
}

// plain runs a command without a durable attempt. lost is what a lost connection means: ErrUnreachable for what may be
// asked again, ErrOutcomeUnknown for what may have changed something.
func (h *Host) plain(ctx context.Context, c engine.Command, sink engine.OutputSink, lost error) (engine.ExitStatus, error) {
	var status engine.ExitStatus
	if err := checkCommand(c); err != nil {
		return status, h.fail("command", engine.ErrRefused, "", "%v", err)
	}
	nonce := newNonce()
	a := &plainAnswer{stdout: sink.Stdout}
	t := talk{become: c.Become, nonce: nonce, text: plainText(c, nonce), answer: a.take, stderr: sink.Stderr, timeout: c.Timeout}
	input, err := openInput(c)
	if err != nil {
		return status, h.fail("input", engine.ErrRefused, "", "%v", err)
	}
	t.input = input
	e, err := h.talk(ctx, t)
	closeInput(input)
	if err != nil {
		return status, err
	}
	if kind := a.refusal(); kind != "" {
		return status, h.refused(kind, c)
	}
	switch {
	case !e.answered && !e.Missing:
		return status, h.silent(e, lost)
	case !e.sentAll:
		if errors.Is(lost, engine.ErrOutcomeUnknown) {
			lost = engine.ErrNeverStarted // the closing brace was not sent: the shell executes nothing
		}
		return status, h.fail("lost-connection", lost, "", "the connection was lost while the command was sent")
	case !e.answered:
		return status, h.silent(e, lost)
	case e.Missing && !e.timedOut:
		return status, h.fail("lost-connection", lost, "", "the connection was lost while the command ran")
	}
	return engine.ExitStatus{Code: e.Code, Signal: e.Signal, TimedOut: e.timedOut, KillConfirmed: e.confirmed,
		BackgroundOpen: e.background, StartedAt: e.startedAt, EndedAt: e.endedAt}, nil
}

// plainAnswer takes the first line of a plain command's answer: "ok PID PPID" or "refused KIND".
type plainAnswer struct {
	stdout io.Writer
	mu     sync.Mutex
	kind   string
}

func (a *plainAnswer) take(fields []string) io.Writer {
	if len(fields) > 0 && fields[0] == "ok" {
		return a.stdout
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kind = "protocol"
	if len(fields) > 1 && fields[0] == "refused" {
		a.kind = fields[1]
	}
	return nil
}

func (a *plainAnswer) refusal() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kind
}

// refused says why the host's shell would not start the command.
func (h *Host) refused(kind string, c engine.Command) error {
	user := h.userName(c.Become)
	switch kind {
	case "program":
		return h.fail("program", engine.ErrRefused, "install it, or give its absolute path; PATH is that of a shell that nobody logged in to",
			"program %q not found for %s", program(c), user)
	case "sync":
		return h.fail("program", engine.ErrRefused, "install it, or leave out connection { durability = \"strict\" }", "no program to sync the disk with, as durability = \"strict\" wants")
	case "working-directory":
		return h.fail("working-directory", engine.ErrRefused, "", "cannot enter the working directory %q as %s", c.WorkingDir, user)
	}
	return h.fail(kind, engine.ErrRefused, "", "the host refused the command (%s)", kind)
}
