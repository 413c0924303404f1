package evidence

// Addendum is a piece that was added after the seal: a review, an addendum, a time stamp, a withdrawal.
type Addendum struct {
	File      string
	Kind      string
	Role      string
	Principal string
	Time      string
	// Status says whether its signature holds for the principal it names; Problem why not.
	Status  Status
	Problem string
	Text    string
}
