//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

const nightInventory = `
project "shop" {
  environment     = "staging"
  known_hosts     = "known_hosts"
  allowed_signers = "allowed_signers"
}
role "mim" { members = ["bob@example.org", "cay@example.org"] }
`

// nightRunbook moves a shop from one site to the other. Where a host has a file "slow" its step waits until that is gone; where
// it has "broken", the step fails.
const nightRunbook = `
runbook "move" {
  title        = "Move the shop to site B"
  update_every = "30m"
  mark "declared" {}
  objective "rto" {
    target = "30m"
    from   = "declared"
    to     = "open"
  }
  phase "drain" {
    owner = "web team"
    step "stop" {
      hosts = group.web
      script = <<-END
        cd $DIR/hosts/$${self.name}
        while [ -e slow ]; do sleep 0.1; done
        if [ -e broken ]; then echo "3 orders do not drain" >&2; exit 3; fi
        touch stopped
      END
      rollback { script = "rm -f $DIR/hosts/$${self.name}/stopped" }
    }
  }
  phase "move" {
    owner = "dba"
    gate "go" {
      question  = "Promote db-b? The last 3 s of orders are lost."
      role      = role.mim
      approvals = 2
      expires   = "30m"
    }
    step "promote" {
      hosts        = host.db-b
      script       = "cd $DIR/hosts/db-b; while [ -e slow ]; do sleep 0.1; done; touch promoted"
      requires     = [gate.go]
      irreversible = true
    }
    decision "way" {
      question = "Open the shop read-only first, or at once?"
      owner    = "incident manager"
      options  = ["read-only", "at-once"]
    }
  }
  phase "open" {
    step "start" {
      hosts  = group.web
      script = <<-END
        cd $DIR/hosts/$${self.name}
        if [ -e cold ]; then echo "cache is cold" >&2; exit 4; fi
        touch started
      END
      rollback { script = "cd $DIR/hosts/$${self.name}; while [ -e slow ]; do sleep 0.1; done; rm -f started" }
      marks = ["open"]
    }
    manual "smoke" {
      instructions = "Pay one penny."
      owner        = "service desk"
    }
  }
  cleanup {
    step "tell" {
      hosts = host.db-b
      argv  = ["touch", "$DIR/told"]
    }
  }
}
`

// watch is a recovery over 30 hosts at a terminal of tmux, as it is led by a person.
type watch struct {
	*tmux
	dir, name string
	env       []string
	now       time.Time
}

// TestNight leads a recovery over 30 OpenSSH servers from its beginning to its end at a terminal of tmux, with a host that
// fails, a gate, a decision and a rollback to the point of no return, and compares what is on the screen at each stage with
// what is on record.
func TestNight(t *testing.T) {
	t.Parallel()
	transporttest.NeedProgram(t, "tmux")
	hosts := nightHosts(t)
	for _, size := range [][2]int{{120, 40}, {80, 24}, {40, 20}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			w := newWatch(t, hosts, size[0], size[1])
			w.begins()
			w.fails()
			w.asksForApproval()
			w.decides()
			w.breaks()
			w.rollsBack()
			w.ends()
		})
	}
}

// nightHosts starts 30 servers, each at an address and with a key of its own.
func nightHosts(t *testing.T) []*transporttest.SSHD {
	t.Helper()
	out := make([]*transporttest.SSHD, 30)
	for n := range out {
		out[n] = transporttest.StartSSHD(t, transporttest.SSHDOptions{Address: fmt.Sprintf("127.0.30.%d", n+1), Config: []string{"LogLevel INFO"}})
	}
	return out
}

func nightName(n int) string {
	if n == 29 {
		return "db-b"
	}
	return fmt.Sprintf("web-%02d", n+1)
}

func newWatch(t *testing.T, hosts []*transporttest.SSHD, width, height int) *watch {
	t.Helper()
	w := &watch{now: time.Date(2031, 11, 21, 3, 0, 0, 0, time.UTC)}
	w.dir, w.name = fixedDir(t)
	var inventory, known, web strings.Builder
	for n, h := range hosts {
		name := nightName(n)
		fmt.Fprintf(&inventory, "host %q {\n  address = %q\n  port = %d\n  connection {\n    user = %q\n    identity_files = [%q]\n    agent = \"none\"\n  }\n}\n",
			name, h.Address, h.Port, h.User, h.Identity)
		if n < 29 {
			fmt.Fprintf(&web, "host.%s, ", name)
		}
		data, err := os.ReadFile(h.KnownHosts)
		require.NoError(t, err)
		known.Write(data)
		require.NoError(t, os.MkdirAll(filepath.Join(w.dir, "hosts", name), 0o700))
	}
	inventory.WriteString("group \"web\" { hosts = [" + web.String() + "] }\n")
	book := strings.ReplaceAll(strings.ReplaceAll(nightRunbook, "$DIR", w.dir), "$$", "$")
	w.file(t, "project.hcl", nightInventory+inventory.String())
	w.file(t, "move.hcl", book)
	w.file(t, "known_hosts", known.String())
	var signers string
	for _, who := range []string{"bob", "cay"} {
		transporttest.Keygen(t, "ed25519", filepath.Join(w.dir, who))
		pub, err := os.ReadFile(filepath.Join(w.dir, who+".pub"))
		require.NoError(t, err)
		signers += fmt.Sprintf("%s@example.org namespaces=\"approval@continuo\" %s", who, pub)
	}
	w.file(t, "allowed_signers", signers)
	require.NoError(t, os.Mkdir(filepath.Join(w.dir, "home"), 0o700))
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(w.dir, "home"), "XDG_STATE_HOME=" + filepath.Join(w.dir, "home", "state"),
		"TERM=screen-256color", "TZ=UTC", clockFile + "=" + filepath.Join(w.dir, "clock"),
	}
	w.passes(t, 0)
	w.tmux = startTmux(t, w.dir, width, height, w.env)
	return w
}

func (w *watch) file(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600))
}

// passes lets time pass.
func (w *watch) passes(t *testing.T, d time.Duration) {
	t.Helper()
	w.now = w.now.Add(d)
	w.file(t, "clock.new", w.now.Format(time.RFC3339))
	require.NoError(t, os.Rename(filepath.Join(w.dir, "clock.new"), filepath.Join(w.dir, "clock")))
}

// on makes a file on hosts; off takes it away.
func (w *watch) on(file string, hosts ...string) {
	w.t.Helper()
	for _, h := range hosts {
		w.file(w.t, filepath.Join("hosts", h, file), "")
	}
}

func (w *watch) off(file string, hosts ...string) {
	w.t.Helper()
	for _, h := range hosts {
		require.NoError(w.t, os.Remove(filepath.Join(w.dir, "hosts", h, file)))
	}
}

// other runs a command at another terminal.
func (w *watch) other(args ...string) string {
	w.t.Helper()
	path, err := exec.LookPath("continuo")
	require.NoError(w.t, err)
	c := exec.Command(path, args...)
	c.Dir, c.Env = w.dir, w.env
	out, err := c.CombinedOutput()
	require.NoError(w.t, err, string(out))
	return string(out)
}

// look compares the screen. Hidden are the id of the run, keys, digests, and what machines needed on this machine.
func (w *watch) look(stage string) {
	w.t.Helper()
	runs, err := filepath.Glob(filepath.Join(w.dir, ".continuo", "runs", "*"))
	require.NoError(w.t, err)
	w.looks(stage, func(screen string) string {
		screen = masked(screen, w.name)
		for _, r := range runs {
			screen = masked(screen, r[strings.LastIndexByte(r, '-')+1:])
		}
		screen = crossed(screen, regexp.MustCompile(`d\n?e\n?s\n?k\n?-(\n?[0-9a-f]){8}`))
		screen = crossed(screen, regexp.MustCompile(`SHA256:(\n? *[A-Za-z0-9+/]){43}`))
		screen = crossed(screen, regexp.MustCompile(`A\n?A\n?A\n?A(\n?[A-Za-z0-9+/]){64}`))
		screen = crossed(screen, regexp.MustCompile(`sha256:(\n? *[0-9a-f]){64}`))
		screen = regexp.MustCompile(`\bin (\d+ ms|\d+\.\d s)`).ReplaceAllString(screen, "in N s")
		return regexp.MustCompile(`of that (\d+ ms|\d+\.\d s|\dm\d\ds)`).ReplaceAllString(screen, "of that N s")
	})
}

// begins: the plan is confirmed, and the first step is under way on 29 hosts; four of them take their time.
func (w *watch) begins() {
	w.on("slow", "web-25", "web-26", "web-27", "web-28")
	w.on("broken", "web-27")
	w.types("continuo run move --live --at declared=-5m --incident INC-4711 --by ann@example.org")
	w.shows("to begin:")
	w.look("1-confirm")
	w.types("move")
	w.shows("25 of 29 hosts done")
	w.passes(w.t, 3*time.Minute)
	w.look("2-running")
}

// fails: one host refuses, and who leads the run is asked. It is mended and tried again.
func (w *watch) fails() {
	w.off("slow", "web-25", "web-26", "web-28")
	w.shows("28 of 29 hosts done")
	w.off("slow", "web-27")
	w.shows("what now?")
	w.look("3-failed")
	require.Regexp(w.t, "waits for a person: step.stop failed: retry, skip, ", w.other("status"), "whoever asks elsewhere is told")
	w.off("broken", "web-27")
	w.types("r")
	w.shows("why?")
	w.types("orders 17 to 19 parked")
}

// asksForApproval: the gate waits for two people, who are elsewhere. One of them has agreed.
func (w *watch) asksForApproval() {
	w.shows("APPROVAL WANTED")
	w.passes(w.t, 4*time.Minute)
	w.other("approve", "@latest", "gate.go", "--by", "bob@example.org", "--key", "bob")
	w.shows("granted by: bob@example.org")
	w.look("4-gate")
	w.on("slow", "db-b")
	w.other("approve", "@latest", "gate.go", "--by", "cay@example.org", "--key", "cay")
	w.shows("running step.promote")
	w.passes(w.t, time.Minute)
	w.look("5-no-return")
}

// decides: the step past which there is no way back has run, and somebody is to choose.
func (w *watch) decides() {
	w.off("slow", "db-b")
	w.shows("DECISION WANTED")
	w.look("6-decision")
	w.on("cold", "web-12")
	w.types("1")
	w.shows("why?")
	w.types("safer")
}

// breaks: the start fails on a host, and there is no mending it.
func (w *watch) breaks() {
	w.shows("what now?")
	w.passes(w.t, 10*time.Minute)
	w.look("7-broken")
	w.on("slow", "web-03")
	w.types("b")
	w.shows("why?")
	w.look("8-preview")
	w.types("half the shop is no shop")
}

// rollsBack: what can be taken back is, up to the point of no return.
func (w *watch) rollsBack() {
	w.shows("ROLLING BACK 28 of 29")
	w.passes(w.t, 10*time.Minute)
	w.look("9-rollback")
	w.off("slow", "web-03")
	w.shows("POINT OF NO RETURN step.promote ran")
	w.look("10-point-of-no-return")
	w.types("s")
	w.shows("why?")
	w.types("site B keeps the data")
}

// ends: the run is over, and its evidence verifies.
func (w *watch) ends() {
	w.shows("next: continuo show")
	w.look("11-ended")
	w.types("clear; continuo verify @latest")
	w.shows("VERIFIED")
	w.look("12-verified")
}

// TestTmuxShrinks: a terminal that becomes narrower shows the view once, and above it what happened.
func TestTmuxShrinks(t *testing.T) {
	t.Parallel()
	dir, _ := fixedDir(t)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "home"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "project.hcl"), []byte(strings.ReplaceAll(attended, "$WORK", dir)), 0o600))
	x := startTmux(t, dir, 120, 40, command(t, dir).Env)
	x.types("continuo run move --live")
	x.shows("to begin:")
	x.types("move")
	x.shows("running step.wait")
	x.run("resize-window", "-t", "night", "-x", "60", "-y", "24")
	x.until("one view", func(string) bool {
		screen := x.run("capture-pane", "-p", "-t", "night")
		return strings.Count(screen, "───") > 0 && strings.Count(screen, "\n"+strings.Repeat("─", 60)+"\n") == 1 &&
			strings.Count(screen, "running   step.wait") == 1 && strings.Contains(screen, "LIVE phase only")
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	x.shows("TO DO BY PEOPLE")
	x.press("C-c")
	x.shows("INTERRUPTED")
	x.types("l")
	x.shows("continuo resume")
}
