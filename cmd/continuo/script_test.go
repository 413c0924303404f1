package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/cli"
	"github.com/continuo-runbooks/continuo/engine/lab"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"continuo":           func() { os.Exit(int(mainWithClock(os.Getenv(clockFile)))) },
		"continuo-full-disk": func() { os.Exit(int(mainWithFullDisk())) },
		"continuo-defect":    func() { os.Exit(int(mainWithDefect())) },
	})
}

// mainWithDefect is continuo with a bug: it panics when it looks at the clock.
func mainWithDefect() cli.Code {
	env := cli.OSEnv()
	env.Now = func() time.Time { panic("the clock has no hands") }
	return cli.Main(env)
}

// TestScripts runs testdata/script: the contract of the command line. What the scripts have beside the usual commands:
//
//	exits CODE COMMAND…    runs a command that must exit with CODE; its output is that of exec
//	sshd NAME [shell=PATH] [env=K=V]… [LINE]…
//	                       starts an OpenSSH server with this login shell, environment and lines of configuration; sets
//	                       NAME_PORT, NAME_KNOWN (its known_hosts lines), NAME_IDENTITY and NAME_USER
//	[sshd]                 there is an OpenSSH server; where CI=true there must be one
//	port NAME…             sets NAME to a free port
//	replace OLD NEW FILE   replaces a text in a file, which must be there; \n in NEW is a line end
//	expand FILE…           replaces $NAME and ${NAME} in files
//	lab                    starts the practice hosts of the project, and stops them when the script has ended
//	wait-for FILE [TEXT]   waits until a file is there, or the last that matches holds a text
//	signal NAME            sends INT, TERM, HUP or KILL to the one background command
//	tsa NAME               starts a time stamping authority; sets NAME to its URL, its certificate is NAME/tsa.pem
//	exited CODE            after wait: with which code that command has ended
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:               setup,
		Deadline:            time.Now().Add(8 * time.Minute),
		Condition:           condition,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "sshd": sshd, "port": port, "replace": replace, "expand": expand, "wait-for": waitFor, "lab": startLab,
			"signal": signal, "exited": exited, "tsa": tsa,
		},
	})
}

// setup gives each script a home of its own and an environment in which nothing of this machine shows.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	env.Values[background{}] = &background{}
	env.Setenv("HOME", home)
	env.Setenv("TZ", "UTC")
	env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	return nil
}

// exits runs a command and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var ended interface{ ExitCode() int }
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

func sshd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: sshd NAME [shell=PATH] [env=NAME=VALUE]… [LINE]…")
	}
	name, opt := args[0], transporttest.SSHDOptions{}
	for _, arg := range args[1:] {
		if shell, ok := strings.CutPrefix(arg, "shell="); ok {
			opt.LoginShell = ts.MkAbs(shell)
			ts.Check(os.Chmod(opt.LoginShell, 0o755))
		} else if env, ok := strings.CutPrefix(arg, "env="); ok {
			opt.Env = append(opt.Env, env)
		} else {
			opt.Config = append(opt.Config, arg)
		}
	}
	s := transporttest.StartSSHD(scriptTB{ts: ts}, opt)
	known, err := os.ReadFile(s.KnownHosts)
	ts.Check(err)
	ts.Setenv(name+"_PORT", strconv.Itoa(s.Port))
	ts.Setenv(name+"_KNOWN", strings.TrimSpace(string(known)))
	ts.Setenv(name+"_IDENTITY", s.Identity)
	ts.Setenv(name+"_USER", s.User)
}

// scriptTB lets helpers for tests work for a script: what they clean up is cleaned up when the script has ended.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (s scriptTB) Helper()                           {}
func (s scriptTB) Name() string                      { return s.ts.Name() }
func (s scriptTB) Cleanup(f func())                  { s.ts.Defer(f) }
func (s scriptTB) Logf(format string, args ...any)   { s.ts.Logf(format, args...) }
func (s scriptTB) Errorf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) Fatal(args ...any)                 { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTB) Skip(args ...any)                  { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTB) FailNow()                          { s.ts.Fatalf("failed") }
func (s scriptTB) TempDir() string {
	dir, err := os.MkdirTemp("", "continuo-script")
	s.ts.Check(err)
	s.ts.Defer(func() { s.ts.Check(os.RemoveAll(dir)) })
	return dir
}

// condition knows [sshd]: there is an OpenSSH server. In CI there must be one.
func condition(name string) (bool, error) {
	if name != "sshd" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	for _, path := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return true, nil
		}
	}
	if os.Getenv("CI") == "true" {
		return false, errors.New("there is no OpenSSH server, and CI must have one")
	}
	return false, nil
}

// startLab starts the practice hosts of the script's project.
func startLab(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("continuo", "lab", "up"))
	dir := ts.MkAbs(lab.Dir)
	ts.Defer(func() {
		if _, err := lab.Down(context.Background(), dir); err != nil {
			ts.Logf("lab down: %v", err)
		}
	})
}

func port(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		_, p, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Setenv(name, p)
	}
}

func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("replace: %s does not contain %q", args[2], args[0])
	}
	replacement := strings.ReplaceAll(args[1], `\n`, "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Replace(text, args[0], replacement, 1)), 0o600))
}

func expand(ts *testscript.TestScript, neg bool, args []string) {
	for _, file := range args {
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(os.Expand(ts.ReadFile(file), ts.Getenv)), 0o600))
	}
}

// waitFor polls for a file, or for a text in it: what a background command does has no other sign.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: wait-for FILE [TEXT]")
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		matches, err := filepath.Glob(ts.MkAbs(args[0]))
		if err != nil || len(matches) == 0 {
			continue
		}
		if len(args) == 1 || strings.Contains(ts.ReadFile(matches[len(matches)-1]), args[1]) {
			return
		}
	}
	ts.Fatalf("wait-for: %s never came", strings.Join(args, " with "))
}

// background is the command that a script started last with &.
type background struct{ cmd *exec.Cmd }

// signal sends a signal to the background command and remembers it for exited.
func signal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: signal INT|TERM|HUP|KILL")
	}
	all := ts.BackgroundCmds()
	if len(all) != 1 {
		ts.Fatalf("signal: %d background commands, not 1", len(all))
	}
	sig, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}[args[0]]
	if !ok {
		ts.Fatalf("signal: unknown signal %s", args[0])
	}
	b, ok := ts.Value(background{}).(*background)
	if !ok {
		ts.Fatalf("signal: no setup")
	}
	b.cmd = all[0]
	ts.Check(b.cmd.Process.Signal(sig))
}

// exited compares the exit code of the background command that got a signal, after wait.
func exited(ts *testscript.TestScript, neg bool, args []string) {
	b, ok := ts.Value(background{}).(*background)
	if !ok || neg || len(args) != 1 || b.cmd == nil || b.cmd.ProcessState == nil {
		ts.Fatalf("usage: signal, wait, exited CODE")
	}
	if got := strconv.Itoa(b.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exited: exit code %s, not %s", got, args[0])
	}
}
