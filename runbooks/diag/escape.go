package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape shows what a terminal would act on or hide: control characters, characters that change the direction of text
// or have no width, and bytes that are not UTF-8. Tabs and line breaks are shown too; callers that lay text out expand
// and split it first.
func Escape(s string) string {
	if clean(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		b.WriteString(escapeRune(r, n, s[i:i+n]))
		i += n
	}
	return b.String()
}

func clean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return escapeRune(r, utf8.RuneLen(r), "") != "" }) < 0
}

// escapeRune is the visible form of a rune, or raw where it is harmless.
func escapeRune(r rune, n int, raw string) string {
	switch {
	case r == utf8.RuneError && n == 1:
		if raw == "" {
			return `\x`
		}
		return fmt.Sprintf(`\x%02x`, raw[0])
	case r < 0x20:
		return string(rune(0x2400) + r) // the picture of the control character: ␛
	case r == 0x7f:
		return "␡"
	case r != ' ' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
		unicode.Is(unicode.Co, r)):
		return fmt.Sprintf("<U+%04X>", r)
	}
	return raw
}
