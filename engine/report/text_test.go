package report

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestHuman(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 1: "under 1 ms", time.Millisecond: "1 ms", 340 * time.Millisecond: "340 ms", 999 * time.Millisecond: "999 ms",
		999_600 * time.Microsecond: "1 s", 12300 * time.Millisecond: "12.3 s", 12 * time.Second: "12 s",
		59_949 * time.Millisecond: "59.9 s", 59_950 * time.Millisecond: "1 m", 252 * time.Second: "4 m 12 s",
		time.Hour: "1 h", 7452 * time.Second: "2 h 4 m 12 s", 26*time.Hour + 4*time.Minute + 9*time.Second: "1 d 2 h 4 m",
		-90 * time.Second: "−1 m 30 s",
	} {
		require.Equal(t, want, human(d), d.String())
	}
	require.Equal(t, "252.104 s", exact(252104*time.Millisecond))
}

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 16 << 20: "16 MiB", 3 << 40: "3 TiB", 5000 << 40: "5000 TiB"} {
		require.Equal(t, want, size(n))
	}
	require.Equal(t, "9999", count(9999))
	require.Equal(t, "12\u202f345", count(12345))
	require.Equal(t, "1\u202f234\u202f567", count(1234567))
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain äöü 日本 שלום ✓": "plain äöü 日本 שלום ✓", "\x1b[31m": `\x1b[31m`, "a\u202eb": `a\u202eb`, "\u2066x\u2069": `\u2066x\u2069`,
		"\xff": `\xff`, "a\tb\nc\rd": `a\tb\nc\rd`, "\u200b": `\u200b`, "\u00a0": `\u00a0`, "\u2028": `\u2028`, "\U000e0041": `\U000e0041`,
		"\ufe0f": `\ufe0f`, "\x7f\u0085": `\x7f\u0085`, "\ufffd": `�`,
	} {
		require.Equal(t, want, visible(in))
	}
	require.Equal(t, "a\tb\n\\x1b", visibleLines("a\tb\n\x1b"))
}

func TestVisible_isValidAndQuietWhateverComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		out := visible(in)
		require.True(t, utf8.ValidString(out))
		require.NotContains(t, out, "\n")
		require.Equal(t, out, visible(out), "what is visible stays as it is")
		require.Empty(t, strings.Map(func(r rune) rune {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				return r
			}
			return -1
		}, out))
	})
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	head, more := excerpt("a\nb\nc\n", 2, 100)
	require.Equal(t, "a\nb", head)
	require.Equal(t, 1, more)
	head, more = excerpt("a\nb\n", 2, 100)
	require.Equal(t, "a\nb", head)
	require.Zero(t, more)
	head, more = excerpt(strings.Repeat("ä", 100), 2, 11)
	require.Equal(t, strings.Repeat("ä", 5), head, "cut between characters")
	require.Equal(t, 1, more)
}

func TestSeconds_JSONIsExact(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0", 900 * time.Second: "900", 412500 * time.Millisecond: "412.5", 1: "0.000000001",
		-1500 * time.Millisecond: "-1.5", math.MaxInt64: "9223372036.854775807"} {
		got, err := json.Marshal(Seconds(d))
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		var back Seconds
		require.NoError(t, json.Unmarshal(got, &back))
		require.Equal(t, d, back.Duration())
	}
	var s Seconds
	require.Error(t, json.Unmarshal([]byte(`"x"`), &s))
	require.Error(t, json.Unmarshal([]byte(`1e300`), &s))
}

func TestMarkdown_escapesOnlyWhatHasAMeaning(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"step.promote on db-b1 (10.0.0.5:22)": "step.promote on db-b1 (10.0.0.5:22)", "a|b": `a\|b`, "*x*": `\*x\*`, "snake_case": "snake_case",
		"_x_": `\_x\_`, "# no heading": `\# no heading`, "- no list": `\- no list`, "1. no list": `1\. no list`, "v1.2": "v1.2", "2.1.0": "2.1.0", "7) x": `7\) x`,
		"[a](b)": `\[a\](b)`, "<b>": `\<b\>`, "see https://x": `see https\://x`, "a\nb": `a\\nb`, "&amp;": `\&amp;`,
	} {
		require.Equal(t, want, md(in))
	}
	require.Equal(t, "`` a`b ``", mdCode("a`b"))
	require.Equal(t, "`a\\|b`", mdCode("a|b"))
}

func TestTicks_areRoundAndFew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(5*365*24*time.Hour)).Draw(t, "total"))
		got := ticks(total)
		require.LessOrEqual(t, len(got), 9)
		require.Equal(t, "0 s", got[0].Label)
		for _, k := range got {
			require.GreaterOrEqual(t, k.X, tenth(chartLeft*10))
			require.LessOrEqual(t, k.X, tenth(chartRight*10))
		}
	})
	require.Len(t, ticks(2*time.Minute), 9)
}

func TestBar_staysInsideAndIsSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(1000*time.Hour)).Draw(t, "total"))
		at := time.Duration(rapid.Int64Range(0, int64(total)).Draw(t, "at"))
		length := time.Duration(rapid.Int64Range(0, int64(total-at)).Draw(t, "length"))
		b := newBar(at, length, total, MachineTime)
		require.GreaterOrEqual(t, b.X, tenth(chartLeft*10))
		require.LessOrEqual(t, b.X+b.W, tenth(chartRight*10))
		require.GreaterOrEqual(t, b.W, tenth(20))
	})
	require.Equal(t, "29.2", tenth(292).String())
	require.Equal(t, "29", tenth(290).String())
}

func TestShorten(t *testing.T) {
	t.Parallel()
	require.Equal(t, "call.database.step.promote", shorten("call.database.step.promote", 40))
	got := shorten("call.database.call.replication.step.promote", 20)
	require.Len(t, []rune(got), 20)
	require.Equal(t, "call.database…romote", got)
}
