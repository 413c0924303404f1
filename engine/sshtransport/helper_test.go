package sshtransport_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

// fast makes dial errors final at once.
var fast = sshtransport.DialLimits{Attempts: 1}

// open returns a transport that knows the server's keys and ends with the test.
func open(t testing.TB, s *transporttest.SSHD, change ...func(*sshtransport.Options)) *sshtransport.Transport {
	t.Helper()
	o := sshtransport.Options{KnownHosts: []string{s.KnownHosts}, Dial: fast}
	for _, c := range change {
		c(&o)
	}
	tr := sshtransport.New(o)
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	return tr
}

func observe(t testing.TB, p engine.Prober, h *runbooks.Host, c engine.Command) transporttest.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return transporttest.Observe(ctx, t, p, h, c)
}

// requireHostError asserts the kind of a HostError, what it says and what it hints at.
func requireHostError(t testing.TB, err error, is error, kind, says, hint string) {
	t.Helper()
	var he *engine.HostError
	require.ErrorAs(t, err, &he)
	require.ErrorIs(t, err, is)
	require.Equal(t, kind, he.Kind, "%v", err)
	require.Contains(t, err.Error(), says)
	require.Contains(t, he.Hint, hint)
	require.NotContains(t, err.Error(), "\n")
}

// secrets is engine.Secrets from a map.
type secrets map[string]string

func (s secrets) Secret(_ context.Context, name string) (string, error) {
	v, ok := s[name]
	if !ok {
		return "", errors.New("no such secret")
	}
	return v, nil
}

func startForbidding(t testing.TB) *transporttest.SSHD {
	t.Helper()
	return transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{"AllowTcpForwarding no"}})
}
