package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// cutter takes a line apart piece by piece; the first piece that is not there makes it fail.
type cutter struct {
	rest []byte
	bad  string
}

func (c *cutter) literal(text string) {
	rest, ok := bytes.CutPrefix(c.rest, []byte(text))
	if !ok && c.bad == "" {
		c.bad = text
	}
	c.rest = rest
}

// until takes what stands before the next byte of that kind.
func (c *cutter) until(what string, end byte) string {
	i := bytes.IndexByte(c.rest, end)
	if i < 0 || i > 64 {
		if c.bad == "" {
			c.bad = what
		}
		return ""
	}
	piece := string(c.rest[:i])
	c.rest = c.rest[i:]
	return piece
}

// parseHead takes the head off a line without its LF and returns what follows the type's closing quote.
func parseHead(line []byte) (Head, []byte, error) {
	c := cutter{rest: line}
	c.literal(`{"v":1,"seq":`)
	seq := c.until("seq", ',')
	c.literal(`,"prev":"`)
	prev := c.until("prev", '"')
	c.literal(`","t":"`)
	t := c.until("t", '"')
	c.literal(`","mono":`)
	mono := c.until("mono", ',')
	c.literal(`,"mode":"`)
	mode := c.until("mode", '"')
	c.literal(`","type":"`)
	typ := c.until("type", '"')
	c.literal(`"`)
	if c.bad != "" {
		return Head{}, nil, fmt.Errorf("at %s: %w", c.bad, ErrHead)
	}
	h := Head{Mode: engine.Mode(mode), Type: typ}
	ok := h.setPrev(prev)
	ok = h.setNumbers(seq, mono) && ok
	ok = h.setTime(t) && ok
	if !ok {
		return Head{}, nil, ErrHead
	}
	switch h.Mode {
	case engine.DryRun, engine.Live, engine.Simulate:
	default:
		return Head{}, nil, fmt.Errorf("mode %q: %w", mode, ErrHead)
	}
	return h, c.rest, nil
}

func (h *Head) setPrev(text string) bool {
	n, err := hex.Decode(h.Prev[:], []byte(text[:min(len(text), 2*len(h.Prev))]))
	return err == nil && n == len(h.Prev) && hex.EncodeToString(h.Prev[:]) == text
}

func (h *Head) setNumbers(seq, mono string) bool {
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != seq {
		return false
	}
	m, err := strconv.ParseInt(mono, 10, 64)
	if err != nil || m < 0 || strconv.FormatInt(m, 10) != mono {
		return false
	}
	h.Seq, h.Mono = n, time.Duration(m)
	return true
}

func (h *Head) setTime(text string) bool {
	t, err := time.Parse(timeLayout, text)
	h.T = t
	return err == nil && t.Format(timeLayout) == text
}
