package hostshell

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/continuo-runbooks/continuo/engine"
)

// Case 9: whatever the bytes, a shell reads the word that was meant.
func TestQuote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 20), 1, 5).Draw(t, "words")
		var script, want strings.Builder
		script.WriteString("printf '%s|'")
		for _, w := range words {
			script.WriteString(" " + Quote(string(w)))
			want.WriteString(string(w) + "|")
		}
		cmd := exec.Command("/bin/sh", "-s")
		cmd.Stdin = strings.NewReader(script.String() + "\n")
		out, err := cmd.Output()
		if err != nil || string(out) != want.String() {
			t.Fatalf("%q became %q: %v", want.String(), out, err)
		}
	})
}

// Every text is one group: whatever is cut off its end, a shell executes nothing of it.
func TestTextsAreOneGroup(t *testing.T) {
	t.Parallel()
	a := engine.Attempt{ID: testNonce, Incarnation: &engine.Incarnation{BootID: "12345678", InitTime: "1", StateDir: t.TempDir(), StateID: testNonce},
		Command: engine.Command{Script: "echo ran", Env: []engine.Env{{Name: "A", Value: "it's"}}, Stdin: []byte("x"), Timeout: time.Second}}
	texts := map[string]string{
		"plain":     plainText(engine.Command{Script: "echo ran\n"}, testNonce),
		"argv":      plainText(engine.Command{Argv: []string{"echo", "ran"}}, testNonce),
		"prepare":   prepareText(testNonce, testNonce),
		"preflight": preflightText(testNonce, engine.PreflightRequest{Steps: true, Programs: []string{"ls"}}),
		"launch":    launchText(testNonce, a, 1, true, false).text,
		"kept":      keptText(talk{nonce: testNonce, text: launchText(testNonce, a, 1, true, true).text}, true),
		"collect":   collectText(testNonce, a, true, 0, 0),
		"kill":      killText(testNonce, a),
		"tidy":      tidyText(testNonce, "/nonsuch", []engine.AttemptID{testNonce}, true, 20000),
	}
	for name, text := range texts {
		require.True(t, strings.HasPrefix(text, "{"), name)
		require.True(t, strings.HasSuffix(text, "}\n"), name)
		for _, sh := range []string{"sh", "bash"} {
			out, err := exec.Command(sh, "-n", "-c", text).CombinedOutput()
			require.NoError(t, err, "%s in %s: %s", name, sh, out)
		}
		body := strings.TrimRight(text, "}\n")
		step := max(1, len(body)/40)
		for i := 1; i < len(body); i += step {
			cmd := exec.Command("/bin/sh", "-s")
			cmd.Stdin = strings.NewReader(body[:i])
			cmd.Env = []string{"HOME=/nonsuch", "PATH=/usr/bin:/bin"}
			out, _ := cmd.Output() // a syntax error
			require.Empty(t, string(out), "%s cut at %d", name, i)
		}
	}
}

// What is secret is nowhere but in the text, which travels on stdin.
func TestLaunchKeepsValuesOutOfPrograms(t *testing.T) {
	t.Parallel()
	a := engine.Attempt{ID: testNonce, Incarnation: &engine.Incarnation{BootID: "12345678", InitTime: "1", StateDir: "/s", StateID: testNonce},
		Command: engine.Command{Argv: []string{"x"}, Env: []engine.Env{{Name: "TOKEN", Value: "SECRET"}}, Stdin: []byte("SECRET"), Become: "root"}}
	for line := range strings.Lines(launchText(testNonce, a, 1, true, false).text) {
		if strings.Contains(line, "SECRET") {
			require.Regexp(t, `^CONTINUO_(IN|0)='SECRET'\n$`, line)
		}
	}
}

func TestParseResult(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]engine.ExitStatus{
		"0 exit 1 0 - .":                        {},
		"255 exit 1 0 - .":                      {Code: 255},
		"3 exit 1 1 - .":                        {Code: 3, BackgroundOpen: true},
		"137 exit 1 0 - .":                      {Code: 137},
		"137 exit 1 0 signal .":                 {Code: 137, Signal: "KILL"},
		"143 timeout 1 0 - .":                   {Code: 143, Signal: "TERM", TimedOut: true, KillConfirmed: true},
		"137 killed 0 1 - 12:sleep 13:my cmd .": {Code: 137, Signal: "KILL", Survivors: []string{"12:sleep", "13:my", "cmd"}},
		"0 timeout 1 0 - .":                     {TimedOut: true, KillConfirmed: true},
	} {
		got, err := parseResult(strings.Fields(line))
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{"", ".", "0 exit 1 0 -", "x exit 1 0 - .", "-1 exit 1 0 - .", "256 exit 1 0 - ."} {
		_, err := parseResult(strings.Fields(line))
		require.Error(t, err, line)
	}
}

// The end of an exchange is found wherever the stream is cut into pieces, and what came before it is passed on byte for byte.
func TestEndOfExchange(t *testing.T) {
	t.Parallel()
	const said = "a\nNONCE err\nNONCE endless NONCE en"
	stream := said + "NONCE end 17\n"
	for cut := range len(stream) + 1 {
		var before bytes.Buffer
		ended := make(chan int, 2)
		w := &endWriter{mark: []byte("NONCE end "), next: &before, ended: ended}
		_, _ = io.WriteString(w, stream[:cut])
		_, _ = io.WriteString(w, stream[cut:])
		_, _ = io.WriteString(w, "what nobody asked for\n")
		require.Equal(t, 17, <-ended, cut)
		require.Empty(t, ended)
		require.Equal(t, said, before.String())
	}
	for _, bad := range []string{"$?\n", "-1\n", "\n", "12345678901234567890"} {
		ended := make(chan int, 1)
		w := &endWriter{mark: []byte("NONCE end "), next: io.Discard, ended: ended}
		_, _ = io.WriteString(w, "NONCE end "+bad)
		require.Equal(t, -1, <-ended, bad)
	}
}

func TestOffsets(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := &offsetWriter{w: &b}
	_, _ = io.WriteString(o, "abc")
	w := o.from(0)
	for _, s := range []string{"a", "bcd", "", "ef"} {
		_, _ = io.WriteString(w, s)
	}
	require.Equal(t, "abcdef", b.String())
	require.EqualValues(t, 6, o.offset())
	_, _ = io.WriteString(o, "g")
	_, _ = io.WriteString(o.from(5), "fgh")
	require.Equal(t, "abcdefgh", b.String())
}

func TestBecomeGate(t *testing.T) {
	t.Parallel()
	g := newBecomeGate(io.Discard)
	var rest bytes.Buffer
	g.next = &rest
	for _, c := range "Lecture.\n" + g.prompt {
		_, _ = io.WriteString(g, string(c))
	}
	<-g.prompts
	require.Equal(t, "Lecture.", g.text())
	_, _ = io.WriteString(g, "\nsorry\n"+g.grant+"\nstderr of the command")
	<-g.granted
	require.Equal(t, "stderr of the command", rest.String())
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b \uFFFD[31mred ü", printable("a\n b\t\x1b[31mred ü "))
	require.LessOrEqual(t, len(printable(strings.Repeat("x", 10000))), 320)
}
