package cli

import (
	"io"
	"os"
	"os/signal"
	"os/user"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/journal/fsx"
)

// Env is everything that a command may know of the outside.
type Env struct {
	// Args are the arguments without the program's name.
	Args []string
	// Lookup reads one variable of the environment.
	Lookup func(name string) (string, bool)
	// Environ is the environment as KEY=VALUE, for the processes of the control host.
	Environ []string
	// Dir is the working directory, absolute.
	Dir string
	// Hostname is the name of this machine; User who runs continuo on it, "uid-N" where the user has no name.
	Hostname, User string
	// Stdin, Stdout and Stderr are files where a terminal may be behind them; tests give buffers.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Executable is the path of this program, for the processes that it starts of itself.
	Executable func() (string, error)
	// FS is the file system that runs are recorded on; nil is the real one.
	FS fsx.FS
	// Now is the wall clock.
	Now func() time.Time
	// Stamps stamps the events of a run's journal; nil is the system's clocks, the monotonic one with them.
	Stamps engine.Clock
	// Signals delivers the signals that ask a run to end, until stop is called. It is called at most once by a command.
	Signals func() (c <-chan os.Signal, stop func())
}

// OSEnv is the Env of the running process.
func OSEnv() Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a working directory that was removed: relative paths fail later, each with its own message
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	name := "uid-" + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return Env{
		Hostname: host, User: name,
		Args: os.Args[1:], Lookup: os.LookupEnv, Environ: os.Environ(), Dir: dir,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Executable: os.Executable, Now: time.Now, Signals: endSignals,
	}
}

func endSignals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 8)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// get reads a variable; unset and empty are the same.
func (e Env) get(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// collectLess has a command that reads a project, says something about it and ends collect its garbage less often: a plan
// for a thousand hosts takes a fifth less processor time. What is large is collected as ever: hostile input must stay
// below 512 MB. GOGC of the environment wins.
func (a *app) collectLess() {
	if a.env.get("GOGC") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(256 << 20)
	}
}

// manyHosts are so many that what their connections need outweighs all else.
const manyHosts = 300

// collectMore has a run on very many hosts, which holds much for long, collect its garbage more often. GOGC of the
// environment wins.
func (a *app) collectMore(hosts int) {
	if hosts >= manyHosts && a.env.get("GOGC") == "" {
		debug.SetGCPercent(75)
	}
}
