package view

// Stage is how far the operator's Ctrl-C has gone.
type Stage uint8

// The stages of an interrupt.
const (
	Draining Stage = iota + 1
	Killing
	Leaving
)

// Interrupted says what the last signal does and what the next one would.
func (s *Screen) Interrupted(stage Stage) {
	var text string
	switch stage {
	case Killing:
		text = "killing what runs on the hosts. Again: leave at once, the journal is enough to go on from"
	case Leaving:
		text = "leaving; what runs on the hosts runs on"
	default: // Draining
		text = "nothing new starts; what runs may end. Again: kill what runs on the hosts"
	}
	s.Printf("%s %s\n", s.paint(yellow, "INTERRUPT"), text)
}
