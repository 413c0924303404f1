package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a project that wants to harm the machine may cost, at most: processor time and resident memory of the whole
// process. Both are the process's own, so that a busy machine does not matter; time is still given twice what is promised.
const (
	promisedTime   = 5 * time.Second
	promisedMemory = 512 << 20
)

// hostile writes a project that kills, exhausts or delays a program that takes it. Nothing of it stays in memory: the
// peak memory of a new process is at least that of the one that started it.
type hostile func(dir string) error

// one is a project of one file.
func one(src string) hostile {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, "project.hcl"), []byte(src), 0o600) }
}

// files is a project of n files, made of a form with the number of the file in it.
func files(n int, form string) hostile {
	return func(dir string) error {
		for i := range n {
			text := strings.Replace(form, "%d", strconv.Itoa(i), 1)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%04d.hcl", i)), []byte(text), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
}

// with adds a file to a project.
func with(h hostile, name, text string) hostile {
	return func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
		return h(dir)
	}
}

// localsOf makes a runbook with locals x0, x1, …, each of which is evaluated.
func localsOf(values ...string) string {
	used := make([]string, len(values))
	for i := range values {
		used[i] = fmt.Sprintf("can(local.x%d)", i)
	}
	return localsFor("length(["+strings.Join(used, ", ")+"]) > 0", values)
}

// localsFor makes one with a condition on the locals.
func localsFor(condition string, values []string) string {
	var b strings.Builder
	b.WriteString("runbook \"r\" {\n  locals {\n")
	for i, v := range values {
		fmt.Fprintf(&b, "    x%d = %s\n", i, v)
	}
	fmt.Fprintf(&b, "  }\n  phase \"p\" {\n    assert \"a\" {\n      condition = %s\n    }\n  }\n}\n", condition)
	return b.String()
}

func local(value string) hostile { return one(localsFor("local.x0 != null", []string{value})) }

func times(n int, value string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = value
	}
	return out
}

// growing gives locals each of which names the one before so often, by a template of the form.
func growing(n int, first, join string, often int) hostile {
	values := []string{first}
	for i := 1; i < n; i++ {
		parts := times(often, fmt.Sprintf("local.x%d", i-1))
		values = append(values, strings.ReplaceAll(join, "?", strings.Join(parts, ", ")))
	}
	return one(localsFor(fmt.Sprintf("local.x%d != null", n-1), values))
}

func step(script string) hostile {
	return one("runbook \"r\" {\n  phase \"p\" {\n    step \"s\" {\n      hosts  = control\n      script = " + script + "\n    }\n  }\n}\n")
}

// sparse is a file that is larger than any memory.
func sparse() hostile {
	return func(dir string) error {
		if err := one("")(dir); err != nil {
			return err
		}
		return os.Truncate(filepath.Join(dir, "project.hcl"), 64<<30)
	}
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

// hostileForms kill or exhaust a parser.
func hostileForms() map[string]func() hostile {
	return map[string]func() hostile{
		"parentheses":               func() hostile { return local(rep("(", 80_000)) },
		"parentheses, closed":       func() hostile { return local(rep("(", 60_000) + "1" + rep(")", 60_000)) },
		"parentheses, few in a row": func() hostile { return local(rep("(\n", 60_000) + "1" + rep(")", 60_000)) },
		"brackets":                  func() hostile { return local(rep("[", 1_000_000)) },
		"bangs":                     func() hostile { return local(rep("!", 1_000_000)) },
		"bangs with spaces":         func() hostile { return local(rep("! ", 500_000) + "true") },
		"minuses":                   func() hostile { return local(rep("-", 1_000_000) + "1") },
		"blocks":                    func() hostile { return one(rep("a {", 340_000)) },
		"blocks on lines":           func() hostile { return one(rep("a {\n", 250_000) + rep("}\n", 20_000)) },
		"templates":                 func() hostile { return local(rep("\"${", 340_000)) },
		"objects":                   func() hostile { return local(rep("{a=", 340_000)) },
		"calls":                     func() hostile { return local(rep("try(", 250_000)) },
		"conditionals":              func() hostile { return local(rep("true?1:", 140_000) + "1") },
		"sums":                      func() hostile { return local("1" + rep("+1", 500_000)) },
		"sums over lines":           func() hostile { return local("(\n" + rep("1\n+\n", 200_000) + "1)") },
		"ands":                      func() hostile { return local(rep("true&&", 140_000) + "true") },
		"comparisons":               func() hostile { return local("1" + rep("==1", 300_000)) },
		"indexes":                   func() hostile { return local("[]" + rep("[0]", 330_000)) },
		"attributes":                func() hostile { return local("a" + rep(".a", 500_000)) },
		"splats":                    func() hostile { return local("[1]" + rep("[*]", 330_000)) },
		"full splats":               func() hostile { return local("[1]" + rep(".*", 500_000)) },
		"directives":                func() hostile { return local("\"" + rep("%{if true}", 90_000) + "\"") },
		"directives, closed":        func() hostile { return local("\"" + rep("%{if true}", 40_000) + rep("%{endif}", 40_000) + "\"") },
		"heredocs":                  func() hostile { return local(rep("<<A\n${", 160_000)) },
		"comments":                  func() hostile { return one(rep("/*", 500_000)) },
		"quotes":                    func() hostile { return local(rep("\"", 1_000_001)) },
		"labels":                    func() hostile { return one("host " + rep("\"a\" ", 260_000) + "{\n}\n") },
		"identifiers":               func() hostile { return one(rep("a ", 500_000)) },
		"the same attribute":        func() hostile { return one("locals {\n" + rep("  a = 1\n", 40_000) + "}\n") },
		"duplicate hosts":           func() hostile { return one(rep("host \"a\" {\n  address = \"b\"\n}\n", 12_000)) },
		"digits":                    func() hostile { return local(rep("9", 1_000_000)) },
		"exponent":                  func() hostile { return local(`"x${1e30000000}"`) },
		"a smaller exponent":        func() hostile { return local(`"x${1e1000000}"`) },
		"negative exponent":         func() hostile { return local(`1e-30000000`) },
		"nul":                       func() hostile { return one("host \"a\x00b\" {\n}\n") },
		"bidi":                      func() hostile { return one("host \"a\" { # \u202e\n}\n") },
		"a large file":              sparse,
		"lines":                     func() hostile { return one(rep("\n", 1_000_000) + "{") },
		"files":                     func() hostile { return files(3000, "locals {\n  a%d = 1\n}\n") },
		"tokens in files":           func() hostile { return files(30, "locals {\n  a%d = ["+rep("1,", 95_000)+"]\n}\n") },
		"blocks in files":           func() hostile { return files(30, "locals {\n  a%d = 1\n}\n"+rep("host \"a\" {}\n", 30_000)) },
		"mistakes in files":         func() hostile { return files(30, "locals {\n  a%d = 1\n}\n"+rep("x {}\n", 45_000)) },
		"texts in files":            func() hostile { return files(30, "locals {\n  a%d = \""+rep("x", 1_000_000)+"\"\n}\n") },
	}
}

func many(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// hostileValues take for ever, or all memory, to evaluate.
func hostileValues() map[string]func() hostile {
	ten := "[1,2,3,4,5,6,7,8,9,10]"
	loops := func(n int) string { return rep("[for a in "+ten+": ", n) + "1" + rep("]", n) }
	const table = "[for a in range(300) : [for b in range(300) : b]]"
	const mebibyte = `join("", [for i in range(1000) : "` + "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" + `"])`
	return map[string]func() hostile{
		"five loops":       func() hostile { return local(loops(5)) },
		"seven loops":      func() hostile { return local(loops(7)) },
		"a large product":  func() hostile { return local("[for a in range(1000) : [for b in range(1000) : b]]") },
		"locals of tables": func() hostile { return one(localsOf(times(200, table)...)) },
		"locals of texts": func() hostile {
			return one(localsOf(append(times(1, mebibyte), times(200, `[for i in range(60) : "${local.x0}${i}"]`)...)...))
		},
		"items of tables": func() hostile { return one(items(300, "length("+table+")")) },
		"items of tables, unknown host": func() hostile {
			return one(items(300, "length([for a in range(300) : [for b in range(300) : self.port]])"))
		},
		"doubling texts":            func() hostile { return growing(12, `"0123456789"`, `join("", [?])`, 10) },
		"doubling lists":            func() hostile { return growing(12, `["x"]`, `concat(?)`, 10) },
		"doubling nested lists":     func() hostile { return growing(12, `["x"]`, `[?]`, 10) },
		"doubling objects":          func() hostile { return growing(12, `{ a = 1 }`, `{ for i, v in [?] : i => v }`, 10) },
		"doubling where it is used": func() hostile { return unitChain(60, "local.x%d + local.x%d", 2) },
		"doubling conditions":       func() hostile { return unitChain(60, "local.x%d > 0 ? local.x%d : 1", 2) },
		"a product of numbers":      func() hostile { return local(`"${` + rep("1e300*", 60) + `1e300}"`) },
		"squares":                   func() hostile { return growing(40, "12345678901234567890", "pow(?, 2)", 1) },
		"power":                     func() hostile { return local(`"${pow(10, 100000000)}"`) },
		"setproduct":                func() hostile { return local("length(setproduct(range(1000), range(1000), range(1000)))") },
		"setproduct in many places": func() hostile { return one(localsOf(times(100, "length(setproduct(range(300), range(300)))")...)) },
		"format":                    func() hostile { return local(`format("%1000000000d", 1)`) },
		"format of a text":          func() hostile { return local(`format("%d", "1e30000000")`) },
		"regex":                     func() hostile { return local(`regex("(((a*)*)*)*b", "` + rep("a", 5000) + `")`) },
		"regex in many places": func() hostile {
			return one(localsOf(append(times(1, mebibyte), times(300, `can(regex("(0{5}1{9})*(2{80})?b", local.x0))`)...)...))
		},
		"distinct in many places": func() hostile {
			return one(localsOf(append(times(1, "flatten([for a in range(49) : [for b in range(100) : a * 100 + b]])"), times(100, "length(distinct(local.x0))")...)...))
		},
		"sort in many places": func() hostile {
			return one(localsOf(append(times(1, "[for a in range(1000) : tostring(a)]"), times(3000, "length(sort(reverse(local.x0)))")...)...))
		},
		"characters in many places": func() hostile {
			return one(localsOf(append(times(1, mebibyte), times(1000, "strlen(local.x0)")...)...))
		},
		"digests in many places": func() hostile {
			return one(localsOf(append(times(1, mebibyte), times(5000, "sha256(local.x0)")...)...))
		},
		"base64": func() hostile { return growing(200, mebibyte, "base64encode(?)", 1) },
		"json":   func() hostile { return local(`jsondecode("` + rep("[", 100_000) + `")`) },
		"json in many places": func() hostile {
			return one(localsOf(append(times(1, `"[${join(",", range(1000))}]"`), times(3000, "length(jsondecode(local.x0))")...)...))
		},
		"yaml": func() hostile { return local(`yamldecode("` + rep("[", 100_000) + `")`) },
		"aliases": func() hostile {
			return local(`yamldecode("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n")`)
		},
		"csv": func() hostile {
			return one(localsOf(append(times(1, `"a,b,c\n${join("\n", [for i in range(1000) : "1,2,3"])}"`), times(1000, "csvdecode(local.x0)")...)...))
		},
		"an inventory of ranges": func() hostile { return local(`ansibleinventory("h[1:99999999]\n")`) },
		"a fleet of a million": func() hostile {
			return one("fleet \"f\" {\n  for_each = setproduct(range(1000), range(1000))\n  name = \"a${each.key}\"\n  address = \"a\"\n}\n")
		},
		"fleets of thousands": func() hostile {
			return one(many(200, "fleet \"f%d\" {\n  for_each = range(1000)\n  name = \"f%[1]d-${each.key}\"\n  address = \"a\"\n}\n"))
		},
		"a fleet of labels": func() hostile {
			return one("fleet \"f\" {\n  for_each = range(1000)\n  name = \"a${each.key}\"\n  address = \"a\"\n  labels = { for i in range(1000) : \"l${each.key}x${i}\" => \"x\" }\n}\n")
		},
		"groups of groups": func() hostile { return one(groups(300)) },
		"for_each of tables": func() hostile {
			return one("runbook \"r\" {\n  phase \"p\" {\n" + many(200, "    check \"c%d\" {\n      hosts    = control\n      for_each = setproduct(range(100), range(100))\n      max_items = 100000\n      argv     = [\"echo\", each.key]\n    }\n") + "  }\n}\n")
		},
		"a file in many places": func() hostile {
			return with(one(localsOf(times(3000, `length(split("\n", file("a.txt")))`)...)), "a.txt", rep("0123456789abcde\n", 60_000))
		},
		"files that are not there": func() hostile { return one(localsOf(times(20_000, `try(file("missing"), 1)`)...)) },
		"script parentheses":       func() hostile { return step("\"" + rep("(", 200_000) + "\"") },
		"script braces":            func() hostile { return step("\"" + rep("{ ", 200_000) + "\"") },
		"script expansions":        func() hostile { return step("\"" + rep("$(", 200_000) + "\"") },
		"script quotes":            func() hostile { return step("\"" + rep("$(( ", 100_000) + "\"") },
		"script conditions":        func() hostile { return step("\"" + rep("if true; then ", 60_000) + "\"") },
		"script here-documents":    func() hostile { return step("\"" + rep("cat <<A\\n", 60_000) + "\"") },
		"a script in a file":       func() hostile { return with(step(`file("a.sh")`), "a.sh", rep("{ ", 500_000)) },
		"variables":                func() hostile { return one(inRunbook(many(40_000, "  variable \"v%d\" {}\n"))) },
		"phases":                   func() hostile { return one(inRunbook(many(40_000, "  phase \"v%d\" {}\n"))) },
		"captures": func() hostile {
			return one(inRunbook("  phase \"q\" {\n    check \"c\" {\n      argv = [\"true\"]\n" + many(20_000, "      capture \"v%d\" { value = result.stdout }\n") + "    }\n  }\n"))
		},
		"edges":                  func() hostile { return one(inRunbook("  phase \"q\" {\n" + edges(450) + "  }\n")) },
		"calls of calls":         func() hostile { return one(callsOf(20)) },
		"a long chain of locals": func() hostile { return growing(3000, "1", "?", 1) },
	}
}

// unitChain gives locals that are evaluated where they are used, because they need the host.
func unitChain(n int, format string, often int) hostile {
	values := []string{"length(self.name)"}
	for i := 1; i < n; i++ {
		args := make([]any, often)
		for k := range args {
			args[k] = i - 1
		}
		values = append(values, fmt.Sprintf(format, args...))
	}
	return one(strings.Replace(localsFor(fmt.Sprintf("argv = [\"echo\", local.x%d]", n-1), values),
		"assert \"a\" {\n      condition = ", "check \"c\" {\n      hosts = control\n      ", 1))
}

func items(n int, value string) string {
	var b strings.Builder
	b.WriteString("runbook \"r\" {\n  phase \"p\" {\n    hosts = control\n")
	for i := range n {
		fmt.Fprintf(&b, "    check \"c%d\" {\n      argv = [\"echo\", %s]\n    }\n", i, value)
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

// inRunbook makes a runbook of blocks, one of which is wrong.
func inRunbook(blocks string) string {
	return "runbook \"r\" {\n" + blocks + "  phase \"p\" {\n    wait \"w\" {}\n  }\n}\n"
}

// edges are items each of which names all before it.
func edges(n int) string {
	var b, all strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    wait \"w%d\" {\n      duration = \"1s\"\n      after    = [%s]\n    }\n", i, all.String())
		fmt.Fprintf(&all, "wait.w%d, ", i)
	}
	return b.String()
}

func groups(n int) string {
	var b strings.Builder
	b.WriteString("fleet \"f\" {\n  for_each = range(1000)\n  name     = \"a${each.key}\"\n  address  = \"a\"\n}\ngroup \"g0\" { hosts = group.f }\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "group \"g%d\" { hosts = [%s] }\n", i, strings.TrimSuffix(rep(fmt.Sprintf("group.g%d, ", i-1), 20), ", "))
	}
	return b.String()
}

// callsOf gives runbooks that each call the next one twice: a million items from a few lines.
func callsOf(n int) string {
	var b strings.Builder
	name := func(i int) string { return "r" + strings.Repeat("r", i) }
	for i := range n {
		fmt.Fprintf(&b, "runbook \"%s\" {\n  phase \"p\" {\n", name(i))
		if i+1 < n {
			fmt.Fprintf(&b, "    call \"a\" { runbook = runbook.%s }\n    call \"b\" { runbook = runbook.%[1]s }\n", name(i+1))
		} else {
			b.WriteString("    wait \"w\" { duration = \"1s\" }\n")
		}
		b.WriteString("  }\n}\n")
	}
	return b.String()
}

// trace is what a crash leaves on the screen.
var trace = regexp.MustCompile(`goroutine \d+ \[|panic:|runtime error|fatal error|stack overflow|SIGSEGV|\.go:\d+`)

// Each is refused with exit code 3 and a diagnostic by the program itself, within the promised time and memory. A stack
// overflow or an exhausted memory would end the process otherwise.
func TestHostileProjects(t *testing.T) { //nolint:paralleltest // one at a time: each may take half a gibibyte
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is measured on Linux")
	}
	if underRace {
		t.Skip("the race detector multiplies time and memory; the tests without it run the same projects")
	}
	for _, set := range []map[string]func() hostile{hostileForms(), hostileValues()} { //nolint:paralleltest // see above
		for _, name := range slices.Sorted(maps.Keys(set)) {
			t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
				dir := t.TempDir()
				require.NoError(t, set[name]()(dir))
				refused(t, dir, "validate")
			})
		}
	}
}

func refused(t *testing.T, dir string, command ...string) {
	t.Helper()
	cost := spend(t, dir, command...)
	t.Logf("%s: exit %d, %.2f s of processor, %d MiB", command[0], cost.code, cost.cpu.Seconds(), cost.rss>>20)
	require.Equal(t, 3, cost.code, "%s", cost.out)
	require.NotRegexp(t, trace, cost.out)
	require.Less(t, cost.cpu, 2*promisedTime)
	require.Less(t, cost.rss, int64(promisedMemory))
	require.Less(t, len(cost.out), 100_000, "what is said about it has bounds too")
	require.Regexp(t, `error\[CON-[A-Z]\d{3}\]`, cost.out)
}

// cost is what a process took.
type cost struct {
	code int
	cpu  time.Duration
	rss  int64 // peak, in bytes
	out  string
}

// spend runs the program in a directory to its end.
func spend(t *testing.T, dir string, args ...string) cost {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "continuo", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	return cost{
		code: cmd.ProcessState.ExitCode(), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		rss: usage.Maxrss * 1024, out: out.String(),
	}
}
