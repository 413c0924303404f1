package sshtransport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// probeTimeout is how long a TCP probe waits before it calls it no answer.
const probeTimeout = 10 * time.Second

// ProbeTCP implements engine.Prober: by a direct-tcpip channel, so that nothing is executed; where the server forbids
// that, by a command.
func (t *Transport) ProbeTCP(ctx context.Context, h *runbooks.Host, address string) (engine.TCPState, error) {
	g, err := t.target(h)
	if err != nil {
		return "", err
	}
	c, err := t.connect(ctx, g)
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	probe, err := c.client.DialContext(limited, "tcp", address)
	if err == nil {
		_ = probe.Close()
		return engine.TCPOpen, nil
	}
	var refused *ssh.OpenChannelError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return engine.TCPNoAnswer, nil
	case !errors.As(err, &refused):
		return "", g.fail("lost-connection", "", "the connection was lost during the probe of %s", address)
	case refused.Reason == ssh.Prohibited:
		return t.probeByCommand(ctx, g, address)
	}
	return g.tcpState(refused.Message, address)
}

// tcpState reads the words of a server, or of a tool, about a connection that was not made.
func (g *target) tcpState(said, address string) (engine.TCPState, error) {
	low := strings.ToLower(said)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("refused"):
		return engine.TCPRefused, nil
	case has("timed out", "timeout", "no route", "unreachable", "host is down"):
		return engine.TCPNoAnswer, nil
	case has("unknown host", "not known", "name resolution", "bad address", "nodename", "lookup"):
		return "", g.refused("resolve", "check the name, as %s resolves it", "the name in %s does not resolve there", address)
	}
	return "", g.refused("probe", "", "the probe of %s gave no answer that is understood: %q", address, said)
}

func (g *target) refused(kind, hint, format, address string, more ...any) error {
	he := g.fail(kind, strings.ReplaceAll(hint, "%s", g.host.Name), format, append([]any{address}, more...)...)
	var e *engine.HostError
	if errors.As(he, &e) {
		e.Err = &refusal{e.Err.Error()}
	}
	return he
}

// refusal is a text that is engine.ErrRefused.
type refusal struct{ text string }

// Error implements error.
func (r *refusal) Error() string { return r.text }

// Unwrap implements errors.Is for engine.ErrRefused.
func (r *refusal) Unwrap() error { return engine.ErrRefused }

// probeScript tries what is there: nc, bash, python3. Its words are read by tcpState.
const probeScript = `h=$1 p=$2
if command -v nc >/dev/null 2>&1; then nc -z -v -w 8 "$h" "$p" 2>&1 && echo state-open
elif command -v bash >/dev/null 2>&1; then bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$h" "$p" 2>&1 && echo state-open
elif command -v python3 >/dev/null 2>&1; then python3 -c 'import socket,sys; socket.create_connection((sys.argv[1],int(sys.argv[2])),8)' "$h" "$p" 2>&1 && echo state-open
else echo no-tool; fi
exit 0
`

func (t *Transport) probeByCommand(ctx context.Context, g *target, address string) (engine.TCPState, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return "", g.refused("probe", "", "address %s is not host:port", address)
	}
	if _, err := strconv.ParseUint(portText, 10, 16); err != nil {
		return "", g.refused("probe", "", "address %s is not host:port", address)
	}
	var out bytes.Buffer
	status, err := g.talker.Observe(ctx, engine.Command{Script: "set -- '" + strings.ReplaceAll(host, "'", `'\''`) + "' " + portText + "\n" + probeScript,
		Interpreter: []string{"/bin/sh"}, Timeout: probeTimeout}, engine.OutputSink{Stdout: &out})
	switch {
	case err != nil:
		return "", err
	case status.TimedOut:
		return engine.TCPNoAnswer, nil
	case strings.Contains(out.String(), "state-open"):
		return engine.TCPOpen, nil
	case strings.Contains(out.String(), "no-tool"):
		return "", g.refused("probe", "allow TCP forwarding for this user on %s, or install nc", "the server forbids TCP forwarding and has no nc, bash or python3 to probe %s with", address)
	}
	return g.tcpState(out.String(), address)
}
