package scope_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

func parse(t testing.TB, text string) *expr.Expr {
	t.Helper()
	e, ds := expr.Parse(text, "x.hcl")
	require.Empty(t, ds, text)
	return e
}

func local(t testing.TB, name, text string) runbooks.Local {
	t.Helper()
	return runbooks.Local{Name: name, Value: parse(t, text), Range: diag.Range{File: "x.hcl", Start: diag.Pos{Line: 1, Column: 1}}}
}

// inputs is a project with one of everything.
func inputs(t testing.TB) scope.Inputs {
	t.Helper()
	db := &runbooks.Host{Name: "db-b1", Address: "10.2.0.11", Port: 22, Site: "b", Environment: runbooks.Production,
		Labels: map[string]string{"tier": "db"}}
	web := &runbooks.Host{Name: "web1.example.org", Address: "10.2.0.21", Port: 2222, Site: "a", Environment: runbooks.Staging}
	command := func(script string) *runbooks.Command { return &runbooks.Command{Script: parse(t, script)} }
	child := &runbooks.Runbook{
		Name: "child",
		Phases: []*runbooks.Phase{{Name: "p", Items: []*runbooks.Item{
			{Kind: runbooks.Step, Name: "go", Hosts: parse(t, `host.db-b1`), Command: command(`"true"`)},
		}}},
		Outputs: []runbooks.Local{local(t, "code", `step.go.exit_code`), local(t, "text", `step.go.stdout`)},
	}
	rb := &runbooks.Runbook{
		Name: "failover",
		Variables: []*runbooks.Variable{
			{Name: "max_lag", Type: expr.NumberType(), Default: parse(t, `30`)},
			{Name: "target", Type: expr.HostType()},
			{Name: "pw", Type: expr.StringType(), Sensitive: true},
		},
		Locals: []runbooks.Local{
			local(t, "limit", `var.max_lag * 2`), local(t, "behind", `check.lag.lag > local.limit`),
			local(t, "me", `"${self.name}:${local.limit}"`), local(t, "hosts", `group.all`), local(t, "shared", `"runbook"`),
		},
		Phases: []*runbooks.Phase{{Name: "p", Items: []*runbooks.Item{
			{Kind: runbooks.Check, Name: "lag", Hosts: parse(t, `host.db-b1`), Command: command(`"true"`),
				Captures: []runbooks.Capture{{Name: "lag", Type: expr.NumberType()}}},
			{Kind: runbooks.Check, Name: "all", Hosts: parse(t, `local.hosts`), Command: command(`"true"`)},
			{Kind: runbooks.Check, Name: "port", TCP: &runbooks.TCPProbe{Address: parse(t, `"h:1"`)}},
			{Kind: runbooks.Check, Name: "page", HTTP: &runbooks.HTTPProbe{URL: parse(t, `"https://h"`)}},
			{Kind: runbooks.Step, Name: "each", Hosts: parse(t, `group.all`), ForEach: parse(t, `["a", "b"]`), Command: command(`"true"`)},
			{Kind: runbooks.Step, Name: "token", Hosts: parse(t, `host["web1.example.org"]`), Command: command(`"true"`),
				Captures: []runbooks.Capture{{Name: "token", Type: expr.StringType(), Sensitive: true}}},
			{Kind: runbooks.Step, Name: "picked", Command: command(`"true"`),
				Hosts: parse(t, `check.lag.lag > 3 ? host.db-b1 : host["web1.example.org"]`)},
			{Kind: runbooks.Step, Name: "some", Command: command(`"true"`), Hosts: parse(t, `[for h in inventory : h if check.all.by_host[h.name].ok]`)},
			{Kind: runbooks.Transfer, Name: "conf", Hosts: parse(t, `host.db-b1`)},
			{Kind: runbooks.Decision, Name: "way", Options: []string{"go", "stop"}},
			{Kind: runbooks.Gate, Name: "promote"},
			{Kind: runbooks.Manual, Name: "smoke", Inputs: []runbooks.Input{
				{Name: "ticket", Type: expr.StringType()}, {Name: "code", Type: expr.StringType(), Sensitive: true}}},
			{Kind: runbooks.Call, Name: "db", Runbook: "child"},
			{Kind: runbooks.Assert, Name: "sane", Condition: parse(t, `true`)},
		}}},
	}
	return scope.Inputs{
		Project: &runbooks.Project{
			Name: "payments", Hosts: []*runbooks.Host{db, web},
			Groups:  []*runbooks.Group{{Name: "all", Hosts: []*runbooks.Host{db, web}}, {Name: "none"}},
			Roles:   []*runbooks.Role{{Name: "boss", Members: []string{"alice@example.org"}}},
			Secrets: []*runbooks.Secret{{Name: "sudo", Env: "X"}, {Name: "later", Env: "Y"}},
			Locals:  []runbooks.Local{local(t, "shared", `"project"`), local(t, "script", `file("run.sh")`)},
			Files:   []runbooks.File{{Path: "run.sh", Data: []byte("echo\n")}}, Runbooks: []*runbooks.Runbook{rb, child},
		},
		Runbook: rb,
		Variables: map[string]expr.Value{
			"max_lag": expr.Int(5), "target": expr.String("db-b1"), "pw": expr.String("hunter2"),
		},
		Secrets: map[string]string{"sudo": "opensesame"},
		Run: &scope.Run{ID: "r1", Mode: "live", Operator: "op@example.org", Change: "CHG-1",
			StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
	}
}

func base(t testing.TB, in scope.Inputs) *expr.Scope {
	t.Helper()
	s, ds := scope.Base(in)
	require.Empty(t, ds)
	return s
}

func eval(t testing.TB, s *expr.Scope, text string) string {
	t.Helper()
	v, ds := parse(t, text).Eval(s)
	require.Empty(t, ds, text)
	return v.String()
}

func TestBase(t *testing.T) {
	t.Parallel()
	s := base(t, inputs(t))
	tests := map[string]string{
		`var.max_lag`:                   "5",
		`var.target.address`:            "10.2.0.11",
		`var.target == host.db-b1`:      "true",
		`var.pw`:                        "(sensitive)",
		`local.limit`:                   "10",
		`local.shared`:                  "runbook",
		`local.script`:                  "echo\n",
		`host["web1.example.org"].port`: "2222",
		`host.db-b1.labels.tier`:        "db",
		`try(host["web1.example.org"].labels.tier, "none")`: "none",
		`host["web1.example.org"].owner`:                    "",
		`[for h in inventory : h.name]`:                     `["db-b1","web1.example.org"]`,
		`[for h in group.all : h.site]`:                     `["b","a"]`,
		`length(group.none)`:                                "0",
		`contains(group.all, host.db-b1)`:                   "true",
		`length(true ? group.all : group.none)`:             "2",
		`role.boss.members[0]`:                              "alice@example.org",
		`secret.sudo`:                                       "(sensitive)",
		`secret.later`:                                      "(sensitive)",
		`control.name`:                                      "control",
		`run.id`:                                            "r1",
		`run.started_at`:                                    "2026-01-02T03:04:05Z",
		`run.incident`:                                      "",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, eval(t, s, text))
		})
	}
}

func TestSecretsAreRevealedOnlyOnRequest(t *testing.T) {
	t.Parallel()
	v, ds := parse(t, `"x-${secret.sudo}"`).Eval(base(t, inputs(t)))
	require.Empty(t, ds)
	_, err := v.Text()
	require.ErrorIs(t, err, expr.ErrSensitive)
	text, err := v.Reveal()
	require.NoError(t, err)
	require.Equal(t, "x-opensesame", text)

	v, ds = parse(t, `secret.later`).Eval(base(t, inputs(t)))
	require.Empty(t, ds)
	_, err = v.Reveal()
	require.ErrorIs(t, err, expr.ErrUnknown)
}

func TestBaseErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ code, summary, hint string }{
		`var.max_lga`:            {expr.CodeNoAttribute, "there is no var max_lga", "did you mean var.max_lag?"},
		`host.db-b2`:             {expr.CodeNoAttribute, "there is no host db-b2", "did you mean host.db-b1?"},
		`group.al`:               {expr.CodeNoAttribute, "there is no group al", "did you mean group.all?"},
		`secret.sudoo`:           {expr.CodeNoAttribute, "there is no secret sudoo", "did you mean secret.sudo?"},
		`role.bos`:               {expr.CodeNoAttribute, "there is no role bos", "did you mean role.boss?"},
		`local.limti`:            {expr.CodeNoAttribute, "there is no local limti", "did you mean local.limit?"},
		`check.lag.lag`:          {expr.CodeNotHere, "check does not exist here", ""},
		`run.operatr`:            {expr.CodeNoAttribute, "run has no operatr", "did you mean operator?"},
		`host.db-b1.labels.teir`: {expr.CodeNoAttribute, "host.db-b1.labels has no teir", "did you mean tier?"},
		`file("run.hs")`: {expr.CodeFunction, "file run.hs is not part of the project as it was loaded; did you mean run.sh?",
			"paths are relative to the project, with /, and stay inside it"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := parse(t, text).Eval(base(t, inputs(t)))
			require.True(t, v.Absent())
			require.Len(t, ds, 1)
			require.Equal(t, want.code, ds[0].Code)
			require.Equal(t, want.summary, ds[0].Summary)
			require.Equal(t, want.hint, ds[0].Hint)
		})
	}
}

func TestLocalsThatDependOnThePlace(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s := base(t, in)
	for _, h := range in.Project.Hosts {
		at := scope.At(s, scope.Place{Self: h})
		require.Equal(t, h.Name+":10", eval(t, at, `local.me`))
	}
	_, ds := parse(t, `local.me`).Eval(s)
	require.Len(t, ds, 1)
	require.Equal(t, expr.CodeNotHere, ds[0].Code)
}

func TestLocalCircle(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	in.Runbook.Locals = []runbooks.Local{
		local(t, "a", `local.b`), local(t, "b", `"${local.c}"`), local(t, "c", `local.a + 1`), local(t, "d", `local.a`),
		local(t, "self", `local.self`),
	}
	s, ds := scope.Base(in)
	require.Len(t, ds, 2)
	require.Equal(t, scope.CodeLocalCycle, ds[0].Code)
	require.Equal(t, "locals need one another: a → b → c → a", ds[0].Summary)
	require.Len(t, ds[0].Related, 3)
	require.Equal(t, "c needs a", ds[0].Related[2].Message)
	require.Equal(t, "locals need one another: self → self", ds[1].Summary)
	for _, name := range []string{"a", "b", "c", "d", "self"} {
		_, ds := parse(t, "local."+name).Eval(s)
		require.NotEmpty(t, ds, name)
	}
}

func TestLongChainOfLocals(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	in.Runbook.Locals = nil
	for i := range 5000 {
		in.Runbook.Locals = append(in.Runbook.Locals, local(t, fmt.Sprintf("x%04d", i), fmt.Sprintf("local.x%04d", i+1)))
	}
	in.Runbook.Locals = append(in.Runbook.Locals, local(t, "x5000", "1"))
	_, ds := scope.Base(in)
	require.True(t, ds.HasErrors())
	require.Contains(t, ds[0].Summary, "too many others in a row")
}

func TestPlannedResults(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s, ds := scope.WithResults(base(t, in), in, nil, true)
	require.Empty(t, ds)
	tests := map[string]string{ // expression to type
		`check.lag.lag`:                                 "number",
		`check.lag.ok`:                                  "bool",
		`check.lag.outcome`:                             "string",
		`check.lag.exit_code`:                           "number",
		`check.lag.by_host["db-b1"].stdout`:             "string",
		`check.all.by_host["web1.example.org"].ok`:      "bool",
		`[for h, r in check.all.by_host : r.exit_code]`: "tuple([number, number])",
		`check.port.state`:                              "string",
		`check.page.status`:                             "number",
		`step.each.by_key["a"].by_host["db-b1"].stdout`: "string",
		`step.token.token`:                              "string",
		`step.picked.exit_code`:                         "number",
		`step.some.by_host["db-b1"].exit_code`:          "number",
		`transfer.conf.changed`:                         "bool",
		`transfer.conf.sha256`:                          "string",
		`decision.way.choice`:                           "string",
		`gate.promote.approved_by`:                      "list(string)",
		`manual.smoke.inputs.ticket`:                    "string",
		`call.db.outputs.code`:                          "number",
		`call.db.outputs.text`:                          "string",
		`call.db.step.go.exit_code`:                     "number",
		`assert.sane.ok`:                                "bool",
		`local.behind`:                                  "bool",
		`check.all.by_host[local.me].ok`:                "any",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := parse(t, text).Eval(s.With(map[string]expr.Value{"self": expr.Unknown(expr.HostType())}))
			require.Empty(t, ds)
			require.False(t, v.Known())
			require.Equal(t, want, v.Type().String())
		})
	}
}

func TestPlannedResultsKeepSecrets(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s, _ := scope.WithResults(base(t, in), in, nil, true)
	for _, text := range []string{
		`step.token.token`, `step.token.stdout`, `step.token.stderr`, `step.token.by_host["web1.example.org"].token`,
		`manual.smoke.inputs.code`,
	} {
		v, ds := parse(t, text).Eval(s)
		require.Empty(t, ds, text)
		require.True(t, v.IsSensitive(), text)
	}
	for _, text := range []string{`step.token.ok`, `step.token.exit_code`, `manual.smoke.inputs.ticket`} {
		v, ds := parse(t, text).Eval(s)
		require.Empty(t, ds, text)
		require.False(t, v.IsSensitive(), text)
	}
}

func TestPlannedErrors(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s, _ := scope.WithResults(base(t, in), in, nil, true)
	tests := map[string]struct{ summary, hint string }{
		`check.lag.exti_code`:           {"check.lag has no exti_code", "did you mean exit_code?"},
		`check.lga.ok`:                  {"there is no check lga", "did you mean check.lag?"},
		`check.all.stdout`:              {"check.all has no stdout", "say which: check.all.by_host[…].stdout"},
		`step.each.stdout`:              {"step.each has no stdout", "say which: step.each.by_key[…].stdout"},
		`check.all.by_host["db-b2"].ok`: {`check.all.by_host has no db-b2`, "did you mean db-b1?"},
		`step.some.stdout`:              {"step.some has no stdout", "say which: step.some.by_host[…].stdout"},
		`manual.smoke.inputs.tikcet`:    {"manual.smoke.inputs has no tikcet", "did you mean ticket?"},
		`call.db.outputs.cod`:           {"call.db.outputs has no cod", "did you mean code?"},
		`call.db.step.og.ok`:            {"call.db.step has no og", "did you mean go?"},
		`check.lag.lag-1`:               {"check.lag has no lag-1", "for a subtraction put spaces around the minus: lag - 1"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := parse(t, text).Eval(s)
			require.True(t, v.Absent())
			require.Len(t, ds, 1)
			require.Equal(t, expr.CodeNoAttribute, ds[0].Code)
			require.Equal(t, want.summary, ds[0].Summary)
			require.Equal(t, want.hint, ds[0].Hint)
		})
	}
}

func ran(data map[string]expr.Value) scope.Unit {
	return scope.Unit{Started: true, Outcome: "succeeded", OK: true, Data: data}
}

func TestResultsAtRunTime(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	lag := ran(map[string]expr.Value{"lag": expr.Int(42), "stdout": expr.String("42"), "exit_code": expr.Int(0)})
	away := scope.Unit{Outcome: "unreachable"}
	results := map[runbooks.ItemID]scope.Result{
		"check.lag": {Unit: lag, Single: true, ByHost: map[string]scope.Unit{"db-b1": lag}},
		"check.all": {Unit: scope.Unit{Started: true, Outcome: "failed"},
			ByHost: map[string]scope.Unit{"db-b1": lag, "web1.example.org": away}},
		"step.each": {Unit: ran(nil), ByKey: map[string]scope.Result{
			"a": {Unit: ran(nil), ByHost: map[string]scope.Unit{"db-b1": lag}}}},
		"step.token": {Unit: ran(map[string]expr.Value{"token": expr.String("s3cret-token"), "stdout": expr.String("s3cret-token")}),
			Single: true},
		"decision.way":    {Unit: ran(map[string]expr.Value{"choice": expr.String("go")})},
		"gate.promote":    {Unit: ran(map[string]expr.Value{"approved_by": expr.ListOf(expr.StringType(), expr.String("a@b"))})},
		"manual.smoke":    {Unit: ran(map[string]expr.Value{"inputs": expr.Object(map[string]expr.Value{"ticket": expr.String("T-1"), "code": expr.String("hunter22")})})},
		"call.db":         {Unit: ran(map[string]expr.Value{"outputs": expr.Object(map[string]expr.Value{"code": expr.Int(3)})})},
		"call.db.step.go": {Unit: ran(map[string]expr.Value{"exit_code": expr.Int(3)}), Single: true},
	}
	s, ds := scope.WithResults(base(t, in), in, results, false)
	require.Empty(t, ds)
	tests := map[string]string{
		`check.lag.lag`:                     "42",
		`check.lag.ok && check.lag.started`: "true",
		`local.behind`:                      "true",
		`local.limit`:                       "10",
		`check.all.ok`:                      "false",
		`check.all.by_host["web1.example.org"].outcome`:          "unreachable",
		`[for h, r in check.all.by_host : h if r.ok]`:            `["db-b1"]`,
		`try(check.all.by_host["web1.example.org"].stdout, "-")`: "-",
		`step.each.by_key["a"].by_host["db-b1"].lag`:             "42",
		`step.token.token`:            "(sensitive)",
		`step.token.stdout`:           "(sensitive)",
		`decision.way.choice == "go"`: "true",
		`gate.promote.approved_by`:    `["a@b"]`,
		`manual.smoke.inputs.ticket`:  "T-1",
		`manual.smoke.inputs.code`:    "(sensitive)",
		`call.db.outputs.code`:        "3",
		`call.db.step.go.exit_code`:   "3",
		`step.picked.started`:         "false",
		`step.picked.outcome`:         "not-reached",
		`step.picked.ok`:              "false",
		`can(step.picked.stdout)`:     "false",
		`can(manual.smoke.ok)`:        "true",
		`length(step.picked.by_host)`: "0",
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, eval(t, s, text))
		})
	}
}

func TestAbsentDataIsAnErrorThatSaysWhy(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s, _ := scope.WithResults(base(t, in), in, nil, false)
	_, ds := parse(t, `step.picked.stdout`).Eval(s)
	require.Len(t, ds, 1)
	require.Equal(t, expr.CodeNoData, ds[0].Code)
	require.Equal(t, "step.picked has no stdout", ds[0].Summary)
	require.Equal(t, "It has left no such data: its outcome is not-reached.", ds[0].Detail)
}

func TestDryRunKeepsWhatItKnows(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	one := ran(map[string]expr.Value{"lag": expr.Int(3)})
	s, _ := scope.WithResults(base(t, in), in, map[runbooks.ItemID]scope.Result{
		"check.lag": {Unit: one, Single: true, ByHost: map[string]scope.Unit{"db-b1": one}},
	}, true)
	require.Equal(t, "3", eval(t, s, `check.lag.lag`))
	require.Equal(t, "(not known yet)", eval(t, s, `step.picked.stdout`))
}

func TestPlace(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s := scope.At(base(t, in), scope.Place{
		Self: in.Project.Hosts[0], Each: &expr.Keyed{Key: "k", Value: expr.Int(1)}, Batch: []*runbooks.Host{in.Project.Hosts[1]},
		Result:  map[string]expr.Value{"lag": expr.Int(7)},
		Results: map[string]map[string]expr.Value{"db-b1": {"lag": expr.Int(8)}},
	})
	require.Equal(t, `db-b1 k 1 web1.example.org 7 8`,
		eval(t, s, `"${self.name} ${each.key} ${each.value} ${batch[0].name} ${result.lag} ${results["db-b1"].lag}"`))
	require.Equal(t, "0", eval(t, scope.At(base(t, in), scope.Place{Batch: []*runbooks.Host{}}), `length(batch)`))
}

func TestHosts(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s := base(t, in)
	tests := map[string][]string{
		`host.db-b1`: {"db-b1"},
		`control`:    {"control"},
		`inventory`:  {"db-b1", "web1.example.org"},
		`group.none`: nil,
		`[]`:         nil,
		`[host["web1.example.org"], group.all, control]`:  {"web1.example.org", "db-b1", "control"},
		`[[host.db-b1], [[host.db-b1]]]`:                  {"db-b1"},
		`toset(group.all)`:                                {"db-b1", "web1.example.org"},
		`sole([for h in inventory : h if h.site == "b"])`: {"db-b1"},
		`var.target`:                           {"db-b1"},
		`{ a = 1 }.a == 1 ? [host.db-b1] : []`: {"db-b1"},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := parse(t, text).Eval(s)
			require.Empty(t, ds)
			hosts, err := scope.Hosts(in.Project, v)
			require.NoError(t, err)
			var names []string
			for _, h := range hosts {
				names = append(names, h.Name)
				require.Equal(t, h.Name == "control", h.Control)
			}
			require.Equal(t, want, names)
		})
	}
}

func TestHostsErrors(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s := base(t, in).With(map[string]expr.Value{
		"self": expr.Unknown(expr.HostType()), "result": scope.HostValue(&runbooks.Host{Name: "db-b2"}),
		"each": scope.HostValue(in.Project.Hosts[0]).AsSensitive(),
	})
	tests := map[string]string{
		`"db-b1"`:   "a host or a list of hosts is wanted, not a text: write host.db-b1",
		`["nope"]`:  "a host or a list of hosts is wanted, not a text: write host.nope",
		`null`:      "a host or a list of hosts is wanted, not null",
		`[null]`:    "a host or a list of hosts is wanted, not null",
		`42`:        "a host or a list of hosts is wanted, not number",
		`{ a = 1 }`: "a host or a list of hosts is wanted, not object({ a = number })",
		`self`:      "not known yet",
		`[self]`:    "not known yet",
		`each`:      "is sensitive",
		`result`:    `there is no host "db-b2"; did you mean db-b1?`,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			v, ds := parse(t, text).Eval(s)
			require.Empty(t, ds)
			hosts, err := scope.Hosts(in.Project, v)
			require.EqualError(t, err, want)
			require.Nil(t, hosts)
		})
	}
	_, err := scope.Hosts(in.Project, expr.Value{})
	require.ErrorIs(t, err, expr.ErrNotHosts)
}

func TestSingle(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	s, _ := scope.WithResults(base(t, in), in, nil, true)
	tests := map[string]bool{
		`host.db-b1`: true, `[host.db-b1]`: false, `group.all`: false, `control`: true, `sole(group.all)`: true,
		`sole([for h in inventory : h if check.all.by_host[h.name].ok])`: true,
		`(check.lag.ok ? sole(inventory) : (host.db-b1))`:                true,
		`check.lag.ok ? group.all : group.none`:                          false,
		`check.lag.ok ? host.db-b1 : control`:                            true, `var.target`: true,
	}
	for text, want := range tests {
		require.Equal(t, want, scope.Single(s, parse(t, text)), text)
	}
	require.True(t, scope.Single(s, nil))
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	in := inputs(t)
	b := base(t, in)
	e := parse(t, `"${local.limit} ${host.db-b1.name} ${try(check.lag.lag, local.script)} ${join(",", [for h in inventory : h.name])} ${join(",", inventory[*].site)}"`)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			s, _ := scope.WithResults(b, in, nil, false)
			v, ds := e.Eval(s)
			if len(ds) > 0 || v.String() != "10 db-b1 echo\n db-b1,web1.example.org b,a" {
				t.Errorf("%v %v", v, ds)
			}
		})
	}
	wg.Wait()
}
