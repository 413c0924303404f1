package loader

func failureWords() []string { return []string{"ask", "stop", "continue", "rollback"} }

func runbookBlock() *Block {
	return &Block{
		Type: "runbook", Label: NameLabel, Doc: "One procedure.",
		Attrs: []Attr{
			{Name: "title", Kind: KindString, Doc: "One line that says what it achieves."},
			{Name: "service", Kind: KindString, Doc: "The service it recovers."},
			{Name: "owner", Kind: KindString, Doc: "Who keeps it right."},
			{Name: "version", Kind: KindString, Doc: "Version of the procedure."},
			{Name: "review_by", Kind: KindString, Doc: "Date (YYYY-MM-DD) by which someone must have read it again."},
			{Name: "failback", Kind: KindRef, Roots: []string{"runbook"}, Doc: "The runbook that reverses this one."},
			{Name: "on_failure", Kind: KindString, Words: failureWords(), Doc: "What happens after a failure that nothing nearer answers."},
			{Name: "update_every", Kind: KindDuration, Doc: "How often stakeholders are promised an update."},
		},
		Blocks: []*Block{
			exerciseBlock(), scenarioBlock(), variableBlock(), localsBlock(), markBlock(), objectiveBlock(), outputBlock(),
			phaseBlock(), cleanupBlock(),
		},
	}
}

func exerciseTypes() []string {
	return []string{
		"plan-review", "walkthrough", "tabletop", "simulation", "component-test", "system-test", "functional", "parallel", "switchover",
		"restore-test", "full-interruption", "comprehensive",
	}
}

func exerciseBlock() *Block {
	return &Block{
		Type: "exercise", Once: true, Doc: "Defaults for a drill of this runbook.",
		Attrs: []Attr{
			{Name: "type", Kind: KindString, Words: exerciseTypes(), Doc: "Kind of exercise."},
			{Name: "production_impact", Kind: KindString, Words: []string{"none", "degraded", "switchover", "interruption"}, Doc: "What production feels of it."},
		},
	}
}

func scenarioBlock() *Block {
	return &Block{
		Type: "scenario", Once: true, Doc: "What is assumed to have happened.",
		Attrs: []Attr{
			{Name: "title", Kind: KindString, Required: true, Doc: "The event in one line."},
			{Name: "severity", Kind: KindString, Doc: "How bad it is, in your organisation's words."},
			{Name: "assumptions", Kind: KindStrings, Doc: "What must hold for the runbook to apply."},
		},
	}
}

func validationBlock() *Block {
	return &Block{
		Type: "validation", Doc: "A condition on the value.",
		Attrs: []Attr{
			{Name: "condition", Kind: KindTruth, Required: true, Doc: "Must be true."},
			{Name: "message", Kind: KindText, Doc: "What to say when it is not."},
		},
	}
}

func variableBlock() *Block {
	return &Block{
		Type: "variable", Label: NameLabel, Doc: "An input of the runbook, read as var.NAME.",
		Attrs: []Attr{
			{Name: "description", Kind: KindString, Doc: "What it is for."},
			{Name: "type", Kind: KindType, Default: "string", Doc: "Its type; also host and list(host), given by name."},
			{Name: "default", Kind: KindAny, Doc: "Its value when none is given. Left out: it must be given."},
			{Name: "sensitive", Kind: KindBool, Default: "false", Doc: "Never shown or recorded."},
		},
		Blocks: []*Block{validationBlock()},
	}
}

func markBlock() *Block {
	return &Block{
		Type: "mark", Label: NameLabel, Doc: "A named instant. Empty: given by --at, or asked.",
		Attrs: []Attr{{Name: "at", Kind: KindAny, Doc: "Computes it: RFC 3339 text or epoch seconds."}},
	}
}

func objectiveBlock() *Block {
	return &Block{
		Type: "objective", Label: NameLabel, Doc: "An agreed level: time between two marks, a recovery point, or a value with a bound.",
		Attrs: []Attr{
			{Name: "target", Kind: KindDuration, Doc: "The bound of a time."},
			{Name: "from", Kind: KindString, Doc: "Mark where it begins."},
			{Name: "to", Kind: KindString, Doc: "Mark where it ends."},
			{Name: "recovery_point", Kind: KindAny, Doc: "Time of the newest recovered data: RFC 3339 text or epoch seconds."},
			{Name: "value", Kind: KindAny, Doc: "A number that the run measured."},
			{Name: "at_most", Kind: KindNumber, Doc: "Upper bound of value."},
			{Name: "at_least", Kind: KindNumber, Doc: "Lower bound of value."},
		},
	}
}

func outputBlock() *Block {
	return &Block{
		Type: "output", Label: NameLabel, Doc: "What a runbook that is called gives back.",
		Attrs: []Attr{{Name: "value", Kind: KindAny, Required: true, Doc: "The value."}},
	}
}

func phaseDefaults() []Attr {
	return []Attr{
		{Name: "hosts", Kind: KindHosts, Doc: "Hosts of items that name none."},
		{Name: "become", Kind: KindText, Doc: "User of items that name none."},
		{Name: "env", Kind: KindEnv, Doc: "Environment, merged into that of items."},
		{Name: "working_dir", Kind: KindText, Doc: "Directory of items that name none."},
		{Name: "timeout", Kind: KindDuration, Doc: "Timeout of items that name none."},
	}
}

func phaseBlock() *Block {
	return &Block{
		Type: "phase", Label: FreeLabel, Doc: "A part of the runbook. Phases run one after another.",
		Attrs: append([]Attr{
			{Name: "title", Kind: KindString, Doc: "Longer than the label."},
			{Name: "owner", Kind: KindString, Doc: "Who leads it."},
			{Name: "when", Kind: KindTruth, Doc: "False: the phase is skipped."},
			{Name: "on_failure", Kind: KindString, Words: failureWords(), Doc: "What happens after a failure in it."},
		}, phaseDefaults()...),
		Blocks: append([]*Block{rolloutBlock(), laneBlock()}, itemBlocks()...),
	}
}

func laneBlock() *Block {
	return &Block{
		Type: "lane", Label: NameLabel, Doc: "Items in order, beside other lanes.",
		Attrs:  []Attr{{Name: "owner", Kind: KindString, Doc: "Who leads it."}},
		Blocks: itemBlocks(),
	}
}

func cleanupBlock() *Block {
	return &Block{
		Type: "cleanup", Once: true, Doc: "Always runs, whatever happened.",
		Attrs: phaseDefaults(), Blocks: itemBlocks(),
	}
}

// TestSchema is what may stand at the top of a *.test.hcl file.
func TestSchema() *Block {
	return &Block{Type: "test file", Doc: "A *.test.hcl file of a project.", Blocks: []*Block{testBlock()}}
}

func testBlock() *Block {
	return &Block{
		Type: "test", Label: FreeLabel, Doc: "A test of a runbook, in simulation.",
		Attrs: []Attr{
			{Name: "runbook", Kind: KindString, Required: true, Doc: "Name of the runbook."},
			{Name: "variables", Kind: KindMap, Doc: "Values of its variables."},
			{Name: "operator", Kind: KindString, Default: `"operator@test"`, Doc: "Who runs it."},
			{Name: "each", Kind: KindAny, Doc: "A list or map: the test runs once for each element, as each.key and each.value."},
		},
		Blocks: []*Block{beforeBlock(), onBlock(), faultBlock(), expectBlock("expect", "What must hold after the run.")},
	}
}

func beforeBlock() *Block {
	return &Block{
		Type: "before", Once: true, Doc: "The state that the run begins in: what would be given on its command line.",
		Attrs: []Attr{
			{Name: "started_at", Kind: KindString, Default: `"2026-01-01T00:00:00Z"`, Doc: "When the run begins."},
			{Name: "marks", Kind: KindMap, Doc: "When marks were, as --at: RFC 3339, or relative to the start, as \"-20m\"."},
			{Name: "from", Kind: KindString, Doc: "The item that it begins at, as --from."},
			{Name: "limit", Kind: KindStrings, Doc: "The only hosts that it runs on, as --limit."},
			{Name: "change", Kind: KindString, Doc: "The change under which it runs."},
			{Name: "incident", Kind: KindString, Doc: "The incident under which it runs."},
		},
	}
}

func onBlock() *Block {
	return &Block{
		Type: "on", Label: TargetLabel, Doc: "What a simulated host or person answers. Lists are successive answers.",
		Attrs: []Attr{
			{Name: "stdout", Kind: KindAny, Doc: "Standard output."},
			{Name: "stderr", Kind: KindAny, Doc: "Standard error."},
			{Name: "exit_code", Kind: KindAny, Doc: "Exit code."},
			{Name: "signal", Kind: KindAny, Doc: "Signal that ends it, such as \"KILL\"; of one that is killed: the signal that it takes."},
			{Name: "survivors", Kind: KindAny, Doc: "What a kill leaves running, such as \"4711:java\": the kill is not confirmed then."},
			{Name: "outcome", Kind: KindAny, Doc: "Outcome, such as \"unreachable\"."},
			{Name: "state", Kind: KindAny, Doc: "Answer of a tcp check."},
			{Name: "status", Kind: KindAny, Doc: "Status of an http check."},
			{Name: "delay", Kind: KindAny, Doc: "How long it takes."},
			{Name: "host", Kind: KindAny, Doc: "Name of the only host that answers so."},
			{Name: "key", Kind: KindAny, Doc: "Key of the only element of for_each that answers so."},
			{Name: "approve", Kind: KindAny, Doc: "Who approves a gate."},
			{Name: "deny", Kind: KindAny, Doc: "Who denies a gate."},
			{Name: "choose", Kind: KindAny, Doc: "Option chosen in a decision."},
			{Name: "inputs", Kind: KindMap, Doc: "Inputs of a manual item."},
			{Name: "done_by", Kind: KindAny, Doc: "Who does a manual item, or decides."},
			{Name: "silent", Kind: KindAny, Doc: "Nobody answers."},
			{Name: "typed", Kind: KindAny, Doc: "What is typed where a text must be typed; left out: what is asked for."},
		},
	}
}

func faultKinds() []string {
	return []string{"exit", "timeout", "unreachable", "auth", "host-key", "lost-connection", "expectation", "rejected", "expired",
		"wrong-approver", "disk-full", "become", "program", "reboot", "crash"}
}

func faultBlock() *Block {
	return &Block{
		Type: "fault", Label: TargetLabel, Doc: "What goes wrong.",
		Attrs: []Attr{
			{Name: "kind", Kind: KindString, Required: true, Words: faultKinds(), Doc: "Kind of fault."},
			{Name: "host", Kind: KindAny, Doc: "Name of the only host it happens on."},
			{Name: "started", Kind: KindAny, Doc: "Of a lost connection or a reboot: the command had started."},
			{Name: "finished", Kind: KindAny, Doc: "Of a lost connection or a crash: the command ended, and its result can be collected."},
			{Name: "exit_code", Kind: KindAny, Doc: "Of exit: the code."},
			{Name: "attempt", Kind: KindAny, Doc: "Only on this attempt."},
		},
	}
}
