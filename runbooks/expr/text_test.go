package expr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

func TestTextIsTheSameHoweverItIsFormatted(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		`var.a + 1`:                           {`var.a+1`, `var.a   +   1`, "(var.a + 1)", "var.a + /* why */ 1"},
		`[1, 2, 3]`:                           {`[1,2,3]`, "[\n  1,\n  2, # two\n  3,\n]", `[ 1, 2, 3, ]`},
		`{ a = 1, b = 2 }`:                    {`{a=1,b=2}`, "{\n  a = 1\n  b = 2\n}", "{\n  a = 1,\n\n  // note\n  b = 2, # last\n}"},
		`{}`:                                  {`{ }`, "{\n}"},
		`f(1, 2)`:                             {`f( 1,2 )`, "f(\n  1,\n  2,\n)"},
		`-var.a - -1`:                         {`- var.a - - 1`},
		`!var.a && var.b`:                     {`! var.a&&var.b`},
		`var.a ? 1 : 2`:                       {`var.a?1:2`, "(var.a\n ? 1\n : 2)"},
		`{ for k, v in var.m : k => v if v }`: {`{for k,v in var.m:k=>v if v}`},
		`var.l[*].name`:                       {`var.l[ * ].name`},
		`var.l[0]["x"].y`:                     {`var.l[ 0 ][ "x" ] . y`},
		`"a ${var.b} c"`:                      {`"a ${ var.b } c"`, "\"a ${\nvar.b\n} c\""},
		`"%{if var.a}x%{else}y%{endif}"`:      {`"%{ if var.a }x%{ else }y%{ endif }"`},
		`f(var.l...)`:                         {`f( var.l ... )`},
	}
	for want, forms := range tests {
		for _, form := range append(forms, want) {
			t.Run(form, func(t *testing.T) {
				t.Parallel()
				e, _ := expr.Parse(form, "x.hcl")
				require.NotNil(t, e)
				got := e.Text()
				if form[0] == '(' {
					got = got[1 : len(got)-1]
				}
				require.Equal(t, want, got)
				again, _ := expr.Parse(e.Text(), "x.hcl")
				require.Equal(t, e.Text(), again.Text(), "normal text is stable")
			})
		}
	}
}

func TestTextKeepsStringsByteForByte(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`"a  b # no comment  "`, `"$${HOME} %%{x} \n \" \\"`, "<<EOT\n  two  spaces\n\n# no comment\nEOT", "<<-EOT\n    a\n      ${var.b}\n    EOT",
	} {
		e, ds := expr.Parse(text+"\n", "x.hcl")
		require.Empty(t, ds, text)
		want := text
		if text[2] == '-' {
			want = "<<-EOT\n    a\n      ${var.b}\nEOT"
		}
		require.Equal(t, want, e.Text())
	}
}

func TestTextDistinguishesWhatDiffers(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, text := range []string{
		`var.a - 1`, `var.a-1`, `"a b"`, `"a  b"`, `[1, 2]`, `[12]`, `{ a = 1 }`, `{ "a" = 1 }`, `!var.a`, `var.a`, `1 - -1`, `1 - 1`,
	} {
		e, _ := expr.Parse(text, "x.hcl")
		require.Empty(t, seen[e.Text()], "%s and %s", text, seen[e.Text()])
		seen[e.Text()] = text
	}
}
