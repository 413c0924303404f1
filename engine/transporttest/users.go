package transporttest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUser is a user made for one test, gone with it.
type TestUser struct{ Name, Password string }

// MakeUser makes a user with a password. Only root can; the test is skipped for others.
func MakeUser(t testing.TB, tag string) TestUser {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make users")
	}
	u := TestUser{Name: "ct" + tag + strconv.FormatInt(time.Now().UnixNano()%1e9, 36), Password: "pw " + tag + ` '"$x\`}
	run(t, "", NeedProgram(t, "useradd"), "-m", "-s", "/bin/sh", u.Name)
	t.Cleanup(func() {
		_ = exec.Command("pkill", "-KILL", "-u", u.Name).Run() // the user is the test's own
		_ = exec.Command("userdel", "-rf", u.Name).Run()
	})
	run(t, u.Name+":"+u.Password+"\n", NeedProgram(t, "chpasswd"))
	return u
}

// Sudoers adds a rule for the user, gone with the test.
func (u TestUser) Sudoers(t testing.TB, rule string) {
	t.Helper()
	NeedProgram(t, "sudo")
	file := "/etc/sudoers.d/" + u.Name
	require.NoError(t, os.WriteFile(file, []byte(fmt.Sprintf("%s %s\n", u.Name, rule)), 0o440))
	t.Cleanup(func() { _ = os.Remove(file) })
}

func run(t testing.TB, stdin, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if stdin != "" {
		in, err := os.CreateTemp(t.TempDir(), "in")
		require.NoError(t, err)
		_, err = in.WriteString(stdin)
		require.NoError(t, err)
		_, err = in.Seek(0, 0)
		require.NoError(t, err)
		defer in.Close()
		cmd.Stdin = in
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", name, out)
}
