package hostshell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// enter becomes another user: it turns the process into a `/bin/sh -s` of that user. Nothing of the caller's text has
// been sent before, so whatever goes wrong here, nothing ran. Of e it fills in what a login shell says that ran nothing: sudo
// ends otherwise.
func (h *Host) enter(ctx context.Context, p Process, s *streams, user string, e *ending) error {
	limits := h.Limits.withDefaults()
	if m := h.Become.Method; m != "" && m != "sudo" {
		return h.fail("become", engine.ErrRefused, `become { method = "sudo" } is the one there is`, "become by %q is not known", m)
	}
	password, err := h.becomePassword(ctx)
	if err != nil {
		return err
	}
	g := s.gate
	if _, err := io.WriteString(p, becomeText(user, g, password != nil)); err != nil {
		return h.fail("lost-connection", engine.ErrUnreachable, "", "the connection was lost before anything was launched")
	}
	timer := time.NewTimer(limits.BecomeTimeout)
	defer timer.Stop()
	asked := false
	for {
		select {
		case <-g.granted:
			return nil
		case <-g.prompts:
			if asked || password == nil { // one attempt: a wrong password must not lock an account
				return h.refuseBecome(user, "Sorry, try again.")
			}
			asked = true
			if _, err := p.Write(append(password, '\n')); err != nil {
				return h.fail("lost-connection", engine.ErrUnreachable, "", "the connection was lost before anything was launched")
			}
		case x := <-p.Exit():
			s.drain(limits.DrainGrace)
			e.Exit, e.over = x, !asked && (x.Code == 126 || x.Code == 127)
			select {
			case <-g.prompts:
			default:
			}
			if x.Missing {
				return h.fail("lost-connection", engine.ErrUnreachable, "", "the connection was lost before anything was launched")
			}
			return h.refuseBecome(user, g.text())
		case <-timer.C:
			return h.fail("become", engine.ErrRefused, "try it by hand: ssh "+h.Name+" sudo -u "+user+" true",
				"sudo did not answer within %v", limits.BecomeTimeout)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *Host) becomePassword(ctx context.Context) ([]byte, error) {
	if h.Become.Password == "" {
		return nil, nil
	}
	if h.Secrets == nil {
		return nil, h.fail("become", engine.ErrRefused, "", "no source for secret.%s", h.Become.Password)
	}
	v, err := h.Secrets.Secret(ctx, h.Become.Password)
	if err != nil {
		return nil, h.fail("become", engine.ErrRefused, "", "the sudo password: %v", err)
	}
	if strings.ContainsAny(v, "\n\x00") {
		return nil, h.fail("become", engine.ErrRefused, "", "the sudo password secret.%s holds a line break", h.Become.Password)
	}
	return []byte(v), nil
}

// becomeText is executed by the login user's shell. The marks are no secret: they only tell sudo's words from others.
func becomeText(user string, g *becomeGate, password bool) string {
	how := "-n"
	if password {
		how = "-S -k -p " + Quote(g.prompt)
	}
	return fmt.Sprintf("{ LC_ALL=C; export LC_ALL; command -v sudo >/dev/null 2>&1 || { echo 'sudo: command not found' >&2; exit 127; }\n"+
		"exec sudo %s -H -u %s -- /bin/sh -c %s\n}\n", how, Quote(user), Quote("echo "+g.grant+" >&2; exec /bin/sh -s"))
}

// becomeGate reads sudo's words from stderr until the new user's shell has said that it is there; what follows belongs
// to that shell.
type becomeGate struct {
	prompt, grant string
	prompts       chan struct{}
	granted       chan struct{}

	mu     sync.Mutex
	buf    []byte
	opened bool
	next   io.Writer
}

func newBecomeGate(next io.Writer) *becomeGate {
	return &becomeGate{prompt: newNonce() + "?", grant: newNonce(), prompts: make(chan struct{}, 1), granted: make(chan struct{}), next: next}
}

// Write implements io.Writer.
func (g *becomeGate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened {
		writeAll(g.next, p)
		return len(p), nil
	}
	g.buf = append(g.buf, p...)
	if i := bytes.Index(g.buf, []byte(g.grant+"\n")); i >= 0 {
		rest := g.buf[i+len(g.grant)+1:]
		g.opened, g.buf = true, g.buf[:i]
		close(g.granted)
		writeAll(g.next, rest)
		return len(p), nil
	}
	if i := bytes.Index(g.buf, []byte(g.prompt)); i >= 0 {
		g.buf = append(g.buf[:i:i], g.buf[i+len(g.prompt):]...)
		select {
		case g.prompts <- struct{}{}:
		default:
		}
	}
	if len(g.buf) > 64<<10 {
		g.buf = g.buf[len(g.buf)-(32<<10):]
	}
	return len(p), nil
}

func (g *becomeGate) text() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.TrimSpace(string(g.buf))
}

// refuseBecome turns sudo's words into what to do about them.
func (h *Host) refuseBecome(user, said string) error {
	has := func(s string) bool { return strings.Contains(said, s) }
	switch {
	case has("password is required") || has("no askpass program") || has("a terminal is required to read the password"):
		if h.Become.Password == "" {
			return h.fail("become", engine.ErrRefused, "give the host: become { password = secret.NAME }, or allow it without a password in sudoers",
				"sudo on %s wants a password to become %s", h.Name, user)
		}
		return h.fail("become", engine.ErrRefused, "the secret's value is not the password of "+h.userName(""), "sudo refused the password to become %s", user)
	case has("try again") || has("incorrect password"):
		return h.fail("become", engine.ErrRefused, "check secret."+h.Become.Password+"; it was tried once and will not be tried again by itself",
			"sudo refused the password to become %s", user)
	case has("not in the sudoers") || has("not allowed") || has("may not run sudo"):
		return h.fail("become", engine.ErrRefused, "a rule in sudoers must allow "+h.userName("")+" to run /bin/sh as "+user,
			"sudo does not allow %s to become %s", h.userName(""), user)
	case has("unknown user"):
		return h.fail("become", engine.ErrRefused, "", "there is no user %s", user)
	case has("must have a tty"):
		return h.fail("become", engine.ErrRefused, "sudoers has requiretty for "+h.userName("")+"; continuo uses no terminal: Defaults:"+h.userName("")+" !requiretty",
			"sudo wants a terminal to become %s", user)
	case has("command not found"):
		return h.fail("become", engine.ErrRefused, "install sudo, or log in as "+user, "there is no sudo")
	}
	return h.fail("become", engine.ErrRefused, "", "sudo did not become %s: %s", user, printable(said))
}
