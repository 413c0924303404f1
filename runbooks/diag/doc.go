package diag

// Doc explains a code, for `continuo explain` and the reference. Wrong and Right are project files of the language: Wrong
// gives a diagnostic of the code, Right gives none. Several files are divided by lines `-- NAME --`; one alone is
// project.hcl. The packages that give a code give its Doc too, and test both examples.
type Doc struct {
	Code    string
	Title   string // one line, lower case
	Meaning string // what it says and why it matters
	Wrong   string
	Right   string
}
