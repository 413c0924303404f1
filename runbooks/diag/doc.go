package diag

// Doc explains a code, for `continuo explain` and the reference. Wrong and Right are project files of the language: Wrong
// gives a diagnostic of the code, Right gives none. Several files are divided by lines `-- NAME --`; one alone is
// project.hcl. A first line `$ continuo …` is the command that shows it, where that is not `continuo validate`. Where no
// project is known that gives the code, Wrong is what is printed. NewExample takes them apart. Every Doc has both, the
// packages that give a code test its examples, and the command line tests all of them.
type Doc struct {
	Code    string
	Title   string // one line, lower case
	Meaning string // what it says and why it matters
	Wrong   string
	Right   string
}
