package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// fingerprint is the SHA-256 (hex) of a block's tokens without comments, line breaks and white space: it changes when
// the meaning may have changed, and never when the file is formatted. What the item has from its phase belongs to it.
func (l *loader) fingerprint(n *node, inherited ...*hclsyntax.Attribute) string {
	h := sha256.New()
	l.hashTokens(h, n.block.Range())
	for _, a := range inherited {
		if a != nil {
			l.hashTokens(h, a.SrcRange)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (l *loader) hashTokens(h hash.Hash, r hcl.Range) {
	src := l.parsed[r.Filename]
	tokens, _ := hclsyntax.LexConfig(src[r.Start.Byte:r.End.Byte], r.Filename, hcl.InitialPos)
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenComment, hclsyntax.TokenNewline, hclsyntax.TokenEOF:
			continue
		}
		fmt.Fprintf(h, "%d:%d:%s", t.Type, len(t.Bytes), t.Bytes)
	}
}

// inherited are the attributes of the phase that the item does not give itself.
func (d defaults) inherited(n *node) []*hclsyntax.Attribute {
	if d.node == nil {
		return nil
	}
	var out []*hclsyntax.Attribute
	for _, a := range sortedAttrs(d.node.attrs) {
		switch a.Name {
		case "hosts", "become", "working_dir", "timeout", "env":
			if n.schema.attr(a.Name) != nil && (n.attr(a.Name) == nil || a.Name == "env") {
				out = append(out, a)
			}
		}
	}
	return out
}
