package hostshell

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
)

// The files of an attempt are flat in the state directory, ID.NAME, so that no directory has to be made:
//
//	go   the claim: whoever creates it decides for ever. "run PID BOOT START ." or "fence BOOT ."
//	rc   the result: "CODE REASON CONFIRMED BACKGROUND SIGNAL SURVIVORS… .", made blank before the command starts, so
//	     that a disk that fills up meanwhile has room for it
//	out, err   what the command wrote; w   what its runner's shell said
//	NONCE.cmd, NONCE.in   script and input of one launch; a launch never touches those of another
//
// Redirections that may fail stand with `true`, never with `:`: a failing redirection of a special builtin ends a POSIX shell.
//
// A line without its final " ." was not written to its end and counts as not written.

// runnerText runs in a session of its own and outlives the connection. Arguments: path prefix of the attempt, path
// prefix of the launch, boot id, timeout and kill grace in seconds. It ignores what a dying connection sends. @STEP@ is the
// text that the command's own session executes, @INPUT@ what gives it its input, @CLEAN@ what removes that again.
const runnerText = `trap "" HUP INT QUIT PIPE
D=$1 L=$2 boot=$3 T=$4 K=$5
st=-; if [ -r /proc/$$/stat ] && read -r x </proc/$$/stat; then set -- ${x##*) }; shift 19; st=$1; fi
c= k= early= w=
nap() { sleep 0.1 2>/dev/null || sleep 1; }
alive() { kill -0 -$c 2>/dev/null; }
ended() {
kill -0 $c 2>/dev/null || return 0
[ -r /proc/$c/stat ] && read -r x </proc/$c/stat || return 1
case ${x##*) } in Z*) return 0;; esac
return 1
}
end() {
if [ -z "$c" ]; then early=$1; return; fi
if [ -n "$k" ] || ended; then return; fi
k=$1
kill -TERM -$c 2>/dev/null || kill -TERM $c 2>/dev/null
i=0; while [ $i -lt $((K*10)) ] && alive; do nap; i=$((i+1)); done
alive && kill -KILL -$c 2>/dev/null
i=0; while [ $i -lt 50 ] && alive; do nap; i=$((i+1)); done
}
trap 'end timeout' ALRM; trap 'end killed' TERM
set -C
{ true >"$D.go"; } 2>/dev/null || exit 98
set +C
{ echo "run $$ $boot $st ." >>"$D.go" && printf '%400s\n' "" >"$D.rc"; } 2>/dev/null || exit 97
@INPUT@$CONTINUO_S /bin/sh -c @STEP@ continuo-step "$L" @STDIN@ >>"$D.out" 2>>"$D.err" &
c=$!
cd /
if [ $T -gt 0 ]; then
( trap 'kill $s 2>/dev/null; exit' TERM; sleep $T & s=$!; wait $s; kill -ALRM $$ ) & w=$!
fi
[ -z "$early" ] || end $early
s=
while :; do
wait $c; r=$?
[ "$k" = "$s" ] && break
s=$k
done
trap "" ALRM TERM
[ -z "$w" ] || kill $w 2>/dev/null
m=; [ $r -gt 128 ] && [ -s "$D.w" ] && m=signal
bg=0; alive && bg=1
left=; ok=1
if [ -n "$k" ]; then
[ $bg = 0 ] || ok=0
for f in $(grep -l -F "CONTINUO_ATTEMPT=${D##*/}" /proc/[0-9]*/environ 2>/dev/null); do
p=${f#/proc/}; p=${p%/environ}
[ -r /proc/$p/stat ] && read -r x </proc/$p/stat || continue
case ${x##*) } in Z*) continue;; esac
n=; read -r n </proc/$p/comm
left="$left $p:$n"; ok=0
done
fi
@CLEAN@echo "$r ${k:-exit} $ok $bg ${m:--} $left ." 1<>"$D.rc"
`

// identityText compares what the host is with what the attempt was prepared for: same is 1 or 0.
func identityText(i *engine.Incarnation, id engine.AttemptID) string {
	return "umask 077\n" + bootText + "B=" + Quote(i.StateDir) + "; D=$B/" + string(id) + `
same=0; id=; x=
if [ ! -L "$B" ] && [ -r "$B/id" ]; then read -r id x <"$B/id"; fi
[ "$boot $init $id $x" = ` + Quote(i.BootID+" "+i.InitTime+" "+i.StateID+" .") + ` ] && same=1
`
}

// stateOfText sets s to what the attempt's files say: done RESULT, never, running PID, lost, torn or unclaimed.
const stateOfText = `r=; if [ -r "$D.rc" ]; then read -r r <"$D.rc"; fi
g=; if [ -r "$D.go" ]; then read -r g <"$D.go"; fi
s=torn
case $g in
"") [ -e "$D.go" ] || s=unclaimed;;
"fence "*" .") s=never;;
"run "*" .") set -- $g; s=lost
if [ "$3" = "$boot" ] && kill -0 $2 2>/dev/null; then
if [ ! -r /proc/$2/stat ]; then s="running $2"
elif read -r x </proc/$2/stat; then p=$2 b=$4; set -- ${x##*) }; z=$1; shift 19; [ "$1" = "$b" ] && [ $z != Z ] && s="running $p"; fi
fi
if [ "$s" = lost ] && [ -r "$D.rc" ]; then read -r r <"$D.rc"; fi;;
esac
case $r in *" .") s="done $r";; esac
`

// reportText answers with the state, and with both streams when it is done and there is any.
func reportText(nonce string) string {
	return stateOfText + `case $s in "done "*) if [ -s "$D.out" ] || [ -s "$D.err" ]; then
echo "` + nonce + ` $same data ${s#done }"
exec cat "$D.out" - "$D.err" <<'` + nonce + `'
` + nonce + ` err
` + nonce + `
fi;; esac
echo "` + nonce + ` $same $s"
exit 0
`
}

// maxInline is the input that travels inside the launch's text; a larger one waits for the host's word.
const maxInline = 64 << 10

// launch is the text that launches an attempt, and the input that is sent after it, if any.
type launch struct {
	text  string
	input []byte
}

// launchText is one group: the host's identity is compared, the command written, the runner started, its end awaited,
// the result reported. grace is in seconds.
func launchText(nonce string, a engine.Attempt, grace int) launch {
	c := a.Command
	var b strings.Builder
	b.WriteString("{\n" + identityText(a.Incarnation, a.ID))
	fmt.Fprintf(&b, "no() { echo \"%s $same refused $1\"; exit 0; }\n", nonce)
	b.WriteString("[ $same = 1 ] || no incarnation\n[ ! -e \"$D.go\" ] || no claimed\n" +
		"if command -v setsid >/dev/null 2>&1; then CONTINUO_S=setsid; else CONTINUO_S='perl -MPOSIX -e POSIX::setsid();exec(@ARGV)'; fi; export CONTINUO_S\n")
	b.WriteString(strings.Replace(chdirText(c.WorkingDir, nonce), "{ echo "+nonce+" refused working-directory; exit 126; }", "no working-directory", 1))
	fmt.Fprintf(&b, "%scommand -v %s >/dev/null 2>&1 || no program\n", pathOf(c), Quote(program(c)))
	fmt.Fprintf(&b, "L=$D.%s\n{ printf '%%s\\n' %s >\"$L.cmd\" && true >>\"$D.out\" && true >>\"$D.err\" && true >>\"$D.w\"; } 2>/dev/null || no state-directory\n",
		nonce[:8], Quote(commandFile(c)))
	for i, e := range c.Env {
		fmt.Fprintf(&b, "export CONTINUO_%d=%s\n", i, Quote(e.Value))
	}
	var l launch
	stdin, inputText, clean := "</dev/null", "", ""
	switch {
	case c.Stdin == nil:
	case len(c.Stdin) <= maxInline && !strings.ContainsRune(string(c.Stdin), 0):
		fmt.Fprintf(&b, "export CONTINUO_IN=%s\n", Quote(string(c.Stdin)))
		stdin, inputText = "", "printf %s \"$CONTINUO_IN\" | "
	default:
		l.input = c.Stdin
		fmt.Fprintf(&b, "echo %s ready\ncat >\"$L.in\" 2>/dev/null || no state-directory\n[ $(wc -c <\"$L.in\") -eq %d ] || no input\n", nonce, len(c.Stdin))
		stdin, clean = `<"$L.in"`, "rm -f \"$L.in\"\n"
	}
	runner := strings.NewReplacer("@STEP@", Quote(stepText(a)), "@INPUT@", inputText, "@STDIN@", stdin, "@CLEAN@", clean).Replace(runnerText)
	fmt.Fprintf(&b, "$CONTINUO_S /bin/sh -c %s continuo-run \"$D\" \"$L\" \"$boot\" %d %d </dev/null >/dev/null 2>>\"$D.w\" &\np=$!\ncd /\nwait $p\n",
		Quote(runner), seconds(c.Timeout), grace)
	b.WriteString("case $? in 97) no disk-full;; 98) no claimed;; esac\n" + reportText(nonce) + "}\n")
	l.text = b.String()
	return l
}

// stepText is what the command's own session executes: the environment arrives in numbered variables, so that no value
// is in an argument list and no PATH of the command's disturbs the runner.
func stepText(a engine.Attempt) string {
	var b strings.Builder
	b.WriteString("trap - HUP INT QUIT PIPE\n" + localeText)
	drop := "unset CONTINUO_S CONTINUO_IN"
	for i := range a.Command.Env {
		drop += fmt.Sprintf(" CONTINUO_%d", i)
	}
	for i, e := range a.Command.Env {
		fmt.Fprintf(&b, "export %s=\"$CONTINUO_%d\"\n", e.Name, i)
	}
	b.WriteString(drop + "\nexport CONTINUO_ATTEMPT=" + string(a.ID) + "\n")
	if len(a.Command.Argv) > 0 {
		b.WriteString(`. "$1.cmd"`)
	} else {
		b.WriteString("exec " + quoteAll(interpreterOf(a.Command)) + ` "$1.cmd"`)
	}
	return b.String()
}

// commandFile is the script, or the argument list as a line that replaces the shell.
func commandFile(c engine.Command) string {
	if len(c.Argv) > 0 {
		return "exec " + quoteAll(c.Argv)
	}
	return c.Script
}

// pathOf prefixes a lookup with the PATH that the command will have.
func pathOf(c engine.Command) string {
	for i := len(c.Env) - 1; i >= 0; i-- {
		if c.Env[i].Name == "PATH" {
			return "PATH=" + Quote(c.Env[i].Value) + " "
		}
	}
	return ""
}

// seconds rounds up: a host never ends a command early.
func seconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d + time.Second - 1) / time.Second)
}

// collectText finds out what became of an attempt. With fence it makes sure that it can never start from now on, if it
// has not. Of a finished one it sends what follows the offsets; of a running one too, as it comes, until it ends.
func collectText(nonce string, a engine.Attempt, fence bool, out, err int64) string {
	var b strings.Builder
	b.WriteString("{\n" + identityText(a.Incarnation, a.ID))
	if fence {
		b.WriteString("if [ $same = 1 ]; then set -C; if { true >\"$D.go\"; } 2>/dev/null; then set +C; echo \"fence $boot .\" >>\"$D.go\"; echo " + nonce +
			" 1 never; exit 0; fi; set +C; fi\n")
	}
	from := func(n int64) string { return "tail -c +" + strconv.FormatInt(n+1, 10) }
	b.WriteString(stateOfText + "case $s in\n\"done \"*) echo \"" + nonce + " $same data ${s#done }\"\n" +
		from(out) + " \"$D.out\"; echo " + nonce + " err; " + from(err) + " \"$D.err\"; exit 0;;\n")
	b.WriteString("\"running \"*) echo " + nonce + " $same $s; echo " + nonce + " ok >&2; p=${s#running }\n" +
		from(out) + " -f \"$D.out\" & t=$!\n" + from(err) + " -f \"$D.err\" >&2 & u=$!\n" +
		"while kill -0 $p 2>/dev/null; do r=; read -r r <\"$D.rc\"; case $r in *\" .\") break;; esac; sleep 0.3 2>/dev/null || sleep 1; done\n" +
		"kill $t $u; exit 0;;\nesac\necho " + nonce + " $same $s\nexit 0\n}\n")
	return b.String()
}

// killText asks the runner to end its command. Only a process that is certainly the runner is signalled.
func killText(nonce string, a engine.Attempt) string {
	return "{\n" + identityText(a.Incarnation, a.ID) + stateOfText + "case $s in \"running \"*) kill -TERM ${s#running } && s=killing;; esac\necho " +
		nonce + " $same $s\nexit 0\n}\n"
}
