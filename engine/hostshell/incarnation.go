package hostshell

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/continuo-runbooks/continuo/engine"
)

// prepareText makes the state directory and says what the host is now. The id of the directory is made once, and whole: it
// is linked to its name when it is written, so that whoever comes second never reads half of it. Where there are no hard
// links it is renamed; of two who come at once, the one whose id is replaced is refused by its launch.
func prepareText(nonce, id string) string {
	return "{\numask 077\necho " + nonce + " ok $$ $PPID\n" + stateDirText +
		`if [ -n "$why" ]; then echo "refused $why"; exit 0; fi
if [ ! -e "$B/id" ]; then
if { echo "` + id + ` ." >"$B/id.` + id + `"; } 2>/dev/null; then ln "$B/id.` + id + `" "$B/id" 2>/dev/null || [ -e "$B/id" ] || mv "$B/id.` + id + `" "$B/id"; fi
rm -f "$B/id.` + id + `"
fi
id=; read -r id x <"$B/id"
[ "$x" = . ] || { echo "refused $B cannot be written, or $B/id is damaged"; exit 0; }
` + bootText + `echo "boot $boot"; echo "init $init"; echo "dir $B"; echo "id $id"
` + sessionText + `[ -n "$S" ] || echo "setsid missing"
` + selfText + `[ "$P" = $$ ] || echo "subshells yes"
exit 0
}
`
}

// turns lets one at a time do what is worth doing once: the others find it done.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{}
}

// turn waits for the turn of that name, and gives what ends it.
func (t *turns) turn(ctx context.Context, name string) (end func(), err error) {
	t.mu.Lock()
	if t.taken == nil {
		t.taken = map[string]chan struct{}{}
	}
	c := t.taken[name]
	if c == nil {
		c = make(chan struct{}, 1)
		t.taken[name] = c
	}
	t.mu.Unlock()
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// exchangeOf has the exchange of Prepare; where the shell of it can be kept, it is.
func (h *Host) exchangeOf(ctx context.Context, t talk, can func() bool) (ending, error) {
	if _, ok := h.Shell.(Keeper); !ok || t.become != "" || h.Plain {
		return h.talk(ctx, t)
	}
	return h.converse(ctx, t, true, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.keeping = can()
		return h.keeping
	})
}

var (
	hexID  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	bootID = regexp.MustCompile(`^[0-9a-f-]{8,64}$`)
)

// Prepare reaches the host and says what it is now, as the user that the attempt will run as.
func (h *Host) Prepare(ctx context.Context, become string) (engine.Prepared, error) {
	if err := checkUser(become); err != nil {
		return engine.Prepared{}, h.fail("command", engine.ErrRefused, "", "%v", err)
	}
	turn, err := h.preparing.turn(ctx, become)
	if err != nil {
		return engine.Prepared{}, err
	}
	defer turn()
	if p, ok := h.remembered(become); ok {
		return p, nil
	}
	n := newNonce()
	var out bytes.Buffer
	t := talk{become: become, nonce: n, text: prepareText(n, newNonce()), stderr: io.Discard,
		answer: func([]string) io.Writer { return &out }}
	e, err := h.exchangeOf(ctx, t, func() bool { return parseFacts(out.String())["subshells"] == "yes" })
	switch {
	case err != nil:
		return engine.Prepared{}, err
	case !e.answered || e.Missing:
		return engine.Prepared{}, h.silent(e, engine.ErrUnreachable)
	case h.Plain:
		return engine.Prepared{Transport: Plain}, nil
	}
	f := parseFacts(out.String())
	if why, ok := f["refused"]; ok {
		return engine.Prepared{}, h.badState(become, printable(why))
	}
	if f["boot"] == "-" || f["setsid"] != "" {
		return engine.Prepared{Transport: Plain}, nil // nothing could be proven here
	}
	inc := &engine.Incarnation{BootID: f["boot"], InitTime: f["init"], StateDir: f["dir"], StateID: f["id"]}
	if err := checkIncarnation(inc); err != nil {
		return engine.Prepared{}, h.badState(become, err.Error())
	}
	p := engine.Prepared{Transport: h.durableName(), Incarnation: inc}
	h.remember(become, p)
	return p, nil
}

// remembered is what an earlier Prepare found. It saves an exchange per attempt and harms nothing: the launch compares the
// host with it and refuses any other. It is forgotten with the connection.
func (h *Host) remembered(become string) (engine.Prepared, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.prepared[become]
	if ok {
		i := *p.Incarnation
		p.Incarnation = &i
	}
	return p, ok
}

func (h *Host) remember(become string, p engine.Prepared) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.prepared == nil {
		h.prepared = map[string]engine.Prepared{}
	}
	i := *p.Incarnation
	p.Incarnation = &i
	h.prepared[become] = p
}

func (h *Host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prepared, h.keeping = nil, false
}

func (h *Host) durableName() string {
	if h.Kind != "" {
		return h.Kind
	}
	return Durable
}

func (h *Host) badState(become, why string) error {
	return h.fail("state-directory", engine.ErrRefused,
		"it must be a directory of "+h.userName(become)+" alone (mode 0700, no symbolic link, room to write); else: connection { plain = true }",
		"the state directory cannot be used: %s", why)
}

// checkIncarnation refuses what a host of ours does not say, and what would not survive in a text for a shell.
func checkIncarnation(i *engine.Incarnation) error {
	switch {
	case i == nil:
		return errNoIncarnation
	case !bootID.MatchString(i.BootID), !hexID.MatchString(i.StateID), i.InitTime == "" || strings.ContainsAny(i.InitTime, " \n\x00"),
		!strings.HasPrefix(i.StateDir, "/") || strings.ContainsAny(i.StateDir, "\n\x00"):
		return errBadIncarnation
	}
	return nil
}
