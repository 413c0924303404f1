package sshtransport_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
)

// Case 34: nothing insecure is offered, but what a host names; that is recorded.
func TestLegacyAlgorithms(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ config, legacy, key string }{
		"kex":      {"KexAlgorithms diffie-hellman-group14-sha1", "diffie-hellman-group14-sha1", "ed25519"},
		"cipher":   {"Ciphers aes128-cbc", "aes128-cbc", "ed25519"},
		"host key": {"HostKeyAlgorithms ssh-rsa", "ssh-rsa", "rsa"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Config: []string{c.config}, KeyTypes: []string{c.key}})
			var f facts
			tr := open(t, s, func(o *sshtransport.Options) { o.Connected = f.add })
			r := observe(t, tr, s.Host("strict"), echo)
			if c.key == "rsa" {
				requireHostError(t, r.Err, engine.ErrUnreachable, "host-key", "the server offers ssh-rsa", "")
			} else {
				requireHostError(t, r.Err, engine.ErrUnreachable, "handshake", "no common algorithm", "legacy_algorithms")
			}
			require.NotContains(t, s.Log(), "Accepted")
			h := s.Host("old-switch")
			h.Connection.LegacyAlgorithms = []string{c.legacy}
			require.NoError(t, observe(t, tr, h, echo).Err)
			require.Equal(t, []string{c.legacy}, f.last().Legacy)
		})
	}
}

// Case 16: what a dry-run is given has no way to launch, however it is asked.
func TestTransportCannotLaunch(t *testing.T) {
	t.Parallel()
	tr := sshtransport.New(sshtransport.Options{})
	defer tr.Close()
	_, launches := any(tr).(engine.Launcher)
	require.False(t, launches)
	_, err := engine.NewObservation("step", engine.PartCommand, echo)
	require.ErrorIs(t, err, engine.ErrNotAnObservation)
}

// Case 31: a HOME that is not there: the state goes to /var/tmp.
func TestHomeMissing(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{Env: []string{"HOME=/nonsuch/home"}})
	tr := open(t, s, quick)
	suite := transporttest.Suite{Prober: tr, Launcher: tr.Launcher(), Host: s.Host("db-1")}
	p, err := suite.Launcher.Prepare(t.Context(), suite.Host, "")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(p.Incarnation.StateDir, "/var/tmp/.continuo-"), p.Incarnation.StateDir)
	r := suite.Start(t.Context(), t, engine.Command{Argv: []string{"pwd"}})
	require.NoError(t, r.Err)
	require.Equal(t, "/\n", r.Stdout)
}

func TestClosedTransport(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := open(t, s)
	require.NoError(t, tr.Close())
	require.Error(t, observe(t, tr, s.Host("db-1"), echo).Err)
	_, err := tr.Launcher().Prepare(t.Context(), s.Host("db-1"), "")
	require.Error(t, err)
}
