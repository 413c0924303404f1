package engine

// Subject is a payload about one item, or a part of one. Events about the run as a whole are none.
type Subject interface {
	Payload
	// About says which item, batch, element and host the event is about.
	About() Unit
}

// About is the unit itself: so the payloads that embed one are Subjects.
func (u Unit) About() Unit { return u }

// About implements Subject.
func (p *ItemStarted) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ManualDone) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ApprovalRequested) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ApprovalGranted) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ApprovalDenied) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ApprovalExpired) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *ApprovalUsed) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject.
func (p *DecisionMade) About() Unit { return Unit{Item: p.Item, Batch: p.Batch} }

// About implements Subject. The item is empty for marks that no item set.
func (p *MarkSet) About() Unit { return Unit{Item: p.Item} }

// About implements Subject. The item is empty for what is about the run as a whole.
func (p *OperatorAction) About() Unit {
	return Unit{Item: p.Item, Batch: p.Batch, Key: p.Key, Host: p.Host}
}
