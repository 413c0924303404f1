package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/engine/secrets"
	"github.com/continuo-runbooks/continuo/runbooks"
)

const value = "correct horse battery"

var _ engine.Secrets = (*secrets.Resolver)(nil)

func write(t *testing.T, name, data string, perm os.FileMode) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(data), perm))
	require.NoError(t, os.Chmod(name, perm))
}

// encrypt returns an age file for the recipient.
func encrypt(t *testing.T, text string, armored bool, to age.Recipient) string {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	if !armored {
		return out.String()
	}
	var text2 bytes.Buffer
	a := armor.NewWriter(&text2)
	_, err = a.Write(out.Bytes())
	require.NoError(t, err)
	require.NoError(t, a.Close())
	return text2.String()
}

// project lays out one file of each kind and returns options that know them.
func project(t *testing.T) secrets.Options {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good"), value+"\n", 0o600)
	write(t, filepath.Join(dir, "readonly"), value+"\r\n", 0o400)
	write(t, filepath.Join(dir, "group"), value, 0o640)
	write(t, filepath.Join(dir, "world"), value, 0o604)
	write(t, filepath.Join(dir, "empty"), "\n", 0o600)
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", secrets.MaxSize+1), 0o600)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))

	id, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	write(t, filepath.Join(dir, "identity"), "# made for a test\n"+id.String()+"\n", 0o600)

	write(t, filepath.Join(dir, "db.age"), encrypt(t, value+"\n", false, id.Recipient()), 0o644)
	write(t, filepath.Join(dir, "db.asc"), encrypt(t, value, true, id.Recipient()), 0o644)
	write(t, filepath.Join(dir, "other.age"), encrypt(t, value, false, other.Recipient()), 0o644)
	write(t, filepath.Join(dir, "torn.age"), encrypt(t, value, false, id.Recipient())[:210], 0o644)
	return secrets.Options{
		Dir: dir, Home: dir, AgeIdentities: []string{"~/identity"},
		LookupEnv: func(name string) (string, bool) {
			v, ok := map[string]string{"DB": value, "NONE": "", "SHORT": "abc"}[name]
			return v, ok
		},
		Environ: []string{"PATH=/usr/bin:/bin", "TOKEN=" + value},
		Prompt:  func(context.Context, string) (string, error) { return value, nil },
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	opts := project(t)
	for name, c := range map[string]struct {
		secret runbooks.Secret
		want   error
		text   string
	}{
		"env":                {secret: runbooks.Secret{Env: "DB"}},
		"env not set":        {runbooks.Secret{Env: "OTHER"}, secrets.ErrNotSet, "environment variable OTHER: not set"},
		"env empty":          {runbooks.Secret{Env: "NONE"}, secrets.ErrEmpty, "empty"},
		"env too short":      {runbooks.Secret{Env: "SHORT"}, redact.ErrTooShort, "shorter than 6"},
		"file":               {secret: runbooks.Secret{File: "good"}},
		"file, CRLF":         {secret: runbooks.Secret{File: "readonly"}},
		"file, absolute":     {secret: runbooks.Secret{File: filepath.Join(opts.Dir, "good")}},
		"file, home":         {secret: runbooks.Secret{File: "~/good"}},
		"file of the group":  {runbooks.Secret{File: "group"}, secrets.ErrPermissions, "has mode 0640"},
		"file of the world":  {runbooks.Secret{File: "world"}, secrets.ErrPermissions, "chmod 600"},
		"file missing":       {runbooks.Secret{File: "none"}, os.ErrNotExist, "file none: open"},
		"file empty":         {runbooks.Secret{File: "empty"}, secrets.ErrEmpty, ""},
		"file too large":     {runbooks.Secret{File: "large"}, secrets.ErrTooLarge, ""},
		"file is a pipe":     {runbooks.Secret{File: "pipe"}, nil, "not a regular file"},
		"file is directory":  {runbooks.Secret{File: "."}, nil, "not a regular file"},
		"command":            {secret: runbooks.Secret{Command: []string{"cat", "good"}}},
		"command, own env":   {secret: runbooks.Secret{Command: []string{"printenv", "TOKEN"}}},
		"command fails":      {runbooks.Secret{Command: []string{"sh", "-c", "cat good >&2; exit 3"}}, nil, "ended with exit status 3"},
		"command missing":    {runbooks.Secret{Command: []string{"/nonexistent/pass"}}, os.ErrNotExist, "command /nonexistent/pass"},
		"command, too much":  {runbooks.Secret{Command: []string{"cat", "/dev/zero"}}, secrets.ErrTooLarge, ""},
		"command, no output": {runbooks.Secret{Command: []string{"true"}}, secrets.ErrEmpty, ""},
		"age":                {secret: runbooks.Secret{Age: "db.age"}},
		"age, armored":       {secret: runbooks.Secret{Age: "db.asc"}},
		"age for another":    {runbooks.Secret{Age: "other.age"}, secrets.ErrNoIdentity, "age file other.age"},
		"age, torn":          {runbooks.Secret{Age: "torn.age"}, secrets.ErrNotAge, "age file torn.age"},
		"age, no age file":   {runbooks.Secret{Age: "good"}, secrets.ErrNotAge, "age file good"},
		"age, missing":       {runbooks.Secret{Age: "none.age"}, os.ErrNotExist, ""},
		"prompt":             {secret: runbooks.Secret{Prompt: true}},
		"no source":          {runbooks.Secret{}, secrets.ErrNotSet, "from nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			red := redact.New()
			s := c.secret
			s.Name = "db"
			o := opts
			o.Secrets, o.Register = []*runbooks.Secret{&s}, red.Add
			got, err := secrets.New(o).Secret(t.Context(), "db")
			if c.want == nil && c.text == "" {
				require.NoError(t, err)
				require.Equal(t, value, got)
				require.Equal(t, "[redacted:db]", red.Redact(got), "known to the redactor before it is returned")
				return
			}
			require.Error(t, err)
			require.Empty(t, got)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
			require.ErrorContains(t, err, c.text)
			require.ErrorContains(t, err, `secret "db"`)
			require.NotContains(t, err.Error(), value, "errors never hold the value")
		})
	}
}

func TestMissingSources(t *testing.T) {
	t.Parallel()
	open := project(t)
	write(t, filepath.Join(open.Dir, "bad-identity"), value, 0o600)
	for name, c := range map[string]struct {
		secret     runbooks.Secret
		identities []string
		want       string
	}{
		"nobody to ask":      {runbooks.Secret{Prompt: true}, nil, "nobody to ask"},
		"no environment":     {runbooks.Secret{Env: "DB"}, nil, "not set"},
		"no identity":        {runbooks.Secret{Age: "db.age"}, nil, "no identity file is given"},
		"identity missing":   {runbooks.Secret{Age: "db.age"}, []string{"none"}, "age identity: open"},
		"identity is open":   {runbooks.Secret{Age: "db.age"}, []string{"world"}, "readable by others"},
		"identity malformed": {runbooks.Secret{Age: "db.age"}, []string{"bad-identity"}, "not an identity file as age-keygen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.secret
			s.Name = "db"
			r := secrets.New(secrets.Options{
				Secrets: []*runbooks.Secret{&s}, Dir: open.Dir, AgeIdentities: c.identities,
				Register: func(string, string) error { return nil },
			})
			_, err := r.Secret(t.Context(), "db")
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), value)
			_, err = r.Secret(t.Context(), "other")
			require.ErrorIs(t, err, secrets.ErrNotDeclared)
		})
	}
	r := secrets.New(secrets.Options{
		Secrets: []*runbooks.Secret{{Name: "db", Env: "DB"}}, LookupEnv: func(string) (string, bool) { return value, true },
	})
	got, err := r.Secret(t.Context(), "db")
	require.ErrorIs(t, err, secrets.ErrNoRedactor)
	require.Empty(t, got)
}

func TestASecretIsResolvedOnce(t *testing.T) {
	t.Parallel()
	var asked, registered atomic.Int32
	r := secrets.New(secrets.Options{
		Secrets:  []*runbooks.Secret{{Name: "db", Prompt: true}},
		Prompt:   func(context.Context, string) (string, error) { asked.Add(1); return value, nil },
		Register: func(string, string) error { registered.Add(1); return nil },
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			got, err := r.Secret(context.Background(), "db")
			require.NoError(t, err)
			require.Equal(t, value, got)
		})
	}
	wg.Wait()
	require.Equal(t, int32(1), asked.Load())
	require.Equal(t, int32(1), registered.Load())
}

func TestAFailureIsNotRememberedAndAWaiterCanLeave(t *testing.T) {
	t.Parallel()
	begun, answer := make(chan struct{}), make(chan error)
	r := secrets.New(secrets.Options{
		Secrets: []*runbooks.Secret{{Name: "db", Prompt: true}},
		Prompt: func(context.Context, string) (string, error) {
			begun <- struct{}{}
			return value, <-answer
		},
		Register: func(string, string) error { return nil },
	})
	first := make(chan error, 1)
	go func() { _, err := r.Secret(context.Background(), "db"); first <- err }()
	<-begun
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := r.Secret(ctx, "db")
	require.ErrorIs(t, err, context.Canceled, "who waits for another's answer can leave")
	refused := errors.New("no terminal")
	answer <- refused
	require.ErrorIs(t, <-first, refused)

	go func() { _, err := r.Secret(context.Background(), "db"); first <- err }()
	<-begun
	answer <- nil
	require.NoError(t, <-first)
}

func TestASecretThatCannotBeRegisteredIsNotReturned(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	r := secrets.New(secrets.Options{
		Secrets:  []*runbooks.Secret{{Name: "db", Prompt: true}},
		Prompt:   func(context.Context, string) (string, error) { return value, nil },
		Register: func(string, string) error { return refused },
	})
	got, err := r.Secret(t.Context(), "db")
	require.ErrorIs(t, err, refused)
	require.Empty(t, got)
}
