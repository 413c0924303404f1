package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// Bounds of arguments. A result out of bounds is refused afterwards; these refuse what would never get there.
const (
	maxWidth     = 10_000 // of a field in format
	maxQuadratic = 5_000  // elements where each is compared with each
	maxProduct   = 20_000 // combinations
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

// The bounds of regular expressions. Their time grows with the program that a pattern becomes, times the text.
const (
	maxPattern   = 1000    // bytes
	maxRegexWork = 1 << 27 // instructions times bytes
)

// compilePattern gives the expression of a pattern that may be run on a text of that length; nil without an error when
// it does not compile, which the function itself says better.
func compilePattern(pattern string, length int) (*regexp.Regexp, error) {
	tooMuch := &problem{code: CodeTooComplex, summary: "pattern is too complex for a text of this length",
		detail: fmt.Sprintf("A pattern has %d bytes at most.", maxPattern), hint: "cut the text first, with split or substr"}
	if len(pattern) > maxPattern {
		return nil, tooMuch
	}
	size := programSize(pattern)
	if size == 0 {
		return nil, nil //nolint:nilnil // see above
	}
	if size*length > maxRegexWork {
		return nil, tooMuch
	}
	return regexp.Compile(pattern)
}

// programSize is how many instructions a pattern becomes; 0 when it does not compile.
func programSize(pattern string) int {
	if len(pattern) > maxPattern {
		return 0
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

// guardRegex is for functions of a pattern and a text.
func guardRegex(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		_, err := compilePattern(stringArg(args, 0), len(stringArg(args, 1)))
		return err
	})
}

// guardRegexAll bounds how many matches become elements, too.
func guardRegexAll(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		re, err := compilePattern(stringArg(args, 0), len(stringArg(args, 1)))
		if err != nil || re == nil {
			return err
		}
		return elementsInLimits(len(re.FindAllStringIndex(stringArg(args, 1), LimitElements+1)))
	})
}

func elementsInLimits(n int) error {
	if n <= LimitElements {
		return nil
	}
	return &problem{code: CodeTooComplex, summary: "function gives too many elements",
		detail: fmt.Sprintf("A function gives %d elements at most.", LimitElements)}
}

// guardMarks counts the marks between the elements of a text before it is taken apart.
func guardMarks(f function.Function, marks string) function.Function {
	return before(f, func(args []cty.Value) error {
		n := 0
		for _, m := range marks {
			n += strings.Count(stringArg(args, 0), string(m))
		}
		return elementsInLimits(n)
	})
}

func guardSplit(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		return elementsInLimits(strings.Count(stringArg(args, 1), stringArg(args, 0)))
	})
}

// guardRegexReplace counts the matches, and the groups that each replacement repeats.
func guardRegexReplace(f function.Function) function.Function {
	return before(f, func(args []cty.Value) error {
		text, with := stringArg(args, 0), stringArg(args, 2)
		re, err := compilePattern(stringArg(args, 1), len(text))
		if err != nil || re == nil {
			return err
		}
		if len(text)*(1+strings.Count(with, "$")) > maxRendered {
			return tooLong()
		}
		if len(text)*len(with) <= maxRendered {
			return nil // even a match at every byte stays in bounds
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
