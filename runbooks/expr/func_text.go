package expr

import (
	"errors"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func text(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.String} }

// pureText is a function of strings. Nulls, unknowns and marks never get to it.
func pureText(ret cty.Type, impl func(args []string) (cty.Value, error), params ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(ret), RefineResult: notNull}
	for _, p := range params {
		spec.Params = append(spec.Params, text(p))
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		in := make([]string, len(args))
		for i, a := range args {
			in[i] = a.AsString()
		}
		return impl(in)
	}
	return function.New(spec)
}

func notNull(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() }

func startsWithFunc() function.Function {
	return pureText(cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.HasPrefix(a[0], a[1])), nil
	}, "text", "prefix")
}

func endsWithFunc() function.Function {
	return pureText(cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.HasSuffix(a[0], a[1])), nil
	}, "text", "suffix")
}

func strContainsFunc() function.Function {
	return pureText(cty.Bool, func(a []string) (cty.Value, error) {
		return cty.BoolVal(strings.Contains(a[0], a[1])), nil
	}, "text", "part")
}

// indentFunc indents all lines but the first, which usually stands behind a template's own indentation.
func indentFunc() function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{{Name: "spaces", Type: cty.Number}, text("text")},
		Type:         function.StaticReturnType(cty.String),
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			n, _ := args[0].AsBigFloat().Int64()
			if n < 0 || n > 1000 || !args[0].AsBigFloat().IsInt() {
				return cty.NilVal, function.NewArgErrorf(0, "spaces must be a whole number from 0 to 1000")
			}
			s := args[1].AsString()
			if len(s)+strings.Count(s, "\n")*int(n) > LimitString {
				return cty.NilVal, tooLong()
			}
			return cty.StringVal(strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", int(n)))), nil
		},
	})
}

// shellQuoteFunc makes one word of a text, or words of a list, for any POSIX shell.
func shellQuoteFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[0].Type(); !t.IsPrimitiveType() && !isSequence(t) {
				return cty.NilType, function.NewArgErrorf(0, "a text or a list of texts is wanted")
			}
			return cty.String, nil
		},
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(cty.String), nil
			}
			words, err := Value{args[0]}.Strings()
			if !isSequence(args[0].Type()) {
				var word string
				word, err = Value{args[0]}.Text()
				words = []string{word}
			}
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "a text or a list of texts is wanted")
			}
			for i, w := range words {
				if strings.ContainsRune(w, 0) {
					return cty.NilVal, function.NewArgErrorf(0, "a word for a shell cannot hold a NUL byte")
				}
				words[i] = ShellQuote(w)
			}
			return cty.StringVal(strings.Join(words, " ")), nil
		},
	})
}

// ShellQuote makes one word of a text for any POSIX shell.
func ShellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

var errNotText = errors.New("the result is not text in UTF-8")
