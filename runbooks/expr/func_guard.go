package expr

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds of arguments. A result out of bounds is refused afterwards; these refuse what would never get there.
const (
	maxWidth     = 10_000  // of a field in format
	maxQuadratic = 5_000   // elements where each is compared with each
	maxProduct   = 100_000 // combinations
	maxRendered  = 4 * LimitString
)

// before puts a check before a function. The check sees the arguments without marks, some of them unknown.
func before(f function.Function, check func(args []cty.Value) error) function.Function {
	spec := &function.Spec{
		Params: openParams(f.Params()),
		Type:   f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			plain := make([]cty.Value, len(args))
			for i, a := range args {
				plain[i], _ = a.UnmarkDeep()
			}
			if err := check(plain); err != nil {
				return cty.NilVal, err
			}
			return f.Call(args)
		},
	}
	if p := f.VarParam(); p != nil {
		open := openParams([]function.Parameter{*p})[0]
		spec.VarParam = &open
	}
	return function.New(spec)
}

// stringArg is the argument as a string, or "" when it is none or not known.
func stringArg(args []cty.Value, i int) string {
	if i >= len(args) || args[i].IsNull() || !args[i].IsKnown() || args[i].Type() != cty.String {
		return ""
	}
	return args[i].AsString()
}

// weigh counts the strings inside a value and their bytes.
func weigh(v cty.Value) (values, bytes int) {
	for _, w := range cty.DeepValues(v) {
		values++
		bytes += textLength(w)
	}
	return values, bytes
}

func guardJoin(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		total := 0
		for _, a := range args[1:] {
			values, bytes := weigh(a)
			total += bytes + values*len(stringArg(args, 0))
		}
		if total > maxRendered {
			return tooLong()
		}
		return nil
	})
}

func guardReplace(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		text, part, with := stringArg(args, 0), stringArg(args, 1), stringArg(args, 2)
		if len(text)+strings.Count(text, part)*len(with) > maxRendered {
			return tooLong()
		}
		return nil
	})
}

// guardRegexReplace counts the matches, and the groups that each replacement repeats.
func guardRegexReplace(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		text, with := stringArg(args, 0), stringArg(args, 2)
		if len(text)*(1+strings.Count(with, "$")) > maxRendered {
			return tooLong()
		}
		if len(text)*len(with) <= maxRendered {
			return nil // even a match at every byte stays in bounds
		}
		re, err := regexp.Compile(stringArg(args, 1))
		if err != nil {
			return nil //nolint:nilerr // the function itself says it better
		}
		most := maxRendered/len(with) + 1
		if len(re.FindAllStringIndex(text, most)) >= most {
			return tooLong()
		}
		return nil
	})
}

// guardFormat bounds field widths, and numbers that hide in strings: %d converts "1e30000000".
func guardFormat(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		spec := stringArg(args, 0)
		width := 0
		for _, digits := range strings.FieldsFunc(spec, func(r rune) bool { return r < '0' || r > '9' }) {
			n, err := strconv.Atoi(digits)
			if strings.Contains(spec, "%") && (err != nil || n > maxWidth) && !plainDigits(spec, digits) {
				return &problem{code: CodeTooComplex, summary: "field is too wide",
					detail: fmt.Sprintf("A field of format has %d characters at most.", maxWidth)}
			}
			width = max(width, min(n, maxWidth))
		}
		most, rows := 0, 1
		for _, a := range args[1:] {
			if a.IsKnown() && !a.IsNull() && isSequence(a.Type()) {
				rows = max(rows, a.LengthInt())
			}
			for _, w := range cty.DeepValues(a) {
				most = max(most, textLength(w))
				if !numberInLimits(w) || hidesLargeNumber(w) {
					return tooLarge()
				}
			}
			_, bytes := weigh(a)
			if bytes > maxRendered {
				return tooLong()
			}
		}
		if float64(rows)*(float64(len(spec))+float64(strings.Count(spec, "%"))*float64(most+width)) > LimitStrings {
			return tooLong()
		}
		return nil
	})
}

// plainDigits reports whether the digits stand in the text of a spec, not in one of its verbs.
func plainDigits(spec, digits string) bool {
	for rest := spec; ; {
		before, after, ok := strings.Cut(rest, "%")
		if !ok {
			return true
		}
		_ = before
		verb := strings.TrimLeft(after, "0123456789.+-# []")
		if strings.Contains(after[:len(after)-len(verb)], digits) {
			return false
		}
		rest = verb
	}
}

func hidesLargeNumber(v cty.Value) bool {
	if textLength(v) == 0 || textLength(v) > maxDigits {
		return false
	}
	s := v.AsString()
	i := strings.IndexAny(s, "eE")
	if i < 0 || strings.Trim(s[:i], "+-0123456789._") != "" {
		return false
	}
	e, err := strconv.Atoi(s[i+1:])
	return err != nil && strings.Trim(s[i+1:], "+-0123456789") == "" || e > LimitNumberBits || e < -LimitNumberBits
}

func guardLength(f function.Function, most int) function.Function {
	return before(f, func(args []cty.Value) error {
		for i := range args {
			if len(stringArg(args, i)) > most {
				return tooLarge()
			}
		}
		return nil
	})
}

func guardElements(f function.Function, most int) function.Function {
	return before(f, func(args []cty.Value) error {
		for _, a := range args {
			if values, _ := weigh(a); values > most {
				return &problem{code: CodeTooComplex, summary: "list is too long for this function",
					detail: fmt.Sprintf("It compares each element with each, %d at most.", most), hint: "use toset(…)"}
			}
		}
		return nil
	})
}

func guardProduct(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		total := 1.0
		for _, a := range args {
			if a.IsNull() || !a.IsKnown() || !isSequence(a.Type()) {
				continue
			}
			n, _ := weigh(a)
			total *= float64(n)
		}
		if total > maxProduct {
			return &problem{code: CodeTooComplex, summary: "too many combinations",
				detail: fmt.Sprintf("setproduct gives %d combinations at most.", maxProduct)}
		}
		return nil
	})
}
