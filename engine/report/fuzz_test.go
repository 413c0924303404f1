package report

import (
	"encoding/xml"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	// ourTag is what instructions may hold: the elements of CommonMark without images and raw HTML.
	ourTag = regexp.MustCompile(`</?(p|strong|em|a|code|pre|ol|ul|li|blockquote|hr|br)(\s+(href|title|class|start)="[^"<>]*")*\s*/?>`)
	badRef = regexp.MustCompile(`(?i)href="\s*(javascript|vbscript|data):`)
)

// FuzzTexts checks each way in which foreign text gets into a face: nothing of it is obeyed there.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{
		"", "plain", "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](http://x/y.png)", "<img src=x onerror=alert(1)>",
		"<!-- x -->", "<div>\n<script>\n</div>", "a\x1b[31m\u202e\xff", "# h\n\n- l\n", "<http://x> <x@y.z>", "&#x3c;script&#x3e;", "`a`", "'\"</style>",
		"[a]: javascript:x\n\n[a]", "```\n</code></pre><script>\n```", "=1+1", "]]>", "[x](data:text/html;base64,PHNjcmlwdD4=)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, out := range []string{string(visHTML(text)), string(linesHTML(text))} {
			out = strings.NewReplacer(`<span class="esc">`, "", "</span>", "").Replace(out)
			require.NotContains(t, out, "<")
			require.NotContains(t, out, `"`)
		}
		md := string(instructionsHTML(text))
		require.NotContains(t, ourTag.ReplaceAllString(md, ""), "<", md)
		require.NotRegexp(t, badRef, md)
		css := cssString(text)
		require.NotContains(t, css[1:len(css)-1], `"`)
		require.NotContains(t, css, "<")
		require.NotContains(t, css, "\n")
		var b strings.Builder
		require.NoError(t, xml.EscapeText(&b, []byte(JUnitText(text))))
		var back string
		require.NoError(t, xml.Unmarshal([]byte("<a>"+b.String()+"</a>"), &back))
		require.Equal(t, JUnitText(text), back, "nothing of it had to be replaced")
		if cell := csvCell(text); cell != "" {
			require.NotContains(t, "=+-@\t\r\n", cell[:1])
		}
	})
}
