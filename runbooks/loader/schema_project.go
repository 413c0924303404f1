package loader

// ProjectSchema is what may stand at the top of a *.hcl file.
func ProjectSchema() *Block {
	return &Block{
		Type: "file", Doc: "A *.hcl file of a project.",
		Blocks: []*Block{
			projectBlock(), hostBlock(), fleetBlock(), groupBlock(), roleBlock(), secretBlock(), localsBlock(), runbookBlock(),
		},
	}
}

func projectBlock() *Block {
	return &Block{
		Type: "project", Label: NameLabel, Once: true, Doc: "Settings of the project.",
		Attrs: []Attr{
			{Name: "required_version", Kind: KindString, Doc: "Versions of continuo that can read the project, such as \">= 0.1\"."},
			{Name: "environment", Kind: KindString, Words: environments(), Default: `"production"`, Doc: "Environment of hosts that name none."},
			{Name: "timezone", Kind: KindString, Default: `"UTC"`, Doc: "IANA zone that reports show beside UTC."},
			{Name: "known_hosts", Kind: KindPath, Default: `"known_hosts"`, Doc: "Host keys, in OpenSSH's format."},
			{Name: "allowed_signers", Kind: KindPath, Default: `"allowed_signers"`, Doc: "Who people are: principals and their keys, in OpenSSH's format."},
		},
		Blocks: []*Block{connectionBlock(), becomeBlock()},
	}
}

func environments() []string { return []string{"lab", "staging", "production"} }

func connectionBlock() *Block {
	return &Block{
		Type: "connection", Once: true, Doc: "How to reach a host. A host's own settings win over its fleet's, those over the project's.",
		Attrs: []Attr{
			{Name: "user", Kind: KindString, Doc: "Login user."},
			{Name: "port", Kind: KindWhole, Default: "22", Doc: "TCP port."},
			{Name: "identity_files", Kind: KindStrings, Doc: "Private keys, tried in order. ~ is the operator's home."},
			{Name: "certificate_file", Kind: KindString, Doc: "OpenSSH user certificate for the first identity."},
			{Name: "agent", Kind: KindString, Doc: "Socket of an SSH agent, or \"none\". Left out: SSH_AUTH_SOCK."},
			{Name: "password", Kind: KindRef, Roots: []string{"secret"}, Doc: "Login password."},
			{Name: "via", Kind: KindRef, Roots: []string{"host"}, Doc: "Jump host. Jump hosts may have one themselves."},
			{Name: "host_key_alias", Kind: KindString, Doc: "Name to look for in known_hosts instead of the address."},
			{Name: "connect_timeout", Kind: KindDuration, Default: `"10s"`, Doc: "Bound of the TCP connect."},
			{Name: "handshake_timeout", Kind: KindDuration, Default: `"30s"`, Doc: "Bound from connect to logged in."},
			{Name: "keepalive", Kind: KindDuration, Default: `"15s"`, Doc: "Interval of keepalives; three misses close the connection."},
			{Name: "max_sessions", Kind: KindWhole, Default: "8", Doc: "Channels at once on one connection."},
			{Name: "legacy_algorithms", Kind: KindStrings, Doc: "Weak algorithms to allow; recorded as a deviation."},
			{Name: "plain", Kind: KindBool, Default: "false", Doc: "The host cannot keep attempts; a lost connection during a step is unknown."},
			{Name: "durability", Kind: KindString, Words: []string{"normal", "strict"}, Default: `"normal"`, Doc: "strict: the host syncs claim and result to its disk."},
			{Name: "ssh_config", Kind: KindString, Doc: "An OpenSSH client configuration to take from what is not said here."},
		},
	}
}

func becomeBlock() *Block {
	return &Block{
		Type: "become", Once: true, Doc: "How another user is become, not whom: items say become = \"postgres\".",
		Attrs: []Attr{
			{Name: "method", Kind: KindString, Words: []string{"sudo"}, Default: `"sudo"`, Doc: "Program that changes the user."},
			{Name: "password", Kind: KindRef, Roots: []string{"secret"}, Doc: "Password that the method asks for."},
		},
	}
}

func inventoryAttrs() []Attr {
	return []Attr{
		{Name: "address", Kind: KindString, Required: true, Doc: "DNS name or IP address, without a port."},
		{Name: "port", Kind: KindWhole, Default: "22", Doc: "TCP port."},
		{Name: "site", Kind: KindString, Doc: "Where it stands."},
		{Name: "environment", Kind: KindString, Words: environments(), Doc: "How much harm a mistake can do. Left out: the project's."},
		{Name: "ci", Kind: KindString, Doc: "Configuration item, shown in the evidence."},
		{Name: "owner", Kind: KindString, Doc: "Who answers for it."},
		{Name: "labels", Kind: KindStrMap, Doc: "Words to select by."},
	}
}

func hostBlock() *Block {
	return &Block{
		Type: "host", Label: HostLabel, Doc: "One host of the inventory.",
		Attrs: inventoryAttrs(), Blocks: []*Block{connectionBlock(), becomeBlock()},
	}
}

func fleetBlock() *Block {
	attrs := append([]Attr{
		{Name: "for_each", Kind: KindAny, Required: true, Doc: "One host for each element, such as csvdecode(file(\"web.csv\"))."},
		{Name: "name", Kind: KindString, Required: true, Doc: "Name of the host, from each.key and each.value."},
	}, inventoryAttrs()...)
	return &Block{
		Type: "fleet", Label: NameLabel, Doc: "Many hosts from data. Defines the group of the same name too.",
		Attrs: attrs, Blocks: []*Block{connectionBlock(), becomeBlock()},
	}
}

func groupBlock() *Block {
	return &Block{
		Type: "group", Label: NameLabel, Doc: "A named list of hosts.",
		Attrs: []Attr{{Name: "hosts", Kind: KindHosts, Required: true, Doc: "Its hosts, from inventory, host and group."}},
	}
}

func roleBlock() *Block {
	return &Block{
		Type: "role", Label: NameLabel, Doc: "Who may approve, decide or review.",
		Attrs: []Attr{{Name: "members", Kind: KindStrings, Required: true, Doc: "Principals of allowed_signers."}},
	}
}

func secretBlock() *Block {
	return &Block{
		Type: "secret", Label: NameLabel, Doc: "Where a secret comes from, never its value. Exactly one source.",
		Attrs: []Attr{
			{Name: "env", Kind: KindString, Doc: "Environment variable of the control host."},
			{Name: "file", Kind: KindString, Doc: "File, refused unless only its owner can read it."},
			{Name: "command", Kind: KindStrings, Doc: "Command that prints it."},
			{Name: "prompt", Kind: KindBool, Doc: "A person types it."},
			{Name: "age", Kind: KindString, Doc: "File encrypted with age."},
		},
	}
}

func localsBlock() *Block {
	return &Block{Type: "locals", AnyAttr: KindAny, Doc: "Shared expressions, read as local.NAME."}
}
