package expr

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func allTrueFunc() function.Function { return quantifier(cty.True) }

func anyTrueFunc() function.Function { return quantifier(cty.False) }

// quantifier goes through booleans until one decides: false for all, true for any. One that is not known leaves the
// answer open unless another decides.
func quantifier(empty cty.Value) function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:         function.StaticReturnType(cty.Bool),
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			open := false
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				switch {
				case v.IsNull():
					return cty.NilVal, function.NewArgErrorf(0, "an element is null")
				case !v.IsKnown():
					open = true
				case v.True() != empty.True():
					return v, nil
				}
			}
			if open {
				return cty.UnknownVal(cty.Bool), nil
			}
			return empty, nil
		},
	})
}

func sumFunc() function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
		Type:         function.StaticReturnType(cty.Number),
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			total := cty.Zero
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				switch {
				case v.IsNull():
					return cty.NilVal, function.NewArgErrorf(0, "an element is null")
				case !numberInLimits(v):
					return cty.NilVal, tooLarge()
				}
				total = total.Add(v)
			}
			return total, nil
		},
	})
}

// lengthFunc counts elements or characters. The count of a list of secrets is no secret unless the list itself is.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowMarked: true,
			AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t == cty.String || t == cty.DynamicPseudoType || isSequence(t) || isMapping(t) {
				return cty.Number, nil
			}
			return cty.NilType, function.NewArgErrorf(0, "a list, set, map, object or text is wanted")
		},
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			u, marks := args[0].Unmark()
			var n cty.Value
			switch t := u.Type(); {
			case t == cty.DynamicPseudoType:
				n = cty.UnknownVal(cty.Number)
			case t.IsObjectType():
				n = cty.NumberIntVal(int64(len(t.AttributeTypes())))
			case t == cty.String:
				var err error
				if n, err = stdlib.Strlen(u); err != nil {
					return cty.NilVal, err
				}
			default:
				n = u.Length()
			}
			return n.WithMarks(marks), nil
		},
	})
}

func indexFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
				return cty.NilType, function.NewArgErrorf(0, "a list is wanted")
			}
			return cty.Number, nil
		},
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() || !args[1].IsWhollyKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			i := int64(0)
			for it := args[0].ElementIterator(); it.Next(); i++ {
				if _, v := it.Element(); sameKind(v.Type(), args[1].Type()) && equal(v, args[1]).True() {
					return cty.NumberIntVal(i), nil
				}
			}
			return cty.NilVal, function.NewArgErrorf(1, "it is not in the list")
		},
	})
}

// soleFunc gives the only element. It is how a runbook says "exactly one", so the error names what there was.
func soleFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type: func(args []cty.Value) (cty.Type, error) {
			switch t := args[0].Type(); {
			case t.IsListType() || t.IsSetType():
				return t.ElementType(), nil
			case t.IsTupleType():
				if len(t.TupleElementTypes()) != 1 {
					return cty.NilType, notSole(args[0])
				}
				return t.TupleElementType(0), nil
			}
			return cty.NilType, function.NewArgErrorf(0, "a list or set is wanted")
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if !args[0].Length().IsKnown() {
				return cty.UnknownVal(t), nil
			}
			if args[0].LengthInt() != 1 {
				return cty.NilVal, notSole(args[0])
			}
			it := args[0].ElementIterator()
			it.Next()
			_, v := it.Element()
			return v, nil
		},
	})
}

func notSole(list cty.Value) error {
	if !list.IsKnown() {
		return function.NewArgErrorf(0, "exactly one element is wanted")
	}
	var names []string
	for it := list.ElementIterator(); it.Next(); {
		_, v := it.Element()
		names = append(names, nameOf(v))
	}
	if len(names) == 0 {
		return function.NewArgErrorf(0, "exactly one element is wanted, and there is none")
	}
	const show = 20
	more := ""
	if len(names) > show {
		more = fmt.Sprintf(" and %d more", len(names)-show)
		names = names[:show]
	}
	return function.NewArgErrorf(0, "exactly one element is wanted, and there are %d: %s%s", list.LengthInt(),
		strings.Join(names, ", "), more)
}

// nameOf is a short text for a value in a message: a host by its name.
func nameOf(v cty.Value) string {
	if u, _ := v.Unmark(); u.IsKnown() && !u.IsNull() && u.Type().IsObjectType() && u.Type().HasAttribute("name") {
		v = v.GetAttr("name")
	}
	s := []rune(Value{v}.String())
	if len(s) > 60 {
		return string(s[:59]) + "…"
	}
	return string(s)
}
