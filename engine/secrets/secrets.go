// Package secrets finds the values of a project's secrets: in the environment, in a file, from a command, from a person,
// or in a file encrypted with age. Every value is made known to the redactor before anyone gets it, and no error holds
// one.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/continuo-runbooks/continuo/runbooks"
)

// Bounds of what a source may give.
const (
	MaxSize        = 64 << 10 // bytes
	CommandTimeout = 30 * time.Second
)

// What can be wrong with a secret. Test with errors.Is.
var (
	ErrNotDeclared = errors.New("not declared in the project")
	ErrNotSet      = errors.New("not set")
	ErrPermissions = errors.New("readable by others")
	ErrEmpty       = errors.New("empty")
	ErrTooLarge    = fmt.Errorf("larger than %d bytes", MaxSize)
	ErrNoRedactor  = errors.New("there is no redactor that would keep it out of the record")
	ErrNobody      = errors.New("nobody to ask")
	ErrNotAge      = errors.New("damaged, or no age file")
	ErrNoIdentity  = errors.New("no age identity can decrypt it")
)

// Options says where secrets come from. What is nil or empty is a source that is not there.
type Options struct {
	Secrets []*runbooks.Secret
	// Dir is the project's directory; relative paths of files start there. Home replaces a leading "~/".
	Dir, Home string
	// LookupEnv reads the environment for env secrets.
	LookupEnv func(name string) (string, bool)
	// Environ is the environment of commands.
	Environ []string
	// Prompt asks a person, without echo.
	Prompt func(ctx context.Context, name string) (string, error)
	// AgeIdentities are paths of identity files as age-keygen writes them.
	AgeIdentities []string
	// Register makes a value known to the redactor. It is called before the value is returned; its error is final.
	Register func(name, value string) error
}

// Resolver resolves secrets once and remembers them. It implements engine.Secrets and is safe for concurrent use: of
// many who ask for the same secret one resolves it, and a person is asked once.
type Resolver struct {
	opts    Options
	secrets map[string]*entry
}

// entry is one secret. turn holds a token that whoever resolves it takes.
type entry struct {
	secret *runbooks.Secret
	turn   chan struct{}
	value  string
	known  bool
}

// New returns a resolver of the declared secrets. Nothing is read yet. Without Register it resolves none: a secret that the
// redactor does not know must not exist.
func New(opts Options) *Resolver {
	r := &Resolver{opts: opts, secrets: make(map[string]*entry, len(opts.Secrets))}
	for _, s := range opts.Secrets {
		r.secrets[s.Name] = &entry{secret: s, turn: make(chan struct{}, 1)}
	}
	return r
}

// Secret returns the value. A source that failed is asked again the next time. When ctx ends while another caller
// resolves the same secret, the context's error is returned.
func (r *Resolver) Secret(ctx context.Context, name string) (string, error) {
	e, ok := r.secrets[name]
	if !ok {
		return "", fmt.Errorf("secret %q: %w", name, ErrNotDeclared)
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("secret %q: %w", name, context.Cause(ctx))
	}
	if e.known {
		return e.value, nil
	}
	value, err := r.resolve(ctx, e.secret)
	if err == nil && value == "" {
		err = ErrEmpty
	}
	if err != nil {
		return "", fmt.Errorf("secret %q from %s: %w", name, source(e.secret), err)
	}
	if r.opts.Register == nil {
		return "", fmt.Errorf("secret %q: %w", name, ErrNoRedactor)
	}
	if err := r.opts.Register(name, value); err != nil {
		return "", err
	}
	e.value, e.known = value, true
	return value, nil
}

// source names where a secret comes from.
func source(s *runbooks.Secret) string {
	switch {
	case s.Env != "":
		return "environment variable " + s.Env
	case s.File != "":
		return "file " + s.File
	case len(s.Command) > 0:
		return "command " + s.Command[0]
	case s.Age != "":
		return "age file " + s.Age
	case s.Prompt:
		return "a person"
	}
	return "nowhere"
}

func (r *Resolver) resolve(ctx context.Context, s *runbooks.Secret) (string, error) {
	switch {
	case s.Env != "":
		return r.fromEnv(s.Env)
	case s.File != "":
		return r.fromFile(s.File)
	case len(s.Command) > 0:
		return r.fromCommand(ctx, s.Command)
	case s.Age != "":
		return r.fromAge(s.Age)
	case s.Prompt:
		return r.fromPerson(ctx, s.Name)
	}
	return "", ErrNotSet
}

func (r *Resolver) fromEnv(name string) (string, error) {
	if r.opts.LookupEnv == nil {
		return "", ErrNotSet
	}
	v, ok := r.opts.LookupEnv(name)
	if !ok {
		return "", ErrNotSet
	}
	return v, nil
}

func (r *Resolver) fromPerson(ctx context.Context, name string) (string, error) {
	if r.opts.Prompt == nil {
		return "", ErrNobody
	}
	return r.opts.Prompt(ctx, name)
}
