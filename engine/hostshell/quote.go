package hostshell

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
)

// Quote makes one word of a POSIX shell from s, whatever is in it. NUL cannot be in a word: see checkCommand.
func Quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}

// newNonce returns 128 random bits in hex. crypto/rand never fails.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reservedEnv reports whether a shell refuses to set the variable, with the end of the shell as the consequence.
func reservedEnv(name string) bool {
	switch name {
	case "UID", "EUID", "PPID", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO":
		return true
	}
	return false
}

var errNUL = errors.New("a NUL byte cannot be part of a command")

// checkCommand refuses what cannot be said to a shell. Errors never hold values.
func checkCommand(c engine.Command) error {
	if len(c.Argv) > 0 && c.Script != "" {
		return errors.New("a command has either argv or a script, not both")
	}
	if len(c.Interpreter) > 0 && c.Interpreter[0] == "" {
		return errors.New("the interpreter has no name")
	}
	for _, w := range append(append([]string{c.Script, c.WorkingDir, c.Become}, c.Argv...), c.Interpreter...) {
		if strings.ContainsRune(w, 0) {
			return errNUL
		}
	}
	if len(c.Argv) > 0 && (c.Argv[0] == "" || strings.HasPrefix(c.Argv[0], "-")) {
		return fmt.Errorf("%q is not the name of a program", c.Argv[0])
	}
	for _, e := range c.Env {
		switch {
		case !envName.MatchString(e.Name):
			return fmt.Errorf("%q is not the name of an environment variable", e.Name)
		case reservedEnv(e.Name):
			return fmt.Errorf("the environment variable %s belongs to the shell and cannot be set", e.Name)
		case strings.ContainsRune(e.Value, 0):
			return fmt.Errorf("environment variable %s: %w", e.Name, errNUL)
		}
	}
	return checkUser(c.Become)
}

// checkUser refuses user names that sudo would take for something else.
func checkUser(name string) error {
	if strings.HasPrefix(name, "-") || strings.ContainsAny(name, "\x00\n") {
		return fmt.Errorf("%q is not the name of a user", name)
	}
	return nil
}

func interpreterOf(c engine.Command) []string {
	if len(c.Interpreter) == 0 {
		return []string{"/bin/sh", "-eu"}
	}
	return c.Interpreter
}

// program is what must exist on the host for the command to run.
func program(c engine.Command) string {
	if len(c.Argv) > 0 {
		return c.Argv[0]
	}
	return interpreterOf(c)[0]
}
