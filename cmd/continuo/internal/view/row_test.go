package view

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func texts(rows []row) []string {
	s, _ := screen()
	out := make([]string, len(rows))
	for n, r := range rows {
		out[n] = r.text(s)
	}
	return out
}

func TestRowFitAndWrap(t *testing.T) {
	t.Parallel()
	r := row{{"the quick ", bold}, {"brown fox jumps", plainInk}}
	require.Equal(t, []string{"the quick …"}, texts([]row{r.fit(11)}))
	require.Equal(t, []string{"the quick brown fox jumps"}, texts([]row{r.fit(25), r.fit(0)})[:1])
	require.Equal(t, []string{"the quick", "  brown", "  fox", "  jumps"}, texts(r.wrap(9, 2)))
	require.Equal(t, []string{"the", "  qui", "  ck", "  bro", "  wn", "  fox", "  jum", "  ps"}, texts(r.wrap(5, 9)))
	require.Equal(t, []string{"日本", "語"}, texts(say("日本語").wrap(4, 0)), "a wide character is never cut")
	require.Equal(t, []string{"日…"}, texts([]row{say("日本語").fit(4)}))
}

// TestRowWrapProperties: nothing is wider than the screen, and nothing but spaces is lost.
func TestRowWrapProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-c日 ]{0,60}`).Draw(t, "text")
		width := rapid.IntRange(4, 20).Draw(t, "width")
		joined := ""
		for _, r := range say(text).wrap(width, rapid.IntRange(0, 4).Draw(t, "indent")) {
			got := texts([]row{r})[0]
			require.LessOrEqual(t, say(got).width(), width)
			joined += got
		}
		require.Equal(t, strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(joined, " ", ""))
	})
}
