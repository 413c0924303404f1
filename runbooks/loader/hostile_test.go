package loader_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// hostile are inputs that kill, exhaust or delay a parser or evaluator that takes them.
func hostile() map[string]string {
	local := func(s string) string {
		return "locals {\n  x = " + s + "\n}\nrunbook \"r\" {\n  phase \"p\" {\n    assert \"a\" { condition = local.x != null }\n  }\n}\n"
	}
	rep := strings.Repeat
	var doubling strings.Builder
	doubling.WriteString("locals {\n  v0 = \"0123456789\"\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&doubling, "  v%d = \"%s\"\n", i, rep(fmt.Sprintf("${local.v%d}", i-1), 10))
	}
	doubling.WriteString("}\nrunbook \"r\" {\n  phase \"p\" {\n    assert \"a\" { condition = local.v11 != \"\" }\n  }\n}\n")
	return map[string]string{
		"parentheses":        local(rep("(", 80_000)),
		"closed parentheses": local(rep("(", 60_000) + "1" + rep(")", 60_000)),
		"brackets":           local(rep("[", 500_000)),
		"bangs":              local(rep("!", 1_000_000)),
		"minuses":            local(rep("-", 500_000) + "1"),
		"blocks":             rep("a {", 300_000),
		"templates":          local(rep("\"${", 200_000)),
		"objects":            local(rep("{a=", 200_000)),
		"conditionals":       local(rep("true?1:", 140_000) + "1"),
		"sums":               local(rep("1+", 500_000) + "1"),
		"sums over lines":    local("(\n" + rep("1\n+\n", 200_000) + "1)"),
		"ands":               local(rep("true&&", 140_000) + "true"),
		"indexes":            local("[]" + rep("[0]", 300_000)),
		"attributes":         local("a" + rep(".a", 400_000)),
		"splats":             local("[1]" + rep("[*]", 300_000)),
		"directives":         local("\"" + rep("%{if true}", 90_000) + "\""),
		"heredocs":           local(rep("<<A\n${", 100_000)),
		"for loops":          local("[for a in range(10): " + rep("[for b in range(10): ", 8) + "1" + rep("]", 9)),
		"exponent":           local(`"x${1e30000000}"`),
		"digits":             local(rep("9", 900_000)),
		"power":              local(`"${pow(10, 100000000)}"`),
		"products":           local(`"${` + rep("1e300*", 60) + `1e300}"`),
		"doubling":           doubling.String(),
		"setproduct":         local("length(setproduct(range(1000), range(1000), range(1000)))"),
		"format":             local(`format("%1000000000d", 1)`),
		"regex":              local(`regex("(((a*)*)*)*b", "` + rep("a", 5000) + `")`),
		"json":               local(`jsondecode("` + rep("[", 100_000) + `")`),
		"yaml":               local(`yamldecode("` + rep("[", 100_000) + `")`),
		"labels":             "host " + rep("\"a\" ", 200_000) + "{\n}\n",
		"comments":           rep("/*", 500_000),
		"quotes":             local(rep("\"", 500_001)),
		"nul":                "host \"a\x00b\" {\n}\n",
		"bidi":               "host \"a\" { # \u202e\n}\n",
		"script":             "runbook \"r\" {\n  phase \"p\" {\n    step \"s\" {\n      hosts  = control\n      script = \"" + rep("(", 200_000) + "\"\n    }\n  }\n}\n",
		"script braces":      "runbook \"r\" {\n  phase \"p\" {\n    step \"s\" {\n      hosts  = control\n      script = \"" + rep("{ ", 200_000) + "\"\n    }\n  }\n}\n",
		"script expansions":  "runbook \"r\" {\n  phase \"p\" {\n    step \"s\" {\n      hosts  = control\n      script = \"" + rep("$(", 200_000) + "\"\n    }\n  }\n}\n",
	}
}

// Each is refused or read, at once, in bounded memory. A stack overflow would end the test's process.
func TestHostile(t *testing.T) { //nolint:paralleltest // measures memory
	for name, src := range hostile() { //nolint:paralleltest // measures memory
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, ds, err := loader.LoadFS(fstest.MapFS{"project.hcl": {Data: []byte(src)}}, "/p", loader.Options{})
			require.NoError(t, err)
			runtime.ReadMemStats(&after)
			require.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(900), "MiB allocated in all")
			for _, d := range ds {
				require.Less(t, len(d.Summary)+len(d.Detail)+len(d.Hint), 4000, d.Code)
				require.NotEqual(t, "CON-E099", d.Code, d.Summary)
			}
		})
	}
}

// FuzzLoad: whatever the bytes, loading ends without a panic, its diagnostics have places inside the files, and a project
// without errors can be walked.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/spec/*/*.hcl", "../catalog/templates/*/*.hcl", "../../examples/*/*/*.hcl"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, name := range files {
			src, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(src)
		}
	}
	files, err := filepath.Glob("testdata/spec/*/*.txtar")
	require.NoError(f, err)
	for _, name := range files {
		src, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, file := range txtar.Parse(src).Files {
			f.Add(file.Data)
		}
	}
	for _, doc := range loader.Docs() {
		if len(doc.Wrong) < 4096 {
			f.Add([]byte(doc.Wrong))
		}
	}
	// An input takes milliseconds with these: fuzzing ends a process that is busy for ten seconds, on a loaded machine too.
	limits := loader.DefaultLimits()
	limits.Hosts, limits.Items, limits.Steps, limits.Bytes = 500, 5_000, 200_000, 8<<20
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 1<<16 {
			return
		}
		for _, name := range []string{"fuzz.hcl", "fuzz.test.hcl"} {
			fsys := fstest.MapFS{name: {Data: src}, "data.csv": {Data: []byte("a,b\n1,2\n")}}
			p, ds, err := loader.LoadFS(fsys, "/p", loader.Options{Limits: limits})
			require.NoError(t, err)
			require.Equal(t, ds.HasErrors(), p == nil)
			for _, d := range ds {
				inFile(t, d.Range, fsys)
				for _, r := range d.Related {
					inFile(t, r.Range, fsys)
				}
				require.NotEqual(t, "CON-E099", d.Code, d.Summary)
			}
			if p == nil {
				continue
			}
			for _, rb := range p.Runbooks {
				for _, i := range rb.AllItems() {
					require.NotEmpty(t, i.Fingerprint)
					for _, id := range i.After {
						require.NotNil(t, rb.Item(id))
					}
				}
			}
		}
	})
}

func inFile(t *testing.T, r diag.Range, fsys fstest.MapFS) {
	t.Helper()
	f := fsys[r.File]
	if r.File == "." {
		return
	}
	require.NotNil(t, f, "%+v", r)
	require.LessOrEqual(t, r.Start.Byte, r.End.Byte, "%+v", r)
	require.LessOrEqual(t, r.End.Byte, len(f.Data), "%+v", r)
}
