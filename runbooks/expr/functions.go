package expr

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// entry is a function of the language: how it is called, what it gives, what it is.
type entry struct {
	usage string
	does  string
	fn    function.Function
}

// Function describes a function of the language.
type Function struct {
	Name  string
	Usage string // name(argument, …)
	Does  string // one line, lower case
}

// Functions describes all functions, sorted by name.
func Functions() []Function {
	t := known()
	out := make([]Function, 0, len(t))
	for _, name := range slices.Sorted(maps.Keys(t)) {
		out = append(out, Function{Name: name, Usage: t[name].usage, Does: t[name].does})
	}
	return out
}

// FunctionNames are the names of all functions, sorted.
func FunctionNames() []string { return slices.Sorted(maps.Keys(known())) }

// known is the table without files, made once: what can be asked of a function without calling it.
//
//nolint:gochecknoglobals // immutable
var known = sync.OnceValue(func() map[string]entry { return table(nil) })

func isFunction(name string) bool { _, ok := known()[name]; return ok }

// isSpecial is true for the forms that are evaluated by nodes of their own.
func isSpecial(name string) bool { return name == "try" || name == "can" }

func functionUsage(name string) string {
	if e, ok := known()[name]; ok {
		return "usage: " + e.usage
	}
	return ""
}

// functions is what an evaluation context is given: everything bounded, everything pure.
func functions(files Files) map[string]function.Function {
	t := table(files)
	out := make(map[string]function.Function, len(t))
	for name, e := range t {
		if !isSpecial(name) {
			out[name] = bounded(e.fn)
		}
	}
	return out
}

// table holds every function of the language.
func table(files Files) map[string]entry {
	t := map[string]entry{
		"try": {usage: "try(expression, …)", does: "the first expression that can be evaluated"},
		"can": {usage: "can(expression)", does: "whether the expression can be evaluated"},
	}
	for _, part := range []map[string]entry{
		textFunctions(), numberFunctions(), collectionFunctions(), conversionFunctions(), dataFunctions(files), timeFunctions(),
	} {
		maps.Copy(t, part)
	}
	return t
}

func textFunctions() map[string]entry {
	return map[string]entry{
		"chomp":        {"chomp(text)", "the text without line breaks at its end", stdlib.ChompFunc},
		"endswith":     {"endswith(text, suffix)", "whether the text ends so", endsWithFunc()},
		"format":       {"format(spec, value, …)", "the values in the places of %s, %d, %q, %v, …", guardFormat(stdlib.FormatFunc)},
		"formatlist":   {"formatlist(spec, list, …)", "format for each element", guardFormat(stdlib.FormatListFunc)},
		"indent":       {"indent(spaces, text)", "the text with all lines but the first indented", indentFunc()},
		"join":         {"join(separator, list, …)", "the strings of the lists as one", guardJoin(stdlib.JoinFunc)},
		"lower":        {"lower(text)", "the text in small letters", stdlib.LowerFunc},
		"regex":        {"regex(pattern, text)", "the first match: a text, or its groups", guardRegex(stdlib.RegexFunc)},
		"regexall":     {"regexall(pattern, text)", "all matches", guardRegexAll(stdlib.RegexAllFunc)},
		"regexreplace": {"regexreplace(text, pattern, with)", "the text with all matches replaced", guardRegexReplace(stdlib.RegexReplaceFunc)},
		"replace":      {"replace(text, part, with)", "the text with all parts replaced", guardReplace(stdlib.ReplaceFunc)},
		"shellquote":   {"shellquote(text) or shellquote(list)", "the text as one word for a POSIX shell", shellQuoteFunc()},
		"split":        {"split(separator, text)", "the parts of the text", guardSplit(stdlib.SplitFunc)},
		"startswith":   {"startswith(text, prefix)", "whether the text begins so", startsWithFunc()},
		"strcontains":  {"strcontains(text, part)", "whether the part is in the text", strContainsFunc()},
		"strlen":       {"strlen(text)", "how many characters the text has", stdlib.StrlenFunc},
		"strrev":       {"strrev(text)", "the text backwards", stdlib.ReverseFunc},
		"substr":       {"substr(text, offset, length)", "a part of the text; length -1: to its end", stdlib.SubstrFunc},
		"title":        {"title(text)", "the text with each word beginning with a capital", stdlib.TitleFunc},
		"trim":         {"trim(text, characters)", "the text without these characters at both ends", stdlib.TrimFunc},
		"trimprefix":   {"trimprefix(text, prefix)", "the text without that beginning", stdlib.TrimPrefixFunc},
		"trimspace":    {"trimspace(text)", "the text without white space at both ends", stdlib.TrimSpaceFunc},
		"trimsuffix":   {"trimsuffix(text, suffix)", "the text without that end", stdlib.TrimSuffixFunc},
		"upper":        {"upper(text)", "the text in capitals", stdlib.UpperFunc},
	}
}

func numberFunctions() map[string]entry {
	return map[string]entry{
		"abs":      {"abs(number)", "the number without its sign", stdlib.AbsoluteFunc},
		"ceil":     {"ceil(number)", "the number rounded up", stdlib.CeilFunc},
		"floor":    {"floor(number)", "the number rounded down", stdlib.FloorFunc},
		"log":      {"log(number, base)", "the logarithm", stdlib.LogFunc},
		"max":      {"max(number, …)", "the largest", stdlib.MaxFunc},
		"min":      {"min(number, …)", "the smallest", stdlib.MinFunc},
		"parseint": {"parseint(text, base)", "the whole number that the text writes in the base", guardLength(stdlib.ParseIntFunc, maxDigits)},
		"pow":      {"pow(number, exponent)", "the power", stdlib.PowFunc},
		"signum":   {"signum(number)", "-1, 0 or 1", stdlib.SignumFunc},
		"sum":      {"sum(list)", "the sum of the numbers", sumFunc()},
	}
}

func collectionFunctions() map[string]entry {
	return map[string]entry{
		"alltrue":         {"alltrue(list)", "whether all elements are true; of an empty list, true", allTrueFunc()},
		"anytrue":         {"anytrue(list)", "whether an element is true; of an empty list, false", anyTrueFunc()},
		"chunklist":       {"chunklist(list, size)", "the list in lists of that size", stdlib.ChunklistFunc},
		"coalesce":        {"coalesce(value, …)", "the first value that is not null", stdlib.CoalesceFunc},
		"coalescelist":    {"coalescelist(list, …)", "the first list that is not empty", stdlib.CoalesceListFunc},
		"compact":         {"compact(list)", "the strings that are neither null nor empty", stdlib.CompactFunc},
		"concat":          {"concat(list, …)", "the lists as one", stdlib.ConcatFunc},
		"contains":        {"contains(list, value)", "whether the value is in the list", stdlib.ContainsFunc},
		"distinct":        {"distinct(list)", "the list without repetitions", guardElements(stdlib.DistinctFunc, maxQuadratic)},
		"element":         {"element(list, index)", "the element at the index, counted round and round", stdlib.ElementFunc},
		"flatten":         {"flatten(list)", "lists of lists as one list", stdlib.FlattenFunc},
		"index":           {"index(list, value)", "where the value is in the list, from 0", indexFunc()},
		"keys":            {"keys(map)", "the keys in order", stdlib.KeysFunc},
		"length":          {"length(value)", "how many elements, or characters", lengthFunc()},
		"lookup":          {"lookup(map, key, default)", "the value of the key, or the default", stdlib.LookupFunc},
		"merge":           {"merge(map, …)", "the maps as one, later keys winning", stdlib.MergeFunc},
		"range":           {"range(limit) or range(start, limit, step)", "numbers, 1024 at most", stdlib.RangeFunc},
		"reverse":         {"reverse(list)", "the list backwards", stdlib.ReverseListFunc},
		"setintersection": {"setintersection(set, …)", "what is in all of the sets", stdlib.SetIntersectionFunc},
		"setproduct":      {"setproduct(list, …)", "all combinations", guardProduct(stdlib.SetProductFunc)},
		"setsubtract":     {"setsubtract(set, other)", "what is in the set and not in the other", stdlib.SetSubtractFunc},
		"setunion":        {"setunion(set, …)", "what is in any of the sets", stdlib.SetUnionFunc},
		"slice":           {"slice(list, start, end)", "the elements from start to before end", stdlib.SliceFunc},
		"sole":            {"sole(list)", "the only element, or an error that names them all", soleFunc()},
		"sort":            {"sort(list)", "the strings in order", stdlib.SortFunc},
		"values":          {"values(map)", "the values in order of their keys", stdlib.ValuesFunc},
		"zipmap":          {"zipmap(keys, values)", "a map of both", stdlib.ZipmapFunc},
	}
}

// bounded wraps a function: an error never holds what a sensitive argument is, and no result grows out of bounds. What
// the function does with marks, nulls and unknowns stays its own business.
func bounded(f function.Function) function.Function {
	spec := &function.Spec{
		Params: openParams(f.Params()),
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := f.ReturnTypeForValues(args)
			return t, hideSensitive(err, args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil {
				return cty.NilVal, hideSensitive(err, args)
			}
			return v, resultInLimits(v)
		},
	}
	if p := f.VarParam(); p != nil {
		open := openParams([]function.Parameter{*p})[0]
		spec.VarParam = &open
	}
	return function.New(spec)
}

// openParams lets everything through to the function inside.
func openParams(ps []function.Parameter) []function.Parameter {
	for i := range ps {
		ps[i].AllowMarked, ps[i].AllowUnknown, ps[i].AllowNull, ps[i].AllowDynamicType = true, true, true, true
	}
	return ps
}

var errNoResult = errors.New("it has no result for these arguments")

// hideSensitive drops the words of an error that may quote a sensitive argument; which argument it was stays.
func hideSensitive(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	var broken function.PanicError
	if errors.As(err, &broken) {
		return errNoResult // cty's words hold a stack trace
	}
	if !slices.ContainsFunc(args, cty.Value.ContainsMarked) {
		return err
	}
	const hidden = "the details are not shown, because an argument is sensitive"
	if arg, ok := err.(function.ArgError); ok { //nolint:errorlint // cty's own type, never wrapped
		return function.NewArgErrorf(arg.Index, hidden)
	}
	return errors.New(hidden)
}

// resultInLimits bounds what a function gives back: text, numbers, elements.
func resultInLimits(v cty.Value) error {
	w := resultWalk{left: LimitElements, most: LimitString}
	if !v.Type().IsPrimitiveType() {
		w.most = LimitStrings
	}
	return w.value(v)
}

// resultWalk goes through a result. cty has a walk of its own, which makes a path for each value.
type resultWalk struct{ left, size, most int }

func (w *resultWalk) value(v cty.Value) error {
	v, _ = v.Unmark()
	if w.left--; w.left < 0 {
		return elementsInLimits(LimitElements + 1)
	}
	if !numberInLimits(v) {
		return tooLarge()
	}
	if n := textLength(v); n > 0 {
		if w.size += n; w.size > w.most {
			return tooLong()
		}
	}
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return nil
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if err := w.value(e); err != nil {
			return err
		}
	}
	return nil
}
