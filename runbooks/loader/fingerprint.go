package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sort"
	"strconv"

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

// hashTokens takes the tokens of a range, which begins and ends with one, from those of its file.
func (l *loader) hashTokens(h hash.Hash, r hcl.Range) {
	tokens := l.tokens[r.Filename]
	first := sort.Search(len(tokens), func(i int) bool { return tokens[i].Range.Start.Byte >= r.Start.Byte })
	var buf []byte
	for _, t := range tokens[first:] {
		if t.Range.Start.Byte >= r.End.Byte {
			break
		}
		switch t.Type {
		case hclsyntax.TokenComment, hclsyntax.TokenNewline, hclsyntax.TokenEOF:
			continue
		}
		buf = strconv.AppendInt(buf, int64(t.Type), 10)
		buf = strconv.AppendInt(append(buf, ':'), int64(len(t.Bytes)), 10)
		buf = append(append(buf, ':'), t.Bytes...)
	}
	h.Write(buf)
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
