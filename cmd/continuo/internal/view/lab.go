package view

// LabDocument is `lab up|down|status --json`.
type LabDocument struct {
	Schema  string    `json:"schema"`
	Running bool      `json:"running"`
	PID     int       `json:"pid,omitempty"`
	Dir     string    `json:"dir"`
	Key     string    `json:"key"`
	Log     string    `json:"log"`
	Hosts   []LabHost `json:"hosts"`
}

// LabHost is one practice host.
type LabHost struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	User    string `json:"user,omitempty"`
	Sandbox string `json:"sandbox"`
}

// Lab prints the practice hosts for people.
func (s *Screen) Lab(doc LabDocument) {
	switch {
	case len(doc.Hosts) == 0:
		s.Printf("no practice hosts: `continuo lab up` starts them\n")
		return
	case !doc.Running:
		s.Printf("practice hosts are %s; their files stay in %s\n", s.paint(bold, "down"), Clean(doc.Dir))
		return
	}
	s.Printf("practice hosts are %s (process %d)\n", s.paint(green, "up"), doc.PID)
	var t table
	t.head("host", "address", "sandbox")
	for _, h := range doc.Hosts {
		t.text(Clean(h.Name), Clean(h.Address), Clean(h.Sandbox))
	}
	t.print(s, "  ")
	s.Printf("key: %s\nlog: %s\n", Clean(doc.Key), Clean(doc.Log))
}
