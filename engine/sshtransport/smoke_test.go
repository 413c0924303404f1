package sshtransport_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/engine/sshtransport"
	"github.com/continuo-runbooks/continuo/engine/transporttest"
	"github.com/continuo-runbooks/continuo/runbooks"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	s := transporttest.StartSSHD(t, transporttest.SSHDOptions{})
	tr := sshtransport.New(sshtransport.Options{KnownHosts: []string{s.KnownHosts}, Connected: func(c engine.HostConnected) { t.Logf("%+v", c) }})
	defer tr.Close()
	h := s.Host("db-1")
	for _, c := range []engine.Command{
		{Argv: []string{"printf", `a\0b%s`, "it's $x `y`\n"}},
		{Script: "echo $0; echo err >&2; kill -9 $$"},
		{Script: "echo $A; cat; exit 255", Env: []engine.Env{{Name: "A", Value: "x'\ny"}}, Stdin: []byte("in\x00put")},
		{Script: "import sys\nprint(sys.version_info[0])", Interpreter: []string{"python3"}},
		{Argv: []string{"nonsuch"}},
		{Script: "sleep 30 & exit 3"},
	} {
		var out, errw bytes.Buffer
		o, err := engine.NewObservation(runbooks.Check, engine.PartCommand, c)
		require.NoError(t, err)
		st, err := tr.Observe(context.Background(), h, o, engine.OutputSink{Stdout: &out, Stderr: &errw})
		t.Logf("%+v %v out=%q err=%q", st, err, out.String(), errw.String())
	}
	r, err := tr.Preflight(context.Background(), h, engine.PreflightRequest{Becomes: []string{"nobody"}, Programs: []string{"psql", "ls"}, Interpreters: []string{"/bin/sh"}, Steps: true})
	require.NoError(t, err)
	for _, c := range r.Checks {
		t.Logf("%+v", c)
	}
	t.Logf("%+v", r)
	for _, a := range []string{"127.0.0.1:1", s.Host("x").Address + ":22222", "nosuch.invalid:80"} {
		st, err := tr.ProbeTCP(context.Background(), h, a)
		t.Log(a, st, err)
	}
}
