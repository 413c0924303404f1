package ansible_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr/ansible"
)

// show is a host on one line.
func show(h ansible.Host) string {
	var vars []string
	for _, k := range slices.Sorted(maps.Keys(h.Vars)) {
		vars = append(vars, k+"="+h.Vars[k])
	}
	return fmt.Sprintf("%s %s@%s:%d [%s] {%s}", h.Name, h.User, h.Address, h.Port, strings.Join(h.Groups, ","), strings.Join(vars, ","))
}

func parse(t *testing.T, text string) []string {
	t.Helper()
	hosts, err := ansible.Parse(text)
	require.NoError(t, err)
	var out []string
	for _, h := range hosts {
		out = append(out, show(h))
	}
	return out
}

const ini = `
# comment
; another
mail.example.org

[web]
www[01:03].example.org ansible_user=deploy   # ranges keep their zeros
alias ansible_host=10.0.0.9 ansible_port=2222 note="two words" path='a=b'

[db]
db-[a:c]
badhost:2200

[prod:children]
web
db

[prod:vars]
env=prod
color = "blue"
ansible_password=hunter2

[web:vars]
color=green
`

func TestINI(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"mail.example.org @mail.example.org:22 [] {}",
		"www01.example.org deploy@www01.example.org:22 [prod,web] {ansible_user=deploy,color=green,env=prod}",
		"www02.example.org deploy@www02.example.org:22 [prod,web] {ansible_user=deploy,color=green,env=prod}",
		"www03.example.org deploy@www03.example.org:22 [prod,web] {ansible_user=deploy,color=green,env=prod}",
		"alias @10.0.0.9:2222 [prod,web] {ansible_host=10.0.0.9,ansible_port=2222,color=green,env=prod,note=two words,path=a=b}",
		"db-a @db-a:22 [db,prod] {color=blue,env=prod}",
		"db-b @db-b:22 [db,prod] {color=blue,env=prod}",
		"db-c @db-c:22 [db,prod] {color=blue,env=prod}",
		"badhost @badhost:2200 [db,prod] {ansible_port=2200,color=blue,env=prod}",
	}, parse(t, ini))
}

func TestYAML(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		"mail.example.org @mail.example.org:22 [] {}",
		"www1 deploy@10.0.0.1:22 [prod,web] {ansible_host=10.0.0.1,ansible_user=deploy,count=3,env=prod,flag=true}",
		"www2 deploy@www2:2222 [prod,web] {ansible_port=2222,ansible_user=deploy,env=test}",
		"db1 @db1:22 [db,prod] {env=prod}",
		"db2 @db2:22 [db,prod] {env=prod}",
	}, parse(t, `---
all:
  hosts:
    mail.example.org:
  children:
    prod:
      vars:
        env: prod
        ansible_become_pass: hunter2
        list: [1, 2]
        token: !vault |
          $ANSIBLE_VAULT;1.1;AES256
      children:
        web:
          vars: {ansible_user: deploy}
          hosts:
            www1: {ansible_host: 10.0.0.1, count: 3, flag: true}
            www2:
              ansible_port: 2222
              env: test
        db:
          hosts:
            db[1:2]:
`))
}

func TestBothFormsAgree(t *testing.T) {
	t.Parallel()
	require.Equal(t, parse(t, "[a]\nx ansible_host=1.2.3.4\n[b:children]\na\n"), parse(t, "a:\n  hosts:\n    x: {ansible_host: 1.2.3.4}\nb:\n  children:\n    a:\n"))
}

func TestNearerGroupsWin(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"h @h:22 [child,parent] {v=child,w=all}"},
		parse(t, "[all:vars]\nv=all\nw=all\n[parent:vars]\nv=parent\n[child]\nh\n[child:vars]\nv=child\n[parent:children]\nchild\n"))
	require.Equal(t, []string{"h @h:22 [a,b] {v=host}"}, parse(t, "[a]\nh v=host\n[b]\nh\n[a:vars]\nv=a\n[b:vars]\nv=b\n"))
	require.Equal(t, []string{"h @h:22 [a,b] {v=b}"}, parse(t, "[b]\nh\n[a]\nh\n[a:vars]\nv=a\n[b:vars]\nv=b\n"), "by name among equals")
}

func TestRanges(t *testing.T) {
	t.Parallel()
	names := func(text string) string {
		hosts, err := ansible.Parse(text)
		require.NoError(t, err)
		var out []string
		for _, h := range hosts {
			out = append(out, h.Name)
		}
		return strings.Join(out, " ")
	}
	require.Equal(t, "n1 n3 n5", names("n[1:5:2]\n"))
	require.Equal(t, "n008 n009 n010", names("n[008:010]\n"))
	require.Equal(t, "h-a1x h-a2x h-b1x h-b2x", names("h-[a:b][1:2]x\n"))
	require.Equal(t, "n0 n1", names("n[:1]\n"))
	require.Equal(t, "odd[x]", names("odd[x]\n"))
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"h note=\"open\n":                    "line 1: a quote is not closed",
		":22\n":                              "line 1: the name of a host is missing",
		"h word\n":                           `line 1: "word" is no variable: write name=value`,
		"[a:b]\n":                            "line 1: a section ends with :children or :vars, not :b",
		"[a b]\n":                            `line 1: "a b" is not the name of a group`,
		"[]\n":                               `line 1: "" is not the name of a group`,
		"[a:vars]\nx\n":                      "line 2: a variable is written name=value",
		"[a:children]\nb c\n":                `line 2: "b c" is not the name of a group`,
		"h[3:1]\n":                           "line 1: h[3:1]: the range runs backwards",
		"h[c:a]\n":                           "line 1: h[c:a]: the range runs backwards",
		"h[1:x]\n":                           "line 1: h[1:x]: the ends of a range are numbers or letters",
		"h[1:2:0]\n":                         "line 1: h[1:2:0]: the step of the range is not a positive number",
		"h[1:2:3:4]\n":                       "line 1: h[1:2:3:4]: a range is written [first:last] or [first:last:step]",
		"h ansible_port=ssh\n":               `host h: "ssh" is not a port`,
		"h ansible_port=70000\n":             `host h: "70000" is not a port`,
		"[a:children]\nb\n[b:children]\na\n": "the groups around a contain one another",
		"all:\n  hosts: [a]\n":               "line 2: a mapping is expected",
		"all:\n  host:\n    a:\n":            "line 3: a group has hosts, vars and children, not host",
		"all:\n - x\n  y\n: [":               "it is not YAML: line 3: did not find expected key",
		"h[1:20000000]\n":                    "line 1: h[1:20000000]: the inventory is too large",
		"h[1:9999][1:9999]\n":                "line 1: the inventory is too large",
	} {
		hosts, err := ansible.Parse(text)
		require.Empty(t, hosts, text)
		require.EqualError(t, err, want, text)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n# nothing\n", "---\n", "all:\n", "[web]\n"} {
		require.Empty(t, parse(t, text), "%q", text)
	}
}

func TestYAMLAliasesAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 {hosts: {h: {}}}\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "a%d: &a%d {children: {x: *a%d, y: *a%d}}\n", i, i, i-1, i-1)
	}
	_, err := ansible.Parse(b.String())
	require.Error(t, err)
}

func FuzzParse(f *testing.F) {
	f.Add(ini)
	f.Add("---\nall:\n  children:\n    web:\n      hosts:\n        h[1:3]: {ansible_host: x}\n")
	f.Add("a: &a {children: {b: *a}}\n")
	f.Add("[a:children]\na\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 {
			return
		}
		hosts, err := ansible.Parse(text)
		if err != nil {
			require.Empty(t, hosts)
			return
		}
		seen := map[string]bool{}
		for _, h := range hosts {
			require.NotEmpty(t, h.Address)
			require.False(t, seen[h.Name])
			seen[h.Name] = true
			require.True(t, slices.IsSorted(h.Groups))
			require.Positive(t, h.Port)
		}
	})
}
