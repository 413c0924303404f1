package hostshell

import (
	"bytes"
	"fmt"
	"io"

	"github.com/continuo-runbooks/continuo/engine"
)

// openInput is what a command reads, or nil.
func openInput(c engine.Command) (io.Reader, error) {
	switch {
	case c.Input != nil:
		r, err := c.Input.Open()
		if err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
		return r, nil
	case c.Stdin != nil:
		return struct{ io.Reader }{bytes.NewReader(c.Stdin)}, nil // no WriterTo: it is sent in pieces
	}
	return nil, nil //nolint:nilnil // no input is no error
}

func closeInput(r io.Reader) {
	if c, ok := r.(io.Closer); ok {
		_ = c.Close() // it was only read
	}
}

// inputSize is how many bytes there will be.
func inputSize(c engine.Command) int64 {
	if c.Input != nil {
		return c.Input.Size
	}
	return int64(len(c.Stdin))
}

// feeds reports whether the input is sent after the text that launches the command.
func feeds(c engine.Command) bool { return (c.Stdin != nil || c.Input != nil) && !inline(c) }

// inline reports whether the input can be a word of the text.
func inline(c engine.Command) bool {
	return c.Input == nil && len(c.Stdin) <= maxInline && !bytes.ContainsRune(c.Stdin, 0)
}
