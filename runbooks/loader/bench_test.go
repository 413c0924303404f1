package loader_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// big is a project of so many hosts and items, each item with a capture, an expectation and a reference to the one before.
func big(hosts, items int) fstest.MapFS {
	var csv, hcl strings.Builder
	csv.WriteString("name,ip,site\n")
	for i := range hosts {
		fmt.Fprintf(&csv, "web%d,10.%d.%d.%d,%c\n", i, i>>16, i>>8&255, i&255, 'a'+i%3)
	}
	hcl.WriteString("fleet \"web\" {\n  for_each = csvdecode(file(\"web.csv\"))\n  name     = each.value.name\n  address  = each.value.ip\n  site     = each.value.site\n}\n")
	hcl.WriteString("group \"a\" {\n  hosts = [for h in inventory : h if h.site == \"a\"]\n}\nrunbook \"r\" {\n")
	for i := range items {
		if i%100 == 0 {
			if i > 0 {
				hcl.WriteString("  }\n")
			}
			fmt.Fprintf(&hcl, "  phase \"p%d\" {\n    hosts   = group.web\n    timeout = \"1m\"\n", i/100)
		}
		ref := `"none"`
		if i > 0 {
			ref = fmt.Sprintf("check.c%d.ok", i-1)
		}
		fmt.Fprintf(&hcl, "    check \"c%d\" {\n      argv = [\"echo\", \"${%s}\", self.name]\n      capture \"n\" {\n        value = result.stdout\n      }\n      expect {\n        condition = result.n != \"\"\n      }\n    }\n", i, ref)
	}
	hcl.WriteString("  }\n}\n")
	return fstest.MapFS{"project.hcl": {Data: []byte(hcl.String())}, "web.csv": {Data: []byte(csv.String())}}
}

func BenchmarkLoad(b *testing.B) {
	for _, size := range [][2]int{{1000, 1000}, {10, 2500}} {
		b.Run(fmt.Sprintf("%d hosts, %d items", size[0], size[1]), func(b *testing.B) {
			fsys := big(size[0], size[1])
			b.ReportAllocs()
			for b.Loop() {
				p, ds, err := loader.LoadFS(fsys, "/p", loader.Options{})
				require.NoError(b, err)
				require.Empty(b, ds)
				require.Len(b, p.Hosts, size[0])
			}
		})
	}
}
