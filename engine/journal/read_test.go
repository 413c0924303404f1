package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/engine/journal"
)

// relink rewrites prev in every line, so that a change shows by its own fault and not by the chain's.
func relink(t *testing.T, data []byte) []byte {
	t.Helper()
	prev := journal.Genesis(testRun, testNonce)
	var out []byte
	for _, line := range bytes.SplitAfter(data, []byte("\n")) {
		if i := bytes.Index(line, []byte(`"prev":"`)); i >= 0 && len(line) > i+72 {
			copy(line[i+8:], fmt.Sprintf("%x", prev))
		}
		prev = digest(line)
		out = append(out, line...)
	}
	return out
}

func TestStrictReaderRefuses(t *testing.T) {
	t.Parallel()
	_, good := journalFile(t)
	swap := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				panic("nothing to replace: " + old)
			}
			return bytes.Replace(b, []byte(old), []byte(with), 1)
		}
	}
	lines := bytes.SplitAfter(bytes.Clone(good), []byte("\n"))
	join := func(idx ...int) func([]byte) []byte {
		return func([]byte) []byte {
			var out []byte
			for _, i := range idx {
				out = append(out, lines[i]...)
			}
			return out
		}
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		keep   bool // do not relink
		want   error
		line   int
	}{
		"nothing":                   {func([]byte) []byte { return nil }, true, journal.ErrEmpty, 0},
		"byte order mark":           {func(b []byte) []byte { return append([]byte("\ufeff"), b...) }, true, journal.ErrHead, 1},
		"CR before LF":              {swap("\n", "\r\n"), false, journal.ErrSyntax, 1},
		"missing last LF":           {func(b []byte) []byte { return b[:len(b)-1] }, true, journal.ErrTorn, 10},
		"empty line":                {swap("\n", "\n\n"), false, journal.ErrHead, 2},
		"unknown type":              {swap(`"type":"item.intent"`, `"type":"item.wish"`), false, journal.ErrUnknownType, 5},
		"unknown field":             {swap(`"transport":"durable"`, `"transport":"durable","note":"x"`), false, journal.ErrSyntax, 5},
		"unknown inner field":       {swap(`"boot_id":"b"`, `"boot_id":"b","x":1`), false, journal.ErrSyntax, 5},
		"missing field":             {swap(`,"transport":"durable"`, ``), false, journal.ErrSyntax, 5},
		"duplicate field":           {swap(`"attempt":1`, `"attempt":1,"attempt":1`), false, journal.ErrSyntax, 5},
		"duplicate, escaped":        {swap(`"attempt":1`, `"attempt":1,"\u0061ttempt":2`), false, journal.ErrSyntax, 5},
		"duplicate, other case":     {swap(`"attempt":1`, `"attempt":1,"Attempt":2`), false, journal.ErrSyntax, 5},
		"field of the head again":   {swap(`"attempt":1`, `"attempt":1,"mode":"live"`), false, journal.ErrSyntax, 5},
		"white space":               {swap(`"attempt":1`, `"attempt": 1`), false, journal.ErrSyntax, 5},
		"text after the object":     {swap("}\n", "} \n"), false, journal.ErrSyntax, 1},
		"two objects":               {swap("}\n", "}{}\n"), false, journal.ErrSyntax, 1},
		"NUL":                       {swap("alice", "al\x00ce"), false, journal.ErrSyntax, 1},
		"bad UTF-8":                 {swap("alice", "al\xffce"), false, journal.ErrSyntax, 1},
		"lone surrogate":            {swap("alice", `al\ud800ce`), false, journal.ErrSyntax, 1},
		"surrogates reversed":       {swap("alice", `al\udc00\ud800ce`), false, journal.ErrSyntax, 1},
		"unknown escape":            {swap("alice", `al\'ce`), false, journal.ErrSyntax, 1},
		"wrong type":                {swap(`"attempt":1`, `"attempt":"1"`), false, journal.ErrSyntax, 5},
		"null":                      {swap(`"attempt":1`, `"attempt":null`), false, journal.ErrSyntax, 5},
		"number 1.0":                {swap(`"attempt":1`, `"attempt":1.0`), false, journal.ErrSyntax, 5},
		"number 1e2":                {swap(`"attempt":1`, `"attempt":1e2`), false, journal.ErrSyntax, 5},
		"number -0":                 {swap(`"attempt":1`, `"attempt":-0`), false, journal.ErrSyntax, 5},
		"number 01":                 {swap(`"attempt":1`, `"attempt":01`), false, journal.ErrSyntax, 5},
		"number beyond 64 bits":     {swap(`"attempt":1`, `"attempt":18446744073709551616`), false, journal.ErrSyntax, 5},
		"float 120.50":              {swap(`120.5`, `120.50`), false, journal.ErrSyntax, 5},
		"float 1.205e2":             {swap(`120.5`, `1.205e2`), false, journal.ErrSyntax, 5},
		"float beyond its digits":   {swap(`120.5`, `9007199254740993`), false, journal.ErrSyntax, 5},
		"float -0":                  {swap(`120.5`, `-0`), false, journal.ErrSyntax, 5},
		"time with an offset":       {swap(`"started_at":"2026-11-21T18:20:01.000000005Z"`, `"started_at":"2026-11-21T19:20:01+01:00"`), false, journal.ErrSyntax, 7},
		"seq 01":                    {swap(`"seq":1,`, `"seq":01,`), false, journal.ErrHead, 2},
		"head in another order":     {swap(`{"v":1,"seq":1,`, `{"seq":1,"v":1,`), false, journal.ErrHead, 2},
		"another version":           {swap(`{"v":1,`, `{"v":2,`), false, journal.ErrHead, 1},
		"prev in capitals":          {func(b []byte) []byte { b[25] = 'A'; return b }, true, journal.ErrHead, 1},
		"negative mono":             {swap(`"mono":`, `"mono":-`), false, journal.ErrHead, 1},
		"short time":                {swap(`000000Z","mono"`, `Z","mono"`), false, journal.ErrHead, 1},
		"unknown mode":              {swap(`"mode":"live"`, `"mode":"drill"`), false, journal.ErrHead, 1},
		"one line of another mode":  {swap(`"live","type":"item.intent"`, `"dry-run","type":"item.intent"`), false, journal.ErrMode, 5},
		"edited line":               {swap("alice", "mallo"), true, journal.ErrChain, 2},
		"edited run, relinked":      {swap(string(testRun), "20261121t182001z-7f3b"), false, journal.ErrChain, 1},
		"line twice":                {join(0, 1, 1, 2), false, journal.ErrSeq, 3},
		"line left out":             {join(0, 1, 3), false, journal.ErrSeq, 3},
		"lines swapped":             {join(0, 2, 1), false, journal.ErrSeq, 2},
		"line left out, unlinked":   {join(0, 1, 3), true, journal.ErrChain, 3},
		"run.opened twice":          {join(0, 0), false, journal.ErrOrder, 2},
		"run.opened not first":      {join(1, 0), false, journal.ErrOrder, 1},
		"something after the close": {join(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9), false, journal.ErrSeq, 11},
		"over 64 KiB":               {swap("alice", strings.Repeat("a", 65<<10)), false, journal.ErrTooLong, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := c.change(bytes.Clone(good))
			if !c.keep {
				bad = relink(t, bad)
			}
			_, err := journal.Read(bytes.NewReader(bad))
			require.ErrorIs(t, err, c.want)
			var le *journal.LineError
			if c.line > 0 {
				require.ErrorAs(t, err, &le)
				require.Equal(t, c.line, le.Line, "%v", err)
			}
		})
	}
}

func TestEveryDamagedByteIsDetected(t *testing.T) {
	t.Parallel()
	_, good := journalFile(t)
	for i := range good {
		for _, b := range []byte{good[i] ^ 1, 0, 0xff, '\n', '"'} {
			if b == good[i] {
				continue
			}
			bad := bytes.Clone(good)
			bad[i] = b
			// A byte of the last line changes no prev: there the seal's head shows it. Here only what is no line.
			r := journal.NewReader(bytes.NewReader(bad))
			var err error
			for err == nil {
				_, err = r.Next()
			}
			if !strings.Contains(err.Error(), "EOF") {
				continue
			}
			require.NotEqual(t, digest(lastLine(good)), r.Head(), "byte %d -> %q", i, b)
		}
	}
}

func lastLine(data []byte) []byte {
	i := bytes.LastIndexByte(data[:len(data)-1], '\n')
	return data[i+1:]
}

func TestEveryTruncationGivesTheLongestWholePrefix(t *testing.T) {
	t.Parallel()
	_, good := journalFile(t)
	for n := range good {
		cut := good[:n]
		p, err := journal.ReadPrefix(bytes.NewReader(cut))
		if n == 0 {
			require.ErrorIs(t, err, journal.ErrEmpty)
			continue
		}
		require.NoError(t, err)
		whole := bytes.Count(cut, []byte("\n"))
		require.Len(t, p.Events, whole)
		size := bytes.LastIndexByte(cut, '\n') + 1
		require.Equal(t, int64(size), p.Size)
		require.Equal(t, string(cut[size:]), string(p.Torn))
		_, err = journal.Read(bytes.NewReader(cut))
		require.Equal(t, size != n, errors.Is(err, journal.ErrTorn))
	}
}

func TestOnlyATornLastLineIsForgiven(t *testing.T) {
	t.Parallel()
	_, good := journalFile(t)
	last := len(good) - len(lastLine(good))
	for name, c := range map[string]struct {
		data []byte
		torn bool
	}{
		"zeros in the last line":         {zero(good, last+40, last+60), true},
		"zeros up to the end":            {zero(good, last+40, len(good)), true},
		"zeros over two lines, LF lost":  {zero(good, last-20, last+60), true},
		"a long tail of zeros":           {append(bytes.Clone(good[:last+9]), make([]byte, 200<<10)...), true},
		"zeros in a line before":         {zero(good, last-60, last-40), false},
		"other damage in the last line":  {bytes.Replace(good, []byte(`"verdict":"failed"`), []byte(`"verdict":failed"`), 1), false},
		"other damage before":            {bytes.Replace(good, []byte("alice"), []byte("malic"), 1), false},
		"zeros, then a line that chains": {append(append(bytes.Clone(good[:last]), 0, '\n'), lastLine(good)...), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := journal.ReadPrefix(bytes.NewReader(c.data))
			require.Equal(t, c.torn, err == nil, "%v", err)
			if c.torn {
				require.NotEmpty(t, p.Torn)
				require.Equal(t, len(c.data), int(p.Size)+len(p.Torn), "no byte is lost")
			}
		})
	}
}

func zero(data []byte, from, to int) []byte {
	out := bytes.Clone(data)
	clear(out[from:to])
	return out
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{}\n"))
	dir := f.TempDir()
	f.Add(seedJournal(f, dir))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := journal.ReadPrefix(bytes.NewReader(data))
		events, serr := journal.Read(bytes.NewReader(data))
		require.Len(t, events, len(p.Events))
		if serr == nil {
			require.NoError(t, err)
			require.Empty(t, p.Torn)
			require.Equal(t, int64(len(data)), p.Size)
		}
	})
}
