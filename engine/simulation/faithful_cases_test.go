package simulation_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// Pieces of commands. Of a step, the parent is the runner that keeps its result; of a check, the session's server.
const (
	tells   = "echo $$ $PPID >@/tmp; mv @/tmp @/runs\n" // says that it runs, and as what
	forEver = tells + "sleep 300"
	fails   = "echo simulated failure >&2; exit 1"
	// untilTold ends soon after the file go is there.
	untilTold = tells + "while [ ! -e @/go ]; do sleep 0.05; done; echo done"
	// onceForEver never ends the first time, and is done at once the second.
	onceForEver = "if [ -e @/again ]; then exit 0; fi; : >@/again\n" + forEver
)

// reconnected cuts the connection of what runs, which may end after that.
func reconnected(b *bench) {
	b.when("runs", func() error { b.proxy.Reset(); return b.touch("go") })
}

// lostForGood cuts the connection of a step and kills what keeps its result, and the command.
func lostForGood(b *bench) {
	b.when("runs", func() error {
		command, runner, err := b.running()
		b.proxy.Reset()
		kill(runner, command)
		return err
	})
}

// rebooted is lostForGood after which the host is another boot, as the claim has it.
func rebooted(b *bench) {
	b.when("runs", func() error {
		command, runner, err := b.running()
		b.proxy.Reset()
		kill(runner, command)
		return errors.Join(err, b.claimOfAnotherBoot(runner))
	})
}

const anotherBoot = "00000000-0000-4000-8000-000000000000"

// claimOfAnotherBoot rewrites the claim of a runner.
func (b *bench) claimOfAnotherBoot(runner int) error {
	claims, err := filepath.Glob(filepath.Join(b.server.Home, ".continuo", "*.go"))
	for _, f := range claims {
		data, rerr := os.ReadFile(f)
		err = errors.Join(err, rerr)
		if w := strings.Fields(string(data)); len(w) > 2 && w[1] == strconv.Itoa(runner) {
			return errors.Join(err, os.WriteFile(f, []byte(strings.Replace(string(data), w[2], anotherBoot, 1)), 0o600))
		}
	}
	return errors.Join(err, errors.New("the claim was not found"))
}

// neverBack cuts the connection and lets no other be made.
func neverBack(b *bench) {
	b.options.Limits.ReconnectFor = 300 * time.Millisecond
	b.when("runs", func() error {
		command, runner, err := b.running()
		b.t.Cleanup(func() { kill(runner, command) })
		b.proxy.Refuse(true)
		b.proxy.Reset()
		return err
	})
}

// plainLost cuts the connection of a step that only its connection carries.
func plainLost(b *bench) {
	b.host = "plain = true"
	b.when("runs", func() error {
		command, _, err := b.running()
		b.proxy.Reset()
		kill(command)
		return err
	})
}

// sessionKilled ends the session's server on the host by force, and then what it had started.
func sessionKilled(b *bench) {
	b.when("runs", func() error {
		command, parent, err := b.running()
		if err != nil {
			return err
		}
		pid, err := server(parent)
		kill(pid, command)
		return err
	})
}

// server is the nearest sshd above a process.
func server(pid int) (int, error) {
	for pid > 1 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return 0, err
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if strings.Contains(name, "(sshd") || len(f) < 2 {
			return pid, nil
		}
		if pid, err = strconv.Atoi(f[1]); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("no sshd above the command")
}

// left kills at the end what the case's command left running.
func left(b *bench) { b.t.Cleanup(func() { kill(b.number("left")) }) }

const lost = `
  fault "step.act" {
    kind    = "lost-connection"
    started = true
  }`

const skipped = "when = false" // for the check, which would meet the fault first

const settles = `
      verify { argv = ["test", "-e", "@/runs"] }`

func faithful() []faithCase {
	return []faithCase{
		{name: "nothing", says: "run.closed passed, 0 unknown"},
		{
			name: "a code that is no success", act: "echo simulated failure >&2; exit 3", says: "failed (exit) code 3",
			answers: "fault \"step.act\" {\n kind = \"exit\"\n exit_code = 3\n}",
		},
		{name: "code 255 is an ordinary one", act: "exit 255", says: "failed (exit) code 255", answers: `on "step.act" { exit_code = 255 }`},
		// It lives for a while: of what dies at once some shells tell the code only, 137.
		{name: "killed by a signal", act: "sleep 1; kill -KILL $$", says: "failed (signal) signal KILL", answers: `on "step.act" { signal = "KILL" }`},
		{
			name: "a timeout", act: "sleep 300", timeout: "1s", says: "timed-out (timeout) signal TERM kill confirmed true",
			answers: `fault "step.act" { kind = "timeout" }`,
		},
		{
			name: "a timeout of what ignores TERM", act: "trap '' TERM; sleep 300; sleep 300", timeout: "1s",
			says: "timed-out (timeout) signal KILL kill confirmed true", answers: "on \"step.act\" {\n delay = \"1h\"\n signal = \"KILL\"\n}",
		},
		{
			name: "a timeout that a child survives", act: "setsid sleep 300 & echo $! >@/left; sleep 300", timeout: "1s", live: left,
			says: "kill confirmed false survivors 1", answers: "on \"step.act\" {\n delay = \"1h\"\n survivors = \"4711:sleep\"\n}",
		},
		{name: "a check that fails", look: fails, says: "failed (exit) code 1", answers: `fault "check.look" { kind = "exit" }`},
		{
			name: "a check that says what is not expected", says: "failed (expectation)",
			sight:   "expect {\n condition = result.stdout == \"yes\"\n message = \"no\"\n}",
			answers: "on \"check.look\" { stdout = \"yes\\n\" }\n fault \"check.look\" { kind = \"expectation\" }",
		},
		{
			name: "a check whose output does not fit its type", look: "echo many", says: "failed (capture)",
			sight:   "capture \"n\" {\n value = result.stdout\n type = number\n}",
			answers: `on "check.look" { stdout = "many\n" }`,
		},
		{
			name: "output that is no UTF-8", look: `printf 'ok\377\n'`, says: "failed (expectation) code 0",
			sight:   "capture \"word\" { value = result.stdout }\n expect {\n condition = result.word == \"ok\"\n message = result.word\n}",
			answers: `on "check.look" { stdout = "ok\uFFFD\n" }`,
		},
		{
			name: "a check that does not end", look: "sleep 300", sightFor: "1s", says: "timed-out (timeout)", answers: `fault "check.look" { kind = "timeout" }`,
			// so that the time does not pass while it connects
			first: "check \"reach\" {\n hosts = host.b\n argv = [\"true\"]\n}",
		},
		{
			name: "nobody listens", sight: skipped, says: "unreachable (dial)", answers: `fault "step.act" { kind = "unreachable" }`,
			live: func(b *bench) { b.port = 1 },
		},
		{
			name: "nobody listens to a check", says: "unreachable (dial)", answers: `fault "check.look" { kind = "unreachable" }`,
			live: func(b *bench) { b.port = 1 },
		},
		{
			name: "the login is refused", sight: skipped, says: "unreachable (auth)", answers: `fault "step.act" { kind = "auth" }`,
			live: func(b *bench) {
				b.key = filepath.Join(b.dir, "stranger")
				transporttest.Keygen(b.t, "ed25519", b.key)
			},
		},
		{
			name: "another host key", sight: skipped, says: "unreachable (host-key)", answers: `fault "step.act" { kind = "host-key" }`,
			live: func(b *bench) {
				file := filepath.Join(b.dir, "other")
				transporttest.Keygen(b.t, "ed25519", file)
				data, err := os.ReadFile(file + ".pub")
				require.NoError(b.t, err)
				b.known = string(data)
			},
		},
		{
			name: "an unreachable host that is tolerated", says: "unreachable (tolerated)", answers: `fault "step.act" { kind = "unreachable" }`,
			sight: skipped, attrs: `tolerate = ["unreachable"]`, live: func(b *bench) { b.port = 1 },
		},
		{
			name: "the connection is lost in the launch", says: "never-started (never-started)", answers: `fault "step.act" { kind = "lost-connection" }`,
			live: func(b *bench) { b.hooks.launch = sync.OnceFunc(func() { b.proxy.CutAfter(500) }) },
		},
		{
			name: "the connection is lost and the step ends", act: untilTold, says: "reattached 1", live: reconnected,
			answers: "on \"step.act\" { stdout = \"done\\n\" }\n fault \"step.act\" {\n kind = \"lost-connection\"\n finished = true\n}",
		},
		{
			name: "one direction of the connection is closed", act: untilTold, says: "reattached 1",
			answers: "on \"step.act\" { stdout = \"done\\n\" }\n fault \"step.act\" {\n kind = \"lost-connection\"\n finished = true\n}",
			live:    func(b *bench) { b.when("runs", func() error { b.proxy.HalfClose(); return b.touch("go") }) },
		},
		{name: "the connection and the result are lost", act: forEver, says: "unknown (lost)", live: lostForGood, answers: lost},
		{
			name: "the result is lost, and verify holds", act: forEver, says: "done by verify", live: lostForGood, answers: lost, attrs: settles,
		},
		{
			name: "the result is lost, and verify does not hold", act: forEver, says: "failed by verify", live: lostForGood,
			attrs: "verify { argv = [\"false\"] }", answers: lost + "\n on \"step.act.verify\" { exit_code = 1 }",
		},
		{
			name: "the result of an idempotent step is lost", act: onceForEver, says: "#2 succeeded", live: lostForGood, attrs: "idempotent = true",
			answers: "fault \"step.act\" {\n kind = \"lost-connection\"\n started = true\n attempt = 1\n}",
		},
		{name: "the host does not come back", act: forEver, says: "unknown (lost-connection)", live: neverBack, answers: `on "step.act" { outcome = "unknown" }`},
		{
			name: "a plain step loses its connection", act: forEver, says: "unknown (lost-connection)", answers: lost,
			live: plainLost,
		},
		{
			name: "no exit status of a check", look: forEver, says: "unreachable (lost-connection)", live: sessionKilled,
			answers: `fault "check.look" { kind = "lost-connection" }`,
		},
		{
			name: "a check that polls loses its connection", look: onceForEver, says: "rounds 2", live: sessionKilled,
			sight: "poll {\n every = \"100ms\"\n within = \"2m\"\n}", answers: `fault "check.look" { kind = "lost-connection" }`,
		},
		{
			name: "the host restarts before the launch", says: "never-started (incarnation)", answers: `fault "step.act" { kind = "reboot" }`,
			live: func(b *bench) {
				var once sync.Once
				b.hooks.prepared = func(p *engine.Prepared) {
					once.Do(func() { p.Incarnation.BootID = anotherBoot })
				}
			},
		},
		{
			name: "the host restarts while it runs, and no verify may settle it", act: forEver, says: "unknown (lost)", live: rebooted, attrs: settles,
			answers: "fault \"step.act\" {\n kind = \"reboot\"\n started = true\n}",
		},
		{
			name: "the disk is full", says: "never-started (state-directory)", answers: `fault "step.act" { kind = "disk-full" }`,
			live: func(b *bench) {
				b.at(b.y.small)
				b.hooks.launch = func() { b.y.fill(b.t) }
			},
		},
		{
			name: "becoming another user is refused", says: "never-started (become)", attrs: `become = "nobody-has-this-name"`,
			answers: `fault "step.act" { kind = "become" }`,
		},
		{
			name: "the program is missing", act: `argv = ["nonsuchprogram"]`, says: "never-started (program)",
			answers: `fault "step.act" { kind = "program" }`,
		},
		{
			name: "a child of a step holds its output", act: "sleep 300 & echo $! >@/left; echo done", live: left, says: "succeeded code 0",
			answers: `on "step.act" { stdout = "done\n" }`,
		},
		{
			name: "a child of a check holds its output", look: "sleep 300 & echo $! >@/left; echo done", says: "succeeded code 0",
			answers: `on "check.look" { stdout = "done\n" }`,
			live: func(b *bench) {
				b.options.Limits.DrainGrace = 200 * time.Millisecond
				left(b)
			},
		},
		{
			name: "a verify that fails", attrs: "verify { script = \"" + fails + "\" }", says: "failed (verify)",
			answers: `fault "step.act.verify" { kind = "exit" }`,
		},
		{
			name: "a step that fails once and is retried", says: "#2 succeeded",
			act:     "if [ -e @/again ]; then exit 0; fi; : >@/again; " + fails,
			attrs:   "retry {\n attempts = 2\n delay = \"10ms\"\n}",
			answers: "fault \"step.act\" {\n kind = \"exit\"\n attempt = 1\n}",
		},
		{
			name: "a failure that is rolled back", phase: `on_failure = "rollback"`, act: fails, says: "rollback.ended done step.before@a failed",
			answers: `fault "step.act" { kind = "exit" }`,
		},
	}
}

// running is what the case's command says of itself: its process and its parent's.
func (b *bench) running() (pid, parent int, err error) {
	data, err := os.ReadFile(filepath.Join(b.dir, "runs"))
	if err != nil {
		return 0, 0, err
	}
	_, err = fmt.Sscan(string(data), &pid, &parent)
	return pid, parent, err
}

// kill ends processes by force, with those that they lead.
func kill(pids ...int) {
	for _, pid := range pids {
		if pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
}
