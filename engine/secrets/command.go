package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// fromCommand runs argv without a shell and takes its output without the last newline. What it prints to stderr is not
// shown: it may quote the secret.
func (r *Resolver) fromCommand(ctx context.Context, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, CommandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = r.opts.Dir, r.opts.Environ
	cmd.WaitDelay = time.Second
	var out limited
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case out.over:
		return "", ErrTooLarge
	case context.Cause(ctx) != nil && err != nil:
		return "", fmt.Errorf("gave up: %w", context.Cause(ctx))
	case errors.As(err, &exit):
		return "", fmt.Errorf("ended with %s; run it by hand to see why", exit.ProcessState)
	case err != nil:
		return "", err
	}
	return withoutNewline(out.buf.String()), nil
}

// limited keeps at most MaxSize bytes and makes the command fail beyond.
type limited struct {
	buf  bytes.Buffer // not embedded: its ReadFrom knows no bound
	over bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > MaxSize {
		l.over = true
		return 0, ErrTooLarge
	}
	return l.buf.Write(p)
}
