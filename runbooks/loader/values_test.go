package loader_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

const variables = `
host "db" {
  address = "db"
}
host "web" {
  address = "web"
}
runbook "r" {
  variable "text" { default = "x" }
  variable "number" {
    type    = number
    default = 1
    validation {
      condition = var.number > 0
      message   = "must be positive"
    }
  }
  variable "flag" {
    type    = bool
    default = false
  }
  variable "list" {
    type    = list(string)
    default = []
  }
  variable "object" {
    type    = object({ a = number })
    default = { a = 1 }
  }
  variable "host" {
    type    = host
    default = "db"
  }
  variable "hosts" {
    type    = list(host)
    default = []
  }
  variable "token" {
    sensitive = true
    default   = "none"
  }
  phase "p" {
    wait "w" { duration = "1s" }
  }
}
`

func TestValues(t *testing.T) {
	t.Parallel()
	p := valid(t, variables)
	given := func(pairs ...string) []loader.Given {
		var out []loader.Given
		for _, s := range pairs {
			g, err := loader.ParseVar(s)
			require.NoError(t, err)
			out = append(out, g)
		}
		return out
	}
	values, ds := loader.Values(p, p.Runbooks[0], given(
		"text=a=b", "number=3", "flag=true", `list=["a", "b"]`, "object={ a = 2 }", "host=web", "hosts=db, web", "token=hunter2", "text=last",
	))
	require.Empty(t, ds)
	require.Equal(t, "last", values["text"].String(), "the last one wins")
	require.Equal(t, "3", values["number"].String())
	require.Equal(t, "true", values["flag"].String())
	require.Equal(t, `["a","b"]`, values["list"].String())
	require.Equal(t, `{"a":2}`, values["object"].String())
	require.Equal(t, "web", values["host"].Attr("name").String())
	hosts, err := values["hosts"].Elements()
	require.NoError(t, err)
	require.Len(t, hosts, 2)
	require.True(t, values["token"].IsSensitive())
	require.Equal(t, "(sensitive)", values["token"].String())

	values, ds = loader.Values(p, p.Runbooks[0], nil)
	require.Empty(t, ds)
	require.Equal(t, "db", values["host"].Attr("name").String())

	wrong := map[string]string{
		"txt=a":        "did you mean text?",
		"number=three": "number",
		"number=-1":    "must be positive",
		"flag=yes":     "flag",
		"list=a":       "list",
		"host=bd":      "did you mean db",
		"hosts=db,wbe": "did you mean web",
		"number=var.x": "number",
	}
	for text, want := range wrong {
		_, ds := loader.Values(p, p.Runbooks[0], given(text))
		require.True(t, ds.HasErrors(), text)
		require.Contains(t, ds[0].Summary+" "+ds[0].Detail+" "+ds[0].Hint, want, text)
	}
	_, err = loader.ParseVar("novalue")
	require.Error(t, err)
}

// No message shows what was given for a sensitive variable.
func TestValues_sensitive(t *testing.T) {
	t.Parallel()
	p := valid(t, `
runbook "r" {
  variable "pin" {
    type      = number
    sensitive = true
    validation {
      condition = var.pin > 1000
      message   = "too short"
    }
  }
  phase "p" {
    wait "w" { duration = "1s" }
  }
}
`)
	for _, text := range []string{"hunter2", "77"} {
		_, ds := loader.Values(p, p.Runbooks[0], []loader.Given{{Name: "pin", Text: text}})
		require.True(t, ds.HasErrors())
		for _, d := range ds {
			require.NotContains(t, d.Summary+d.Detail+d.Hint, text)
		}
	}
}

func TestReadVarFile(t *testing.T) {
	t.Parallel()
	p := valid(t, variables)
	for name, src := range map[string]string{
		"hcl":  "number = 3\nlist = [\"a\"]\nhosts = [\"db\"]\n",
		"json": `{"number": 3, "list": ["a"], "hosts": ["db"]}`,
	} {
		given, ds := loader.ReadVarFile(name, []byte(src))
		require.Empty(t, ds, name)
		values, ds := loader.Values(p, p.Runbooks[0], given)
		require.Empty(t, ds, name)
		require.Equal(t, "3", values["number"].String())
		require.Equal(t, `["a"]`, values["list"].String())
	}
	for src, code := range map[string]string{
		"number = var.x\n":       "CON-S021",
		"a {\n}\n":               "CON-S010",
		"number = \n":            "CON-S001",
		`{"number": }`:           "CON-S001",
		`{"number": "${var.x}"}`: "CON-S021",
		"\xff":                   "CON-G003",
	} {
		_, ds := loader.ReadVarFile("vars", []byte(src))
		require.True(t, ds.HasErrors(), src)
		require.Equal(t, code, ds[0].Code, src)
		require.Equal(t, "vars", ds[0].Range.File)
	}
	_, ds := loader.ReadVarFile("vars", []byte("number = \"three\"\n"))
	require.Empty(t, ds)
	given, _ := loader.ReadVarFile("vars", []byte("number = \"three\"\n"))
	_, ds = loader.Values(p, p.Runbooks[0], given)
	require.Equal(t, "CON-V002", ds[0].Code)
	require.Equal(t, "vars", ds[0].Range.File)
}
