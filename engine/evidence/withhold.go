package evidence

import (
	"bytes"
	"fmt"
	"strings"
)

// stubHead begins a file that was withheld.
const stubHead = "continuo-withheld v1\n"

// maxStub bounds a stub: a file that is longer is none.
const maxStub = 4096

// stub is what stands in the place of a withheld file. It says nothing about the content, not even its digest.
func stub(name, by, reason string) []byte {
	return fmt.Appendf(nil, "%sfile %s\nby %s\nreason %s\n", stubHead, name, orElse(plain(by), "unknown"), plain(reason))
}

// isStub reports whether data is the stub of the file of that name.
func isStub(name string, data []byte) bool {
	return len(data) <= maxStub && bytes.HasPrefix(data, []byte(stubHead+"file "+name+"\n"))
}

// mayWithhold says which files can be withheld: those that the chain and the seal do not need.
func mayWithhold(name string) bool {
	return artifactRE.MatchString(name) || strings.HasPrefix(name, ProjectDir+"/")
}
