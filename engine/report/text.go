package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// human is a length for people: 340 ms, 12.3 s, 4 m 12 s, 2 h 4 m 12 s, 1 d 2 h 4 m. exact gives the rest.
func human(d time.Duration) string {
	if d < 0 {
		return "−" + human(-d)
	}
	switch {
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return "under 1 ms"
	case d < 999500*time.Microsecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond)/time.Millisecond)
	case d < 59950*time.Millisecond:
		return trimZero(strconv.FormatFloat(d.Seconds(), 'f', 1, 64)) + " s"
	}
	d = d.Round(time.Second)
	days, h, m, s := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	parts := []struct {
		n    time.Duration
		unit string
	}{{days, "d"}, {h, "h"}, {m, "m"}, {s, "s"}}
	if days > 0 {
		parts = parts[:3]
	}
	var out []string
	for _, p := range parts {
		if p.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", p.n, p.unit))
		}
	}
	return strings.Join(out, " ")
}

func trimZero(s string) string { return strings.TrimSuffix(s, ".0") }

// exact is a length in seconds with milliseconds.
func exact(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + " s" }

// number is a value without an exponent, as short as it can be.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// count is a whole number with thin groups: 12 345.
func count(n int) string {
	s := strconv.Itoa(n)
	if len(s) <= 4 {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteRune('\u202f')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// size is a number of bytes for people.
func size(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	f, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB"}
	for i, u := range units {
		f /= 1024
		if f < 1024 || i == len(units)-1 {
			return trimZero(strconv.FormatFloat(f, 'f', 1, 64)) + " " + u
		}
	}
	return ""
}

const dateTime = "2006-01-02 15:04:05"

// instant is a time in UTC, to the second.
func instant(t time.Time) string {
	if t.IsZero() {
		return "not recorded"
	}
	return t.UTC().Format(dateTime) + " UTC"
}

// local is the same time in the report's zone: only the clock when the date is the same as in UTC. Empty where it is the
// same as UTC.
func local(t time.Time, loc *time.Location) string {
	if t.IsZero() || loc == nil || loc.String() == "UTC" {
		return ""
	}
	l := t.In(loc)
	if _, offset := l.Zone(); offset == 0 {
		return ""
	}
	if l.Format(time.DateOnly) == t.UTC().Format(time.DateOnly) {
		return l.Format("15:04:05 MST")
	}
	return l.Format(dateTime + " MST")
}

// shown is one character of foreign text: as it is, or escaped because it would not be seen or would be obeyed.
type shown struct {
	text    string
	escaped bool
}

// eachShown walks text and calls f with each run of characters that is shown in the same way. Line feeds and tabs are
// kept when multiline is set.
func eachShown(text string, multiline bool, f func(shown)) {
	from := 0
	flush := func(to int) {
		if to > from {
			f(shown{text: text[from:to]})
		}
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if esc := escapeRune(r, text[i], n, multiline); esc != "" {
			flush(i)
			f(shown{text: esc, escaped: true})
			from = i + n
		}
		i += n
	}
	flush(len(text))
}

// escapeRune gives the visible form of what must not be shown as it is, or "".
func escapeRune(r rune, first byte, n int, multiline bool) string {
	switch {
	case r == utf8.RuneError && n <= 1:
		return fmt.Sprintf(`\x%02x`, first)
	case multiline && (r == '\n' || r == '\t'):
		return ""
	case r == '\n':
		return `\n`
	case r == '\t':
		return `\t`
	case r == '\r':
		return `\r`
	case r < 0x20 || r == 0x7f:
		return fmt.Sprintf(`\x%02x`, r)
	case r == ' ' || unicode.IsPrint(r) && !invisible(r):
		return ""
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// invisible lists what Go calls printable and yet shows nothing, or changes what stands beside it.
func invisible(r rune) bool {
	switch {
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x2800: // fillers and blanks
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0100 && r <= 0xe01ef: // variation selectors
		return true
	}
	return false
}

// visible is foreign text for one line: everything that would be obeyed or not be seen is escaped.
func visible(text string) string { return visibleAs(text, false) }

// visibleLines is the same for a block of lines.
func visibleLines(text string) string { return visibleAs(text, true) }

func visibleAs(text string, multiline bool) string {
	var b strings.Builder
	eachShown(text, multiline, func(s shown) { b.WriteString(s.text) })
	return b.String()
}

// excerpt cuts text to its first lines, and says how many it left out.
func excerpt(text string, lines, bytes int) (head string, more int) {
	all := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	used := 0
	for i, l := range all {
		if i == lines || used+len(l) > bytes && i > 0 {
			return strings.TrimSuffix(strings.Join(all[:i], ""), "\n"), len(all) - i
		}
		used += len(l)
	}
	head = strings.Join(all, "")
	if len(head) > bytes {
		cut := bytes
		for cut > 0 && !utf8.RuneStart(head[cut]) {
			cut--
		}
		return head[:cut], 1
	}
	return head, 0
}
