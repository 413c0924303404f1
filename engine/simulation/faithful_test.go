package simulation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/executor"
	"github.com/continuo-runbooks/continuo/engine/hostshell"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/simtransport"
	"github.com/continuo-runbooks/continuo/engine/simulation"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// TestFaithful holds simulation against reality: each case runs one runbook twice, once in simulation with the fault as a
// test of the runbook injects it, once over SSH against a real OpenSSH server under the real fault. The journals must
// have the same types in the same order, with the same units, attempts, outcomes, causes, codes and signals, and both runs
// must come to the same verdict.
func TestFaithful(t *testing.T) {
	t.Parallel()
	yard := newYard(t)
	for _, c := range faithful() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := yard.bench(t, c)
			simulated := b.simulate()
			live := b.perform()
			require.Equal(t, simulated.types, live.types, "types of the journal: simulated, real")
			require.Equal(t, simulated.story, live.story, "what they say: simulated, real")
			require.Equal(t, simulated.verdict, live.verdict)
			require.Contains(t, strings.Join(live.story, "\n"), c.says, "the fault has struck")
		})
	}
}

// faithCase is a fault in both worlds. In texts, @ is a directory of the case.
type faithCase struct {
	name string
	// look, act and attrs vary the runbook: the command of the check on host b, that of the step on host b, and further
	// attributes and blocks of the step. sight are those of the check.
	look, act, sight, attrs string
	// sightFor and timeout bound the check and the step; empty: 2m.
	sightFor, timeout string
	// phase are attributes of the phase, first an item that comes before the check.
	phase, first string
	// answers is the body of the runbook's test: the fault as simulation has it.
	answers string
	// live makes the fault happen to the real host; nil: the commands do it themselves.
	live func(b *bench)
	says string // is in the story, so that a case without its fault does not pass
}

const faithfulRunbook = `
runbook "r" {
  phase "p" {
    PHASE
    step "before" {
      hosts = host.a
      argv  = ["true"]
      rollback { argv = ["true"] }
    }
    FIRST
    check "look" {
      hosts   = host.b
      timeout = "WITHIN1"
      COMMAND1
      SIGHT
    }
    step "act" {
      hosts   = host.b
      timeout = "WITHIN2"
      COMMAND2
      ATTRS
    }
    step "after" {
      hosts = host.a
      argv  = ["true"]
    }
  }
  cleanup {
    step "tidy" {
      hosts = host.a
      argv  = ["true"]
    }
  }
}
`

// yard is what all cases share: a server with a fast way in, and another whose disk can be full.
type yard struct {
	server, small *transporttest.SSHD
	shells        string // the process ids of what logged in to the small server, one a line
	full          string // while this file is there, no file of whoever logs in there can grow
}

func newYard(t *testing.T) *yard {
	t.Helper()
	dir := t.TempDir()
	y := &yard{full: filepath.Join(dir, "full"), shells: filepath.Join(dir, "shells")}
	y.server = transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"MaxSessions 10"}})
	login := filepath.Join(t.TempDir(), "login")
	require.NoError(t, os.WriteFile(login, []byte(`#!/bin/sh
echo $$ >>`+y.shells+`
trap '' XFSZ
if [ -e `+y.full+` ]; then ulimit -f 0; fi
exec /bin/sh "$1" "$2"
`), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(login), 0o755))
	y.small = transporttest.StartSSHD(t, transporttest.SSHDOptions{LoginShell: login})
	return y
}

// fill takes what room there is from the small server: from now on no file can grow, neither of those who are logged in nor
// of those who come.
func (y *yard) fill(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(y.full, nil, 0o600))
	pids, err := os.ReadFile(y.shells)
	require.NoError(t, err)
	for _, word := range strings.Fields(string(pids)) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{}, nil); err != nil {
			require.ErrorIs(t, err, unix.ESRCH)
		}
	}
}

// bench is one case with its project, its way to the server and its launcher.
type bench struct {
	t       *testing.T
	y       *yard
	c       faithCase
	dir     string
	project *runbooks.Project
	proxy   *transporttest.Proxy
	server  *transporttest.SSHD // of host b
	host    string              // further attributes of host b
	port    int                 // of host b
	key     string              // identity file of host b
	known   string              // what known_hosts says of host b
	options sshtransport.Options
	hooks   hooks
}

// hooks strike when the executor is about to launch, or has prepared. They are called for host b only.
type hooks struct {
	prepared func(p *engine.Prepared)
	launch   func()
}

func (y *yard) bench(t *testing.T, c faithCase) *bench {
	t.Helper()
	b := &bench{t: t, y: y, c: c, dir: t.TempDir(), server: y.server}
	b.proxy = transporttest.NewProxy(t, b.server.Address+":"+strconv.Itoa(b.server.Port))
	b.port, b.key = b.proxy.Port, b.server.Identity
	data, err := os.ReadFile(b.server.HostKeys[0] + ".pub")
	require.NoError(t, err)
	b.known = string(data)
	b.options.Limits = hostshell.Limits{KillGrace: 2 * time.Second, ReconnectDelay: 20 * time.Millisecond, ReconnectFor: 2 * time.Minute}
	b.options.Dial = sshtransport.DialLimits{Attempts: 1}
	if c.live != nil {
		c.live(b)
	}
	b.load()
	return b
}

// load makes the project: host a is sound, host b is where the fault is.
func (b *bench) load() {
	known := func(s *transporttest.SSHD) string {
		data, err := os.ReadFile(s.HostKeys[0] + ".pub")
		require.NoError(b.t, err)
		return string(data)
	}
	hosts := fmt.Sprintf(`
project "p" { environment = "lab" }
host "a" {
  address = %q
  port    = %d
  connection {
    user           = %q
    identity_files = [%q]
    agent          = "none"
    host_key_alias = "a"
  }
}
host "b" {
  address = %q
  port    = %d
  connection {
    user           = %q
    identity_files = [%q]
    agent          = "none"
    host_key_alias = "b"
    %s
  }
}
`, b.y.server.Address, b.y.server.Port, b.y.server.User, b.y.server.Identity, b.server.Address, b.port, b.server.User, b.key, b.host)
	command := func(script string) string {
		if script == "" {
			return `argv = ["true"]`
		}
		if strings.HasPrefix(script, "argv") {
			return script
		}
		return "script = <<-EOT\n" + script + "\nEOT"
	}
	src := hosts + strings.NewReplacer("WITHIN1", orElse(b.c.sightFor, "2m"), "WITHIN2", orElse(b.c.timeout, "2m"), "PHASE", b.c.phase, "FIRST", b.c.first, "COMMAND1", command(b.c.look), "SIGHT", b.c.sight, "COMMAND2", command(b.c.act),
		"ATTRS", b.c.attrs).Replace(faithfulRunbook)
	src = strings.ReplaceAll(src, "@", b.dir)
	test := "test \"t\" {\n  runbook = \"r\"\n" + b.c.answers + "\n}\n"
	p, ds, err := loader.LoadFS(fstest.MapFS{
		"p.hcl": &fstest.MapFile{Data: []byte(src)}, "p.test.hcl": &fstest.MapFile{Data: []byte(test)},
	}, "/p", loader.Options{})
	require.NoError(b.t, err)
	require.NoError(b.t, ds.Err())
	b.project = p
	file := filepath.Join(b.dir, "known_hosts")
	require.NoError(b.t, os.WriteFile(file, []byte("a "+known(b.y.server)+"b "+b.known), 0o600))
	b.options.KnownHosts = []string{file}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// at puts host b on another server.
func (b *bench) at(s *transporttest.SSHD) {
	data, err := os.ReadFile(s.HostKeys[0] + ".pub")
	require.NoError(b.t, err)
	b.server, b.port, b.key, b.known = s, s.Port, s.Identity, string(data)
}

// told is what a run's journal says.
type told struct {
	types, story []string
	verdict      string
}

func tell(events []engine.Event, rec *engine.Record) told {
	out := told{verdict: fmt.Sprintf("%s, %d unknown", rec.Verdict, rec.Unknown)}
	for _, e := range events {
		out.types = append(out.types, e.Payload.EventType())
		out.story = append(out.story, e.Payload.EventType()+words(e.Payload))
	}
	for n := range rec.Items {
		i := &rec.Items[n]
		out.story = append(out.story, fmt.Sprintf("%s %s %s", i.Plan.ID, i.Outcome, i.Standing))
		for _, u := range i.Units {
			out.story = append(out.story, fmt.Sprintf("%s@%s %s %s", u.Item, u.Host, u.Outcome, u.Standing))
		}
	}
	return out
}

// words is what of an event both worlds must agree on: all but texts, times, ids and digests.
func words(p engine.Payload) string {
	switch p := p.(type) {
	case *engine.HostConnected:
		return " " + p.Host
	case *engine.ItemIntent:
		return fmt.Sprintf(" %s@%s %s #%d", p.Item, p.Host, p.Part, p.Attempt)
	case *engine.ItemOutput:
		return fmt.Sprintf(" %s@%s %s #%d %s", p.Item, p.Host, p.Part, p.Attempt, p.Stream)
	case *engine.ItemOutcome:
		return fmt.Sprintf(" %s@%s %s #%d %s", p.Item, p.Host, p.Part, p.Attempt, p.Outcome) + outcomeWords(p)
	case *engine.ItemSettled:
		return fmt.Sprintf(" %s@%s %s by %s", p.Item, p.Host, p.As, p.By)
	case *engine.RunClosed:
		return fmt.Sprintf(" %s, %d unknown", p.Verdict, p.Unknown)
	case *engine.RollbackEnded:
		return " done" + places(p.Done) + " failed" + places(p.Failed) + " left" + places(p.Left)
	}
	return ""
}

func places(units []engine.Unit) string {
	s := ""
	for _, u := range units {
		s += fmt.Sprintf(" %s@%s", u.Item, u.Host)
	}
	return s
}

func outcomeWords(p *engine.ItemOutcome) string {
	s := ""
	if p.Cause != "" {
		s += " (" + p.Cause + ")"
	}
	if p.ExitCode != nil {
		s += fmt.Sprintf(" code %d", *p.ExitCode)
	}
	if p.Signal != "" {
		s += " signal " + p.Signal
	}
	if p.KillConfirmed != nil {
		s += fmt.Sprintf(" kill confirmed %t", *p.KillConfirmed)
	}
	s += fmt.Sprintf(" survivors %d reattached %d rounds %d attempts %d", len(p.Survivors), p.Reattached, p.Rounds, p.Attempts)
	for _, c := range p.Captures {
		s += " " + c.Name + "=" + c.Value
	}
	for _, x := range p.Expectations {
		s += " " + x.Condition + " " + x.Result
	}
	if p.Hosts != nil {
		s += fmt.Sprintf(" %+v", *p.Hosts)
	}
	return s
}

func (b *bench) simulate() told {
	b.t.Helper()
	res := simulation.Test(b.project, b.project.Tests[0])
	require.Empty(b.t, res.Failures)
	return tell(res.Ended.Events, res.Ended.Record)
}

// perform runs the runbook on the real server.
func (b *bench) perform() told {
	b.t.Helper()
	rb := b.project.Runbook("r")
	plan, err := simulation.MakePlan(b.project, rb, nil)
	require.NoError(b.t, err)
	journal := simtransport.NewJournal(engine.Live, simtransport.Clock{})
	recorder := executor.NewRecorder(journal, plan, nil)
	b.options.Connected = func(h engine.HostConnected) { _, _ = recorder.Append(b.t.Context(), &h) }
	tr := sshtransport.New(b.options)
	defer func() { require.NoError(b.t, tr.Close()) }()
	secrets := redact.New()
	rec, err := executor.Run(b.t.Context(), executor.Config{
		Project: b.project, Runbook: rb, Plan: plan, Mode: engine.Live, OnFailure: runbooks.Stop,
		Opened:  engine.RunOpened{Run: "real", Nonce: string(transporttest.NewID()), Operator: simulation.DefaultOperator, PlanDigest: plan.Digest},
		Journal: recorder, Artifacts: &simtransport.Artifacts{Redact: secrets.Redact}, Redactor: secrets, Clock: simtransport.Clock{},
		Prober: tr, Launcher: hooked{tr.Launcher(), b.hooks},
	})
	require.NoError(b.t, err)
	return tell(journal.Events(), &rec)
}

// hooked is a launcher that the fault strikes at a certain point.
type hooked struct {
	engine.Launcher
	hooks hooks
}

func (l hooked) Prepare(ctx context.Context, h *runbooks.Host, become string) (engine.Prepared, error) {
	p, err := l.Launcher.Prepare(ctx, h, become)
	if err == nil && h.Name == "b" && l.hooks.prepared != nil {
		l.hooks.prepared(&p)
	}
	return p, err
}

func (l hooked) Start(ctx context.Context, h *runbooks.Host, a engine.Attempt, sink engine.OutputSink) (engine.ExitStatus, engine.Release, error) {
	if h.Name == "b" && l.hooks.launch != nil {
		l.hooks.launch()
	}
	return l.Launcher.Start(ctx, h, a, sink)
}

// when does something once a file of the case is there.
func (b *bench) when(name string, do func() error) {
	done := make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := os.Stat(filepath.Join(b.dir, name)); err == nil {
				if err := do(); err != nil {
					b.t.Error(err)
				}
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	b.t.Cleanup(func() { close(stop); <-done })
}

// number is what a file of the case says, once it is whole.
func (b *bench) number(name string) int {
	data, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return n
}

// touch makes a file of the case.
func (b *bench) touch(name string) error {
	return os.WriteFile(filepath.Join(b.dir, name), nil, 0o600)
}
