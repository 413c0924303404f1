package view

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEditor(t *testing.T) {
	t.Parallel()
	var e editor
	e.insert("lag is 3 s\x1b[31m\n")
	require.Equal(t, "lag is 3 s[31m", e.value(), "nothing that moves the cursor gets in")
	for _, k := range []string{"backspace", "backspace", "backspace", "backspace", "backspace"} {
		require.True(t, e.key(k))
	}
	require.Equal(t, "lag is 3 s", string(e.text))
	require.True(t, e.key("ctrl+w"))
	require.True(t, e.key("ctrl+w"))
	e.insert("four s")
	require.Equal(t, "lag is four s", e.value())
	for _, k := range []string{"home", "delete", "right", "left"} {
		require.True(t, e.key(k))
	}
	e.insert("L")
	require.Equal(t, "Lag is four s", e.value())
	require.True(t, e.key("end"))
	require.True(t, e.key("ctrl+u"))
	require.Empty(t, e.value())
	e.insert("abc")
	require.True(t, e.key("ctrl+b"))
	require.True(t, e.key("ctrl+k"))
	require.Equal(t, "ab", e.value())
	require.False(t, e.key("enter"))
}

func TestEditorShowsTheCursor(t *testing.T) {
	t.Parallel()
	var e editor
	e.insert("0123456789")
	text, at := e.show(20, false)
	require.Equal(t, "0123456789", text)
	require.Equal(t, 10, at)
	text, at = e.show(5, false)
	require.Equal(t, "6789", text)
	require.Equal(t, 4, at)
	e.key("home")
	text, at = e.show(5, false)
	require.Equal(t, "01234", text)
	require.Equal(t, 0, at)
	text, _ = e.show(20, true)
	require.Equal(t, "**********", text)
}
