package lab

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOpenSSHClient tries the practice hosts with the client that people have.
func TestOpenSSHClient(t *testing.T) {
	t.Parallel()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("no ssh client on this machine")
	}
	l := openLab(t, "jump", "app-a")
	args := func(n int, more ...string) []string {
		return append([]string{
			"-F", "none", "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
			"-o", "UserKnownHostsFile=" + l.KnownHosts(), "-o", "GlobalKnownHostsFile=none", "-o", "IdentityAgent=none",
			"-i", l.Key(), "-l", "drill", "-p", strconv.Itoa(l.Hosts()[n].Port), "127.0.0.1",
		}, more...)
	}
	t.Run("a command", func(t *testing.T) {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), ssh, args(1, "cat; echo err >&2; exit 9")...)
		cmd.Stdin = strings.NewReader("in\n")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "stderr: %s", stderr.String())
		require.Equal(t, 9, exit.ExitCode(), "stderr: %s", stderr.String())
		require.Equal(t, "in\n", string(out))
		require.Contains(t, stderr.String(), "err\n")
	})
	t.Run("a shell", func(t *testing.T) {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), ssh, args(1)...)
		cmd.Stdin = strings.NewReader("echo $CONTINUO_LAB_HOST\n")
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, "app-a\n", string(out))
	})
}
