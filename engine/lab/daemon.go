package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Status is what is known of the lab in a directory.
type Status struct {
	Running bool
	PID     int    // of the daemon; 0 when not running
	Dir     string // of the lab
	Key     string // path of the private key that may log in
	Log     string
	Hosts   []Host // empty: there is no lab
}

// ReadyFD is the file descriptor on which the daemon says that it is ready.
const ReadyFD = 3

// readyWord is the daemon's first and only line when all hosts listen; anything else is what went wrong.
const readyWord = "ready"

// startTimeout bounds the start of a daemon, stopTimeout its end.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
)

// Up starts the practice hosts in a detached process and returns when all of them listen. serve is the command line of
// that process, which must come to call Serve with cfg.Dir and ReadyFD. A lab that is up already with the same hosts is
// left as it is (unless cfg.Fresh: that is an error while it runs).
func Up(ctx context.Context, cfg Config, serve []string) (Status, error) {
	if err := cfg.check(); err != nil {
		return Status{}, err
	}
	for _, h := range cfg.Hosts {
		if h.Port == 0 {
			return Status{}, fmt.Errorf("lab up: practice host %s needs a port", h.Name)
		}
	}
	now, err := Read(cfg.Dir)
	if err != nil {
		return now, err
	}
	if now.Running {
		switch {
		case cfg.Fresh:
			return now, errors.New("lab up: the practice hosts are running; take them down before starting afresh")
		case !slices.Equal(now.Hosts, cfg.Hosts):
			return now, errors.New("lab up: practice hosts are running, but others than the project now has; take them down first")
		}
		return now, nil
	}
	l := layout(cfg.Dir)
	if err := l.prepare(cfg); err != nil {
		return Status{}, err
	}
	if err := writeJSON(l.hostsFile(), cfg.Hosts); err != nil {
		return Status{}, fmt.Errorf("lab up: %w", err)
	}
	// The keys are merged here, not by the daemon: a conflict is the caller's to see, before anything listens.
	if err := mergeOwnKeys(l, cfg); err != nil {
		return Status{}, err
	}
	if err := spawn(ctx, l, serve); err != nil {
		return Status{}, err
	}
	return Read(cfg.Dir)
}

// spawn starts the daemon and waits for its word.
func spawn(ctx context.Context, l layout, serve []string) error {
	log, err := os.OpenFile(l.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("lab up: %w", err)
	}
	defer log.Close()
	ready, readyChild, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("lab up: %w", err)
	}
	defer ready.Close()
	cmd := exec.Command(serve[0], serve[1:]...)
	cmd.Dir = string(l)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{readyChild}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	_ = readyChild.Close()
	if err != nil {
		return fmt.Errorf("lab up: %w", err)
	}
	defer func() { _ = cmd.Process.Release() }()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = ready.Close() })()
	line, err := bufio.NewReader(ready).ReadString('\n')
	word := strings.TrimSpace(line)
	switch {
	case word == readyWord:
		return nil
	case word != "":
		return fmt.Errorf("lab up: %s", word)
	case ctx.Err() != nil:
		_ = cmd.Process.Kill()
		return fmt.Errorf("lab up: the daemon did not become ready: %w (log: %s)", ctx.Err(), l.logFile())
	}
	return fmt.Errorf("lab up: the daemon ended before it was ready: %w (log: %s)", err, l.logFile())
}

// Serve is the daemon: it runs the practice hosts that Up described in dir until ctx ends or it is told to stop by
// Down (SIGTERM is the caller's to turn into the end of ctx). It writes one line to ready and closes it.
func Serve(ctx context.Context, dir string, ready io.WriteCloser) error {
	err := serve(ctx, layout(dir), ready)
	if err != nil {
		_, _ = fmt.Fprintln(ready, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	_ = ready.Close()
	return err
}

func serve(ctx context.Context, l layout, ready io.WriteCloser) error {
	lock, err := takeLab(ctx, l)
	if err != nil {
		return err
	}
	defer lock.Close()
	hosts, err := l.readHosts()
	if err != nil {
		return err
	}
	log := zerolog.New(os.Stderr).With().Timestamp().Logger()
	lab, err := Open(Config{Dir: string(l), Hosts: hosts}, log)
	if err != nil {
		return err
	}
	defer lab.Close()
	log.Info().Int("hosts", len(hosts)).Msg("up")
	if _, err := fmt.Fprintln(ready, readyWord); err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	_ = ready.Close()
	<-ctx.Done()
	log.Info().Msg("down")
	return nil
}

// errLocked: a daemon has the lab.
var errLocked = errors.New("the practice hosts are running already")

// takeLab holds the lab for this process until the file is closed or the process ends, however it ends. The file says
// which process that is. It is patient with a Read that looks at the same moment.
func takeLab(ctx context.Context, l layout) (*os.File, error) {
	var f *os.File
	err := retry(ctx, time.Second, func() (err error) {
		f, err = tryLock(l, syscall.LOCK_EX)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", l.lockFile(), err)
	}
	return f, nil
}

// tryLock locks the lab's lock file, or returns errLocked at once.
func tryLock(l layout, how int) (*os.File, error) {
	f, err := os.OpenFile(l.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", l.lockFile(), err)
	}
	return f, nil
}

// retry calls f until it returns something else than errLocked, ctx ends, or patience is at its end.
func retry(ctx context.Context, patience time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := f()
		if !errors.Is(err, errLocked) {
			return err
		}
		select {
		case <-ctx.Done():
			return errLocked
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Read says what is known of the lab in dir. No lab at all is a Status without hosts.
func Read(dir string) (Status, error) {
	l := layout(dir)
	st := Status{Dir: dir, Key: l.clientKey(), Log: l.logFile()}
	hosts, err := l.readHosts()
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.Hosts = hosts
	lock, err := tryLock(l, syscall.LOCK_SH)
	if err == nil {
		return st, lock.Close()
	}
	if !errors.Is(err, errLocked) {
		return st, err
	}
	st.Running = true
	data, err := os.ReadFile(l.lockFile())
	if err != nil {
		return st, fmt.Errorf("lab status: %w", err)
	}
	st.PID, err = strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || st.PID <= 1 {
		return st, fmt.Errorf("lab status: %s names no process; practice hosts are just starting, or the file was changed", l.lockFile())
	}
	return st, nil
}

// Down switches the practice hosts off and returns when the daemon has ended. It returns the status from before: when
// nothing was running, that is no error. Sandboxes, keys and the log stay.
func Down(ctx context.Context, dir string) (Status, error) {
	before, err := Read(dir)
	if err != nil || !before.Running {
		return before, err
	}
	if err := syscall.Kill(before.PID, syscall.SIGTERM); err != nil {
		return before, fmt.Errorf("lab down: stop process %d: %w", before.PID, err)
	}
	err = retry(ctx, stopTimeout, func() error {
		lock, err := tryLock(layout(dir), syscall.LOCK_SH)
		if err != nil {
			return err
		}
		return lock.Close()
	})
	if errors.Is(err, errLocked) {
		err = fmt.Errorf("process %d does not end (log: %s)", before.PID, before.Log)
	}
	if err != nil {
		return before, fmt.Errorf("lab down: %w", err)
	}
	return before, nil
}
