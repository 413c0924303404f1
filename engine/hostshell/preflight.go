package hostshell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// minFreeKiB is the space that the state directory must have.
const minFreeKiB = 10 << 10

// Preflight asks a host that can be reached everything that the plan needs to know: one exchange as the login user and
// one for each user to become, side by side. r.Checks may already hold what the connection showed.
func (h *Host) Preflight(ctx context.Context, req engine.PreflightRequest, r *engine.PreflightResult) error {
	req.Steps = req.Steps && !h.Plain
	users := append([]string{""}, req.Becomes...)
	answers := make([]preflightAnswer, len(users))
	var wg sync.WaitGroup
	for i, user := range users {
		wg.Go(func() { answers[i] = h.ask(ctx, user, req) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	h.identity(answers[0], r)
	for i, user := range req.Becomes {
		r.Checks = append(r.Checks, checkOf("become", user, answers[i+1].err))
	}
	r.Checks = append(r.Checks, presence("interpreter", req.Interpreters, answers)...)
	r.Checks = append(r.Checks, presence("program", req.Programs, answers)...)
	if req.Steps {
		for i := range answers {
			if answers[i].err == nil {
				r.Checks = append(r.Checks, h.stateChecks(users[i], answers[i])...)
			}
		}
	}
	r.OK = true
	for _, c := range r.Checks {
		r.OK = r.OK && c.OK
	}
	return nil
}

// preflightAnswer is what one user's shell said: facts by name.
type preflightAnswer struct {
	facts  map[string]string
	offset *time.Duration
	err    error
}

func (h *Host) ask(ctx context.Context, user string, req engine.PreflightRequest) preflightAnswer {
	n := newNonce()
	var out bytes.Buffer
	e, err := h.talk(ctx, talk{become: user, nonce: n, text: preflightText(n, req), stderr: io.Discard,
		answer: func([]string) io.Writer { return &out }, timeout: time.Minute})
	switch {
	case err != nil:
		return preflightAnswer{err: err}
	case !e.answered || e.Missing:
		return preflightAnswer{err: h.silent(e, engine.ErrUnreachable)}
	}
	a := preflightAnswer{facts: parseFacts(out.String())}
	if at, err := strconv.ParseFloat(a.facts["time"], 64); err == nil && at > 0 {
		host := time.Unix(0, int64(at*1e9))
		if !strings.Contains(a.facts["time"], ".") {
			host = host.Add(500 * time.Millisecond) // it told whole seconds
		}
		// The answer's first line was written right before the clock was read: what the login took does not count.
		d := host.Sub(e.startedAt)
		a.offset = &d
	}
	return a
}

// preflightText only reads, but for the state directory, which it makes.
func preflightText(nonce string, req engine.PreflightRequest) string {
	var b strings.Builder
	b.WriteString("{\nLC_ALL=C; export LC_ALL\necho " + nonce + " ok $$ $PPID\n")
	b.WriteString("echo \"time $(date +%s.%N 2>/dev/null)\"\n" +
		"echo \"hostname $(uname -n)\"\n" +
		"os=$(. /etc/os-release 2>/dev/null && printf %s \"$PRETTY_NAME\"); echo \"os ${os:-$(uname -sr)}\"\n")
	b.WriteString(bootText + "echo \"boot $boot\"\n")
	for _, p := range append(append([]string(nil), req.Interpreters...), req.Programs...) {
		fmt.Fprintf(&b, "command -v %s >/dev/null 2>&1 && echo found %s\n", Quote(p), Quote(p))
	}
	if req.Steps {
		b.WriteString("umask 077\n" + stateDirText + stateText)
	}
	b.WriteString("exit 0\n}\n")
	return b.String()
}

// stateText reports on the state directory $B.
const stateText = `if [ -n "$why" ]; then echo "state refused $why"
elif { true >"$B/probe"; } 2>/dev/null && rm -f "$B/probe"; then
echo "state $B"
df -Pk "$B" 2>/dev/null | { read -r x; read -r a b c d x && echo "free $d"; }
else echo "state refused $B is not writable"; fi
`

func parseFacts(s string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(s) {
		k, v, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		if k == "found" {
			k, v = "found "+v, "yes"
		}
		m[k] = v
	}
	return m
}

func (h *Host) identity(a preflightAnswer, r *engine.PreflightResult) {
	if a.err != nil {
		r.Checks = append(r.Checks, checkOf("identity", "", a.err))
		return
	}
	r.Hostname, r.OS, r.BootID = printable(a.facts["hostname"]), printable(a.facts["os"]), printable(a.facts["boot"])
	if r.BootID == "-" {
		r.BootID = ""
	}
	r.Checks = append(r.Checks, engine.PreflightCheck{Name: "identity", OK: true, Detail: r.Hostname + ", " + r.OS})
	if a.offset == nil {
		return
	}
	ms := a.offset.Milliseconds()
	r.ClockOffsetMS = &ms
	c := engine.PreflightCheck{Name: "clock", OK: true, Detail: fmt.Sprintf("%+d ms", ms)}
	if a.offset.Abs() > 5*time.Second {
		c.Hint = "times of this host in the evidence will differ; check its NTP"
	}
	r.Checks = append(r.Checks, c)
}

// presence looks names up among what any of the users found: which user needs which program is known when it runs.
func presence(check string, names []string, answers []preflightAnswer) []engine.PreflightCheck {
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	var out []engine.PreflightCheck
	for _, name := range sorted {
		c := engine.PreflightCheck{Name: check, Detail: name}
		for _, a := range answers {
			c.OK = c.OK || a.facts["found "+name] != ""
		}
		if !c.OK {
			c.Detail, c.Hint = name+" not found", "install it, or give its absolute path"
		}
		out = append(out, c)
	}
	return out
}

func (h *Host) stateChecks(user string, a preflightAnswer) []engine.PreflightCheck {
	of := ""
	if user != "" {
		of = " (" + user + ")"
	}
	c := engine.PreflightCheck{Name: "state-directory", OK: true, Detail: printable(a.facts["state"]) + of}
	why, refused := strings.CutPrefix(a.facts["state"], "refused ")
	if refused || a.facts["state"] == "" {
		c.OK, c.Detail = false, printable(why)+of
		c.Hint = "steps keep their state there; make it a directory of " + h.userName(user) + " with mode 0700, or set plain = true in the host's connection"
		return []engine.PreflightCheck{c}
	}
	out := []engine.PreflightCheck{c}
	if free, err := strconv.ParseInt(a.facts["free"], 10, 64); err == nil {
		f := engine.PreflightCheck{Name: "free-space", OK: free >= minFreeKiB, Detail: fmt.Sprintf("%d MiB free in %s", free>>10, printable(a.facts["state"]))}
		if !f.OK {
			f.Hint = "free at least 10 MiB: without room for a step's result its outcome would be unknown"
		}
		out = append(out, f)
	}
	return out
}

// checkOf is a check whose error, if any, tells what to do.
func checkOf(name, what string, err error) engine.PreflightCheck {
	c := engine.PreflightCheck{Name: name, OK: err == nil, Detail: what}
	if err != nil {
		c.Detail, c.Hint = CauseAndHint(err)
	}
	return c
}
