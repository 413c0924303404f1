package view

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, line, text string }{
		{"plain", "all is well: 5 µs", "all is well: 5 µs", "all is well: 5 µs"},
		{"colour", "\x1b[1;31mred\x1b[0m", "red", "red"},
		{"clear screen", "a\x1b[2J\x1b[Hb", "ab", "ab"},
		{"title", "a\x1b]0;owned\x07b", "ab", "ab"},
		{"title ended by ST", "a\x1b]0;owned\x1b\\b", "ab", "ab"},
		{"torn sequence", "a\x1b[", `a`, `a`},
		{"carriage return", "ok\rFAILED", `ok\u000dFAILED`, `ok\u000dFAILED`},
		{"bidi override", "user\u202etxt.exe", `user\u202etxt.exe`, `user\u202etxt.exe`},
		{"zero width", "pass\u200bed", `pass\u200bed`, `pass\u200bed`},
		{"c1 control", "a\u009b31mb", `a\u009b31mb`, `a\u009b31mb`},
		{"not UTF-8", "a\xffb", `a\xffb`, `a\xffb`},
		{"lines", "a\n\tb", "a  b", "a\n\tb"},
		{"separator", "a\u2028b", `a\u2028b`, `a\u2028b`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.line, Clean(tc.in))
			require.Equal(t, tc.text, CleanText(tc.in))
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31mred\x1b[0m\u202e\r\n")
	f.Add("\x1b\x1b\x1b]\x9c\xff")
	f.Fuzz(func(t *testing.T, in string) {
		for _, r := range Clean(in) {
			require.Falsef(t, unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r), "%q passed %q", in, r)
		}
		require.Equal(t, Clean(in), Clean(Clean(in)))
	})
}
