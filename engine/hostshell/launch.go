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
//	go   the claim: whoever creates it decides for ever. "run PID BOOT START ." or "fence BOOT ."; then, once the command
//	     was started, "session SID ."
//	rc   the result: "CODE REASON CONFIRMED BACKGROUND SIGNAL SURVIVORS… .", made blank before the command starts, so
//	     that a disk that fills up meanwhile has room for it; from its third line on, what its runner's shell said
//	out, err   what the command wrote
//	NONCE.cmd, NONCE.in   script and large input of one launch; a launch never touches those of another
//
// Redirections that may fail stand with `true`, never with `:`: a failing redirection of a special builtin ends a POSIX shell.
//
// A line without its final " ." was not written to its end and counts as not written.

// runnerText claims the attempt, starts the command in a session of its own, waits for its end, writes the result and
// leaves it in res. It outlives the connection and ignores what a dying one may send; ALRM is its watchdog's, USR1 asks it
// to end the command. It finds in D and L the path prefixes of the attempt and of the launch, in boot the boot id, in S how
// a session is made, in the function no how to refuse. Its own streams become 3 and come back with res. @ENV@ sets the
// command's environment, @COMMAND@ is what to execute, @INPUT@ and @STDIN@ what it reads, @CLEAN@ what removes that again,
// @T@ and @K@ are timeout and kill grace in seconds, @CLAIMED@ and @ENDED@ are what strict durability adds.
//
// Its watchdog is ended by USR2, which nobody ignores or catches before the watchdog itself does: whenever the signal
// comes, neither it nor its sleep is left behind.
//
// A signal that comes while it waits ends the wait with 128 and its number; then it waits again. Some shells have given the
// command's status by then, and know no such child any more: 127.
//
// Every program that it starts, every file that it makes and every byte that a shell reads one by one costs each step of
// each host: TestLaunchForks counts them.
const runnerText = `trap "" HUP INT QUIT PIPE TERM
` + selfText + `c= k= early= w=
nap() { sleep 0.1 2>/dev/null || sleep 1; }
alive() { kill -0 -$c 2>/dev/null; }
ended() {
kill -0 $c 2>/dev/null || return 0
[ -r /proc/$c/stat ] && read -r x </proc/$c/stat || return 1
case ${x##*) } in Z*) return 0;; esac
return 1
}
still() {
[ $st = - ] && return
read -r x </proc/$P/stat && set -- ${x#*) } && shift 19 && [ "$1" = $st ]
}
finish() {
if [ -z "$c" ]; then early=$1; return; fi
if [ -n "$k" ] || ended; then return; fi
k=$1
kill -TERM -$c 2>/dev/null || kill -TERM $c 2>/dev/null
i=0; while [ $i -lt @K@0 ] && alive; do nap; i=$((i+1)); done
alive && kill -KILL -$c 2>/dev/null
i=0; while [ $i -lt 50 ] && alive; do nap; i=$((i+1)); done
}
trap 'finish timeout' ALRM; trap 'finish killed' USR1
set -C
{ true >"$D.go"; } 2>/dev/null || no claimed
set +C
{ echo "run $P $boot $st ." >>"$D.go" && printf '\n%200s\n' "" >"$D.rc"; } 2>/dev/null || no disk-full
@CLAIMED@exec </dev/null 3>&1 >/dev/null 2>>"$D.rc"
@INPUT@(
trap - HUP INT QUIT PIPE TERM
set -- $S @COMMAND@
@ENV@exec "$@"
) @STDIN@ >>"$D.out" 2>>"$D.err" 3>&- &
c=$!
echo "session $c ." 2>/dev/null >>"$D.go"
cd /
if [ @T@ -gt 0 ]; then
( trap '[ $! = $c ] || kill -KILL $!; exit' USR2; sleep @T@ & wait $! && still && kill -ALRM $P ) 2>/dev/null 3>&- & w=$!
fi
[ -z "$early" ] || finish $early
s= r=
while :; do
q=$r; wait $c; r=$?
[ "$k" = "$s" ] && break
s=$k
done
trap "" ALRM USR1
if [ -n "$s" ] && [ $r = 127 ]; then case $q in 138|142|158) ;; *) r=$q;; esac; fi
m=; if [ $r -gt 128 ]; then { read -r x; read -r x; read -r m; } <"$D.rc"; [ -z "$m" ] || m=signal; fi
[ -z "$w" ] || kill -USR2 $w 2>/dev/null
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
@CLEAN@res="$r ${k:-exit} $ok $bg ${m:--} $left ."
echo "$res" 1<>"$D.rc"
@ENDED@exec >&3 2>/dev/null 3>&-
`

// Strict durability: the claim is on the host's disk before the command starts, the result and the output before they are
// reported. A sync that takes no names syncs everything.
const (
	syncClaim  = `{ sync "$D.go" "$D.rc" "${D%/*}" || sync; } >/dev/null 2>&1 || no disk-full` + "\n"
	syncResult = `{ sync "$D.rc" "$D.out" "$D.err" || sync; } >/dev/null 2>&1` + "\n"
)

// identityText compares what the host is, by bootText, with what the attempt was prepared for: same is 1 or 0.
func identityText(i *engine.Incarnation, id engine.AttemptID) string {
	return "umask 077\nB=" + Quote(i.StateDir) + "; D=$B/" + string(id) + `
same=0; id=; x=
if [ ! -L "$B" ] && [ -r "$B/id" ]; then read -r id x <"$B/id"; fi
[ "$boot $init $id $x" = ` + Quote(i.BootID+" "+i.InitTime+" "+i.StateID+" .") + ` ] && same=1
`
}

// stateOfText sets s to what the attempt's files say: done RESULT, never, running PID, lost, torn or unclaimed. "lost gone"
// is a lost one of this very boot of which nothing runs any more: no process is in its session, and none has its id in an
// environment that can be read. "lost runs" is one that was seen to run on.
//
//nolint:dupword // it is shell
const stateOfText = `r=; if [ -r "$D.rc" ]; then read -r r <"$D.rc"; fi;
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
if [ "$s" = lost ]; then
set -- $g; o=$3 n=; while read -r x; do case $x in "session "*" .") n=$x;; esac; done <"$D.go"
set -- $n; n=$2
[ $same = 1 ] && [ "$o" = "$boot" ] && [ -n "$n" ] && [ -r /proc/self/environ ] && s="lost gone"
for f in /proc/[0-9]*/stat; do
[ "$s" = "lost gone" ] || break
{ read -r x <$f; } 2>/dev/null || continue
set -- ${x##*) }
[ "$1" = Z ] && continue
[ "$4" = "$n" ] && s="lost runs"
done
if [ "$s" = "lost gone" ]; then
for f in $(grep -l -F "CONTINUO_ATTEMPT=${D##*/}" /proc/[0-9]*/environ 2>/dev/null); do
{ read -r x <${f%environ}stat; } 2>/dev/null || continue
set -- ${x##*) }
[ "$1" = Z ] || s="lost runs"
done
fi
fi
`

// reportText answers with the state in s, and with both streams when it is done and there is any.
func reportText(nonce string) string {
	return `case $s in "done "*) if [ -s "$D.out" ] || [ -s "$D.err" ]; then
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

// launch is the text that launches an attempt. feed: the command's input is to be sent after it.
type launch struct {
	text string
	feed bool
}

// sessionText sets S to what starts a program in a session of its own. A path, so that the command's PATH does not matter.
const sessionText = `S=; for d in /usr/bin /bin /usr/local/bin /usr/sbin; do if [ -x $d/setsid ]; then S=$d/setsid; break; fi; done
if [ -z "$S" ]; then for d in /usr/bin /usr/local/bin /opt/local/bin; do if [ -x $d/perl ]; then S="$d/perl -MPOSIX -e POSIX::setsid();exec(@ARGV)"; break; fi; done; fi
`

// launchText is one group: the host's identity is compared, the runner started, its end awaited, the result reported.
// grace is in seconds.
//
// The launching shell becomes the runner, which costs no new process; in a kept shell, which knows the boot already, a subshell
// of it. Behind sudo the runner is started in a session of its
// own instead: sudo may end its whole process group.
func launchText(nonce string, a engine.Attempt, grace int, strict, inKept bool) launch {
	c := a.Command
	var b strings.Builder
	if b.WriteString("{\n"); !inKept {
		b.WriteString(bootText)
	}
	b.WriteString(identityText(a.Incarnation, a.ID))
	fmt.Fprintf(&b, "no() { echo \"%s $same refused $1\"; exit 0; }\n", nonce)
	b.WriteString("[ $same = 1 ] || no incarnation\n[ ! -e \"$D.go\" ] || no claimed\n" + sessionText + "[ -n \"$S\" ] || no setsid\n")
	b.WriteString(strings.Replace(chdirText(c.WorkingDir, nonce), "{ echo "+nonce+" refused working-directory; exit 126; }", "no working-directory", 1))
	fmt.Fprintf(&b, "%scommand -v %s >/dev/null 2>&1 || no program\n", pathOf(c), Quote(program(c)))
	fmt.Fprintf(&b, "L=$D.%s\n{ true >>\"$D.out\" && true >>\"$D.err\"; } 2>/dev/null || no state-directory\n", nonce[:8])
	command := quoteAll(c.Argv)
	if len(c.Argv) == 0 {
		command = quoteAll(interpreterOf(c)) + ` "$L.cmd"`
		fmt.Fprintf(&b, "{ printf '%%s\\n' %s >\"$L.cmd\"; } 2>/dev/null || no state-directory\n", Quote(c.Script))
	}
	var l launch
	stdin, inputText, clean := "</dev/null", "", ""
	switch {
	case c.Stdin == nil && c.Input == nil:
	case inline(c):
		fmt.Fprintf(&b, "CONTINUO_IN=%s\n", Quote(string(c.Stdin)))
		stdin, inputText = "", "printf %s \"$CONTINUO_IN\" 3>&- | "
	default:
		l.feed = true
		fmt.Fprintf(&b, "echo %s ready\ncat >\"$L.in\" 2>/dev/null || no state-directory\n[ $(wc -c <\"$L.in\") -eq %d ] || no input\n", nonce, inputSize(c))
		stdin, clean = `<"$L.in"`, "rm -f \"$L.in\"\n"
	}
	for i, e := range c.Env {
		fmt.Fprintf(&b, "CONTINUO_%d=%s\n", i, Quote(e.Value))
	}
	claimed, ended := "", ""
	if strict {
		b.WriteString("command -v sync >/dev/null 2>&1 || no sync\n")
		claimed, ended = syncClaim, syncResult
	}
	runner := strings.NewReplacer("@ENV@", stepEnv(a), "@COMMAND@", command, "@INPUT@", inputText, "@STDIN@", stdin, "@CLEAN@", clean,
		"@T@", strconv.Itoa(seconds(c.Timeout)), "@K@", strconv.Itoa(grace), "@CLAIMED@", claimed, "@ENDED@", ended).Replace(runnerText)
	if c.Become == "" {
		b.WriteString(runner + "s=\"done $res\"\n")
	} else {
		b.WriteString(apartText(c, runner))
	}
	b.WriteString(reportText(nonce) + "}\n")
	l.text = b.String()
	return l
}

// apartText starts the runner in a session of its own, waits for its end and sets s.
func apartText(c engine.Command, runner string) string {
	names := "D L boot S CONTINUO_IN"
	for i := range c.Env {
		names += fmt.Sprintf(" CONTINUO_%d", i)
	}
	var private strings.Builder // the runner's, and not its command's
	for name := range strings.FieldsSeq(names) {
		fmt.Fprintf(&private, "x=$%s; unset %s; %s=$x\n", name, name, name)
	}
	private.WriteString("no() { [ $1 = claimed ] && exit 98; exit 97; }\n")
	return "export " + names + "\n$S /bin/sh -c " + Quote(private.String()+runner) + " continuo-run </dev/null >/dev/null 2>&1 &\n" +
		"cd /\nwait $!\ncase $? in 97) no disk-full;; 98) no claimed;; esac\n" + stateOfText
}

// stepEnv sets the environment of the command, last of all: the values wait in numbered variables, so that none is in an
// argument list, and what is to be executed is fixed before, so that no variable of the command's can change it.
func stepEnv(a engine.Attempt) string {
	var b strings.Builder
	b.WriteString(localeText)
	for i, e := range a.Command.Env {
		fmt.Fprintf(&b, "export %s=\"$CONTINUO_%d\"\n", e.Name, i)
	}
	b.WriteString("export CONTINUO_ATTEMPT=" + string(a.ID) + "\n")
	return b.String()
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
	b.WriteString("{\n" + bootText + identityText(a.Incarnation, a.ID))
	if fence {
		b.WriteString("if [ $same = 1 ]; then set -C; if { true >\"$D.go\"; } 2>/dev/null; then set +C; echo \"fence $boot .\" >>\"$D.go\"; echo " + nonce +
			" 1 never; exit 0; fi; set +C; fi\n")
	}
	from := func(n int64) string { return "tail -c +" + strconv.FormatInt(n+1, 10) }
	b.WriteString(stateOfText + "case $s in\n\"done \"*) echo \"" + nonce + " $same data ${s#done }\"\n" +
		from(out) + " \"$D.out\"; echo " + nonce + " err; " + from(err) + " \"$D.err\"; exit 0;;\n")
	b.WriteString("\"running \"*) echo " + nonce + " $same $s; echo " + nonce + " ok >&2; p=${s#running }\n" +
		from(out) + " -f \"$D.out\" & t=$!\n" + from(err) + " -f \"$D.err\" >&2 & u=$!\n" +
		"while kill -0 $p 2>/dev/null; do r=; { read -r r <\"$D.rc\"; } 2>/dev/null; case $r in *\" .\") break;; esac; sleep 0.3 2>/dev/null || sleep 1; done\n" +
		"kill $t $u 2>/dev/null; exit 0;;\nesac\necho " + nonce + " $same $s\nexit 0\n}\n")
	return b.String()
}

// killText asks the runner to end its command. Only a process that is certainly the runner is signalled.
func killText(nonce string, a engine.Attempt) string {
	return "{\n" + bootText + identityText(a.Incarnation, a.ID) + stateOfText + "case $s in \"running \"*) kill -USR1 ${s#running } && s=killing;; esac\necho " +
		nonce + " $same $s\nexit 0\n}\n"
}
