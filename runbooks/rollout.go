package runbooks

// Of is the size in hosts out of all; percentages are rounded up.
func (s Size) Of(all int) int {
	if s.Percent > 0 {
		return (all*s.Percent + 99) / 100
	}
	return s.Count
}
