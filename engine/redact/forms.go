package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// form is one way in which a secret may appear.
type form struct {
	name     string // of the secret
	encoding string
	text     string
}

// maxEncodedLines bounds for how many lines of a secret the encodings are searched too.
const maxEncodedLines = 200

// forms lists the ways in which a value may appear, without repetitions and without those too short to look for.
func forms(name, value string) []form {
	c := collector{name: name, seen: map[string]bool{}}
	c.add("raw", value)
	trimmed := strings.TrimSpace(value)
	c.add("trimmed", trimmed)
	c.encodings(trimmed)
	lines := strings.Split(trimmed, "\n")
	if len(lines) == 1 {
		return c.out
	}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-----") {
			continue // the frame of a PEM block is in every other one too
		}
		c.add("line", line)
		if i < maxEncodedLines && len(line) >= MinLength {
			c.encodings(line)
		}
	}
	return c.out
}

type collector struct {
	name string
	seen map[string]bool
	out  []form
}

func (c *collector) add(encoding, text string) {
	if len(text) < MinLength || c.seen[text] {
		return
	}
	c.seen[text] = true
	c.out = append(c.out, form{name: c.name, encoding: encoding, text: text})
}

func (c *collector) encodings(v string) {
	c.base64("base64", base64.RawStdEncoding, v)
	c.base64("base64url", base64.RawURLEncoding, v)
	h := hex.EncodeToString([]byte(v))
	c.add("hex", h)
	c.add("hex", strings.ToUpper(h))
	c.url(v)
	c.json(v)
	c.shell(v)
}

// base64 adds what an encoder prints for v wherever v begins in its input: at each of the three alignments the digits
// that depend on v alone. Encoders that wrap lines show pieces of the first alignment.
func (c *collector) base64(name string, enc *base64.Encoding, v string) {
	for pad := range 3 {
		text := enc.EncodeToString([]byte("\x00\x00"[:pad] + v))
		// The first digits hold bits of what stands before v, the last one bits of what follows.
		text = text[[3]int{0, 2, 3}[pad]:]
		if (pad+len(v))%3 != 0 {
			text = text[:len(text)-1]
		}
		c.add(name, text)
		if pad > 0 {
			continue
		}
		for _, width := range []int{64, 76} {
			for rest := text; len(text) > width && len(rest) >= 16; rest = rest[min(width, len(rest)):] {
				c.add(name, rest[:min(width, len(rest))])
			}
		}
	}
}

func (c *collector) url(v string) {
	q := url.QueryEscape(v)
	c.url2(q)
	c.url2(strings.ReplaceAll(q, "+", "%20"))
	c.url2(url.PathEscape(v))
}

// url2 adds an escaped form with capital and with small hexadecimal digits.
func (c *collector) url2(text string) {
	c.add("url", text)
	b := []byte(text)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(text[i+1:i+3]))
		}
	}
	c.add("url", string(b))
}

func (c *collector) json(v string) {
	plain := jsonText(v, false)
	c.add("json", plain)
	c.add("json", jsonText(v, true))
	c.add("json", strings.ReplaceAll(plain, "/", `\/`))
	c.add("json", asciiJSON(plain))
}

// jsonText is v as it stands between the quotes of a JSON string.
func jsonText(v string, html bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(v); err != nil {
		return v // strings always encode
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// asciiJSON escapes everything beyond ASCII, as many encoders do.
func asciiJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func (c *collector) shell(v string) {
	c.add("shell", strings.ReplaceAll(v, `'`, `'\''`))
	c.add("shell", strings.ReplaceAll(v, `'`, `'"'"'`))
	c.add("shell", escaped(v, "\\\"$`"))
	c.add("shell", escaped(v, " \t!\"#$&'()*;<>?[\\]^`{|}~,="))
	c.add("shell", escaped(v, " \t!\"#$&'()*;<>?[\\]^`{|}"))
}

// escaped puts a backslash before every byte of v that is one of special.
func escaped(v, special string) string {
	var b strings.Builder
	for i := range len(v) {
		if strings.IndexByte(special, v[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(v[i])
	}
	return b.String()
}
