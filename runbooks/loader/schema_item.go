package loader

func itemBlocks() []*Block {
	return []*Block{
		checkBlock(), assertBlock(), stepBlock(), transferBlock(), waitBlock(), manualBlock(), gateBlock(), decisionBlock(), callBlock(),
	}
}

func itemRoots() []string {
	return []string{"check", "assert", "step", "transfer", "wait", "manual", "gate", "decision", "call"}
}

func everyItem() []Attr {
	return []Attr{
		{Name: "title", Kind: KindText, Doc: "One line for people."},
		{Name: "description", Kind: KindText, Doc: "Why, and what to know."},
		{Name: "owner", Kind: KindText, Doc: "Who answers for it."},
		{Name: "after", Kind: KindRefs, Roots: itemRoots(), Doc: "Items that must have ended. Left out: all before it in the phase. []: none."},
		{Name: "when", Kind: KindTruth, Doc: "False: it is skipped."},
		{Name: "requires", Kind: KindRefs, Roots: []string{"gate"}, Doc: "Gates that must have been approved."},
		{Name: "marks", Kind: KindStrings, Doc: "Marks set when it has succeeded everywhere."},
		{Name: "marks_start", Kind: KindStrings, Doc: "Marks set when its first attempt starts."},
		{Name: "on_failure", Kind: KindString, Words: failureWords(), Doc: "What happens when it fails."},
		{Name: "timeout", Kind: KindDuration, Doc: "Bound of one attempt."},
	}
}

func onHosts() []Attr {
	return []Attr{
		{Name: "hosts", Kind: KindHosts, Doc: "Where it runs. control is the control host."},
		{Name: "become", Kind: KindText, Doc: "User it runs as."},
		{Name: "env", Kind: KindEnv, Doc: "Environment variables; may hold secrets."},
		{Name: "working_dir", Kind: KindText, Doc: "Directory it runs in."},
		{Name: "for_each", Kind: KindAny, Doc: "Once for each element, one after another."},
		{Name: "max_items", Kind: KindWhole, Default: "1000", Doc: "Bound of for_each."},
		{Name: "parallel_each", Kind: KindWhole, Default: "1", Doc: "Elements of for_each at once."},
		{Name: "tolerate", Kind: KindWords, Words: []string{"unreachable", "failed", "timed-out", "never-started"}, Doc: "Outcomes of a host that do not fail the item."},
		{Name: "allow_no_hosts", Kind: KindBool, Default: "false", Doc: "An empty list of hosts is no failure."},
	}
}

func commandAttrs() []Attr {
	return []Attr{
		{Name: "argv", Kind: KindArgv, Doc: "The command and its arguments, without a shell. Preferred."},
		{Name: "script", Kind: KindText, Doc: "A script, given to the interpreter on its input. Often file(\"x.sh\")."},
		{Name: "interpreter", Kind: KindStrings, Default: `["/bin/sh", "-eu"]`, Doc: "Runs the script."},
		{Name: "stdin", Kind: KindText, Doc: "Standard input; may hold secrets."},
		{Name: "success_codes", Kind: KindSuccess, Default: "[0]", Doc: "Exit codes that are a success, \"nonzero\", or \"any\"."},
	}
}

func attrs(groups ...[]Attr) []Attr {
	var out []Attr
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

func expectBlock(name, doc string) *Block {
	return &Block{
		Type: name, Doc: doc,
		Attrs: []Attr{
			{Name: "condition", Kind: KindTruth, Required: true, Doc: "Must be true."},
			{Name: "message", Kind: KindText, Doc: "What to say when it is not."},
		},
	}
}

func judged() []*Block {
	return []*Block{
		{
			Type: "capture", Label: NameLabel, Doc: "Takes a typed value from the result.",
			Attrs: []Attr{
				{Name: "value", Kind: KindAny, Required: true, Doc: "The value, from result and earlier captures."},
				{Name: "type", Kind: KindType, Default: "string", Doc: "Its type."},
				{Name: "sensitive", Kind: KindBool, Default: "false", Doc: "Never shown or recorded."},
			},
		},
		expectBlock("expect", "What must hold on each host."),
		expectBlock("expect_all", "What must hold over the results of all hosts."),
	}
}

func pollBlock() *Block {
	return &Block{
		Type: "poll", Once: true, Doc: "Asks again until the expectations hold.",
		Attrs: []Attr{
			{Name: "every", Kind: KindDuration, Default: `"2s"`, Doc: "Time between rounds."},
			{Name: "within", Kind: KindDuration, Required: true, Doc: "Bound of all rounds together."},
		},
	}
}

func rolloutBlock() *Block {
	return &Block{
		Type: "rollout", Once: true, Doc: "Divides hosts into batches.",
		Attrs: []Attr{
			{Name: "batch", Kind: KindSizes, Doc: "Size of a batch, or a list of sizes; the last repeats."},
			{Name: "parallel", Kind: KindWhole, Doc: "Hosts at once."},
			{Name: "pause", Kind: KindDuration, Doc: "Time between batches."},
			{Name: "max_failures", Kind: KindSizes, Default: "0", Doc: "Stop when more than so many failed."},
		},
		Blocks: []*Block{partBlock("after_batch", "A check after each batch; its failure stops the rollout.", judged(), pollBlock())},
	}
}

func retryBlock() *Block {
	return &Block{
		Type: "retry", Once: true, Doc: "Starts a unit again after a failure.",
		Attrs: []Attr{
			{Name: "attempts", Kind: KindWhole, Required: true, Doc: "All in all, the first included."},
			{Name: "delay", Kind: KindDuration, Default: `"1s"`, Doc: "Time before the second attempt."},
			{Name: "backoff", Kind: KindNumber, Default: "1", Doc: "Factor on each further delay."},
			{Name: "max_delay", Kind: KindDuration, Doc: "Bound of the delay."},
		},
	}
}

func partBlock(name, doc string, judged []*Block, more ...*Block) *Block {
	return &Block{
		Type: name, Once: true, Doc: doc,
		Attrs: attrs(commandAttrs(), []Attr{
			{Name: "hosts", Kind: KindHosts, Doc: "Left out: the item's."},
			{Name: "become", Kind: KindText, Doc: "Left out: the item's."},
			{Name: "env", Kind: KindEnv, Doc: "Merged with the item's."},
			{Name: "working_dir", Kind: KindText, Doc: "Left out: the item's."},
			{Name: "timeout", Kind: KindDuration, Doc: "Left out: the item's."},
		}),
		Blocks: append(append([]*Block{}, judged...), more...),
	}
}

func checkBlock() *Block {
	return &Block{
		Type: "check", Label: NameLabel, Doc: "Only reads, by its author's word. Runs in a dry-run.",
		Attrs: attrs(everyItem(), onHosts(), commandAttrs(), []Attr{
			{Name: "severity", Kind: KindString, Words: []string{"finding"}, Doc: "finding: a failure is a deviation."},
		}),
		Blocks: append(judged(), pollBlock(), rolloutBlock(), tcpBlock(), httpBlock()),
	}
}

func tcpBlock() *Block {
	return &Block{
		Type: "tcp", Once: true, Doc: "Whether a port answers.",
		Attrs: []Attr{
			{Name: "address", Kind: KindText, Required: true, Doc: "host:port."},
			{Name: "from", Kind: KindHosts, Doc: "Seen from these hosts. Left out: from the control host."},
			{Name: "want", Kind: KindString, Words: []string{"open", "refused", "no-answer", "closed"}, Doc: "closed is refused or no-answer. Left out: never fails."},
			{Name: "witness", Kind: KindText, Doc: "host:port that must be open from there, or the answer is inconclusive."},
		},
	}
}

func httpBlock() *Block {
	return &Block{
		Type: "http", Once: true, Doc: "One GET or HEAD from the control host, without redirects.",
		Attrs: []Attr{
			{Name: "url", Kind: KindText, Required: true, Doc: "http:// or https://."},
			{Name: "method", Kind: KindString, Words: []string{"GET", "HEAD"}, Default: `"GET"`, Doc: "GET or HEAD."},
			{Name: "headers", Kind: KindEnv, Doc: "Headers; may hold secrets."},
			{Name: "want_status", Kind: KindWholes, Doc: "Status codes that are a success. Left out: any 2xx."},
			{Name: "ca_file", Kind: KindPath, Doc: "Certificates to trust, a file in the project."},
		},
	}
}

func assertBlock() *Block {
	return &Block{
		Type: "assert", Label: NameLabel, Doc: "One expression that must hold.",
		Attrs: attrs(everyItem(), []Attr{
			{Name: "condition", Kind: KindTruth, Required: true, Doc: "Must be true."},
			{Name: "message", Kind: KindText, Doc: "What to say when it is not."},
		}),
	}
}

func stepBlock() *Block {
	return &Block{
		Type: "step", Label: NameLabel, Doc: "Changes something on hosts. Never runs in a dry-run.",
		Attrs: attrs(everyItem(), onHosts(), commandAttrs(), changing()),
		Blocks: append(judged(), rolloutBlock(), retryBlock(),
			partBlock("unless", "Exit code 0 says that nothing needs to be done.", judged()[:2]),
			partBlock("verify", "A check of what the step did.", judged(), pollBlock()),
			partBlock("rollback", "Takes the step back; must work after half a step.", judged()[:2])),
	}
}

func changing() []Attr {
	return []Attr{
		{Name: "idempotent", Kind: KindBool, Default: "false", Doc: "Running it twice does no harm: it may be started again."},
		{Name: "irreversible", Kind: KindBool, Default: "false", Doc: "Cannot be taken back."},
		{Name: "typed", Kind: KindText, Doc: "What a person must type to confirm."},
	}
}

func transferBlock() *Block {
	return &Block{
		Type: "transfer", Label: NameLabel, Doc: "Puts a file on hosts, atomically, and compares digests.",
		Attrs: attrs(everyItem(), onHosts(), changing(), []Attr{
			{Name: "source", Kind: KindPath, Doc: "A file of the project."},
			{Name: "content", Kind: KindText, Doc: "What to write."},
			{Name: "destination", Kind: KindText, Required: true, Doc: "Absolute path on the host."},
			{Name: "mode", Kind: KindString, Default: `"0644"`, Doc: "Permissions, octal."},
			{Name: "owner_user", Kind: KindText, Doc: "Owner of the file."},
			{Name: "owner_group", Kind: KindText, Doc: "Group of the file."},
			{Name: "backup", Kind: KindBool, Default: "true", Doc: "Keep what it replaces, for the rollback."},
		}),
		Blocks: append(judged(), rolloutBlock(), retryBlock(),
			&Block{
				Type: "from", Once: true, Doc: "A file of another host.",
				Attrs: []Attr{
					{Name: "host", Kind: KindHosts, Required: true, Doc: "The host."},
					{Name: "path", Kind: KindText, Required: true, Doc: "Absolute path on it."},
					{Name: "sha256", Kind: KindText, Doc: "What its digest must be."},
				},
			},
			partBlock("verify", "A check of what the transfer did.", judged(), pollBlock()),
			partBlock("rollback", "Left out: what was replaced is restored.", judged()[:2])),
	}
}

func waitBlock() *Block {
	return &Block{
		Type: "wait", Label: NameLabel, Doc: "Time passes.",
		Attrs: attrs(everyItem(), []Attr{{Name: "duration", Kind: KindLength, Required: true, Doc: "How long: \"30s\", or seconds."}}),
	}
}

func manualBlock() *Block {
	return &Block{
		Type: "manual", Label: NameLabel, Doc: "People do something and say so.",
		Attrs: attrs(everyItem(), []Attr{
			{Name: "instructions", Kind: KindText, Required: true, Doc: "What to do, in Markdown."},
			{Name: "role", Kind: KindRef, Roots: []string{"role"}, Doc: "Who may do it."},
			{Name: "people", Kind: KindWhole, Default: "1", Doc: "So many distinct people must say so."},
			{Name: "rollback", Kind: KindText, Doc: "What people do to take it back."},
		}),
		Blocks: []*Block{{
			Type: "input", Label: NameLabel, Doc: "A value that a person gives.",
			Attrs: []Attr{
				{Name: "type", Kind: KindType, Default: "string", Doc: "Its type."},
				{Name: "sensitive", Kind: KindBool, Default: "false", Doc: "Never shown or recorded."},
			},
			Blocks: []*Block{validationBlock()},
		}},
	}
}

func gateBlock() *Block {
	return &Block{
		Type: "gate", Label: NameLabel, Doc: "Approvals by people, signed.",
		Attrs: attrs(everyItem(), []Attr{
			{Name: "question", Kind: KindText, Required: true, Doc: "What they approve."},
			{Name: "role", Kind: KindRef, Roots: []string{"role"}, Required: true, Doc: "Who may approve."},
			{Name: "approvals", Kind: KindWhole, Default: "1", Doc: "So many distinct members."},
			{Name: "expires", Kind: KindDuration, Doc: "Approve within."},
			{Name: "recheck", Kind: KindRefs, Roots: []string{"check"}, Doc: "Checks that run again after the approval."},
			{Name: "start_within", Kind: KindDuration, Doc: "What it approves must start within."},
			{Name: "typed", Kind: KindText, Doc: "What an approver must type."},
		}),
	}
}

func decisionBlock() *Block {
	return &Block{
		Type: "decision", Label: NameLabel, Doc: "A person chooses.",
		Attrs: attrs(everyItem(), []Attr{
			{Name: "question", Kind: KindText, Required: true, Doc: "What is to be decided."},
			{Name: "options", Kind: KindStrings, Required: true, Doc: "At least two."},
			{Name: "role", Kind: KindRef, Roots: []string{"role"}, Doc: "Who may decide."},
			{Name: "expires", Kind: KindDuration, Doc: "Decide within."},
			{Name: "stops", Kind: KindStrings, Doc: "Options that fail the item."},
		}),
	}
}

func callBlock() *Block {
	return &Block{
		Type: "call", Label: NameLabel, Doc: "Another runbook of the project.",
		Attrs: attrs(everyItem(), []Attr{
			{Name: "runbook", Kind: KindRef, Roots: []string{"runbook"}, Required: true, Doc: "The runbook."},
			{Name: "variables", Kind: KindMap, Doc: "Values of its variables."},
		}),
	}
}
