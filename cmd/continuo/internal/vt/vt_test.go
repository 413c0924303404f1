package vt_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/cmd/continuo/internal/vt"
)

func TestTerminal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"lines scroll away", "one\r\ntwo\r\nthree\r\nfour", []string{"one", "two", "three", "four"}},
		{"wraps only for a further character", "12345\r\nx", []string{"12345", "x"}},
		{"wraps", "123456", []string{"12345", "6"}},
		{"moves and erases", "abc\x1b[2D\x1b[Kx\r\n\x1b[1Ay", []string{"yx"}},
		{"inserts lines", "a\r\nb\x1b[1A\r\x1b[Lz", []string{"z", "a", "b"}},
		{"deletes", "abcd\r\x1b[2P\x1b[1@", []string{" cd"}},
		{"repeats", "a\x1b[3b", []string{"aaaa"}},
		{"wide characters", "日本語", []string{"日本", "語"}},
		{"colour says nothing", "\x1b[1;31mx\x1b[0m", []string{"x"}},
		{"split sequences", "a\x1b[", []string{"a"}},
	} {
		v := vt.New(5, 3)
		_, err := v.Write([]byte(tc.in))
		require.NoError(t, err)
		require.Equal(t, tc.want, v.All(), tc.name)
		require.Empty(t, v.Faults(), tc.name)
	}
}

func TestTerminalNoticesFaults(t *testing.T) {
	t.Parallel()
	v := vt.New(5, 3)
	_, err := v.Write([]byte("\x1b[2J\x1b[?1049h\x1b[5t\x1b[?25l\x1b[?2004h"))
	require.NoError(t, err)
	require.Len(t, v.Faults(), 3)
	require.ElementsMatch(t, []string{"the cursor is hidden", "mode ?1049 is on", "mode ?2004 is on"}, v.Restored())
	require.Equal(t, "\n\n\n", v.Screen())
}
