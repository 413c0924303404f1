package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sort"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Why a Value cannot become a Go value.
var (
	ErrUnknown   = errors.New("not known yet")
	ErrNull      = errors.New("is null")
	ErrSensitive = errors.New("is sensitive")
	// ErrTooLarge: it is beyond the limits of the language.
	ErrTooLarge = errors.New("is too large")
)

// sensitiveMark is the only mark of the language. Its type is unexported so that no other package can forge or test it.
type sensitiveMark struct{}

// Value is the result of an expression. The zero Value is absent: it stands for nothing at all, not for null.
type Value struct{ v cty.Value }

// Type is the type of a Value. The zero Type is "any type".
type Type struct{ t cty.Type }

// StringType is the type of strings.
func StringType() Type { return Type{cty.String} }

// NumberType is the type of numbers.
func NumberType() Type { return Type{cty.Number} }

// BoolType is the type of true and false.
func BoolType() Type { return Type{cty.Bool} }

// AnyType stands for a type that is not known. Typing errors behind it are found at run time only.
func AnyType() Type { return Type{cty.DynamicPseudoType} }

// ListType is the type of lists of elem.
func ListType(elem Type) Type { return Type{cty.List(elem.cty())} }

// MapType is the type of maps from strings to elem.
func MapType(elem Type) Type { return Type{cty.Map(elem.cty())} }

// ObjectType is the type of objects with exactly these attributes.
func ObjectType(attrs map[string]Type) Type {
	m := make(map[string]cty.Type, len(attrs))
	for k, t := range attrs {
		m[k] = t.cty()
	}
	return Type{cty.Object(m)}
}

func (t Type) cty() cty.Type {
	if t.t == cty.NilType {
		return cty.DynamicPseudoType
	}
	return t.t
}

// String is a known string.
func String(s string) Value { return Value{cty.StringVal(s)} }

// Number is a known number.
func Number(f float64) Value { return Value{cty.NumberFloatVal(f)} }

// Int is a known whole number.
func Int(i int64) Value { return Value{cty.NumberIntVal(i)} }

// Bool is a known boolean.
func Bool(b bool) Value { return Value{cty.BoolVal(b)} }

// Tuple is a known sequence of values that may differ in type.
func Tuple(vs ...Value) Value {
	if len(vs) == 0 {
		return Value{cty.EmptyTupleVal}
	}
	out := make([]cty.Value, len(vs))
	for i, v := range vs {
		out[i] = v.v
	}
	return Value{cty.TupleVal(out)}
}

// ListOf is a known list whose elements all have the type; ones that do not are converted. It panics when they cannot
// be, which is a mistake of the caller.
func ListOf(t Type, vs ...Value) Value {
	if len(vs) == 0 {
		return Value{cty.ListValEmpty(t.cty())}
	}
	out := make([]cty.Value, len(vs))
	for i, v := range vs {
		c, err := convert.Convert(v.v, t.cty())
		if err != nil {
			panic(fmt.Sprintf("list of %s: element %d: %v", t, i, err)) //nolint:forbidigo // a constructor of literals, as regexp.MustCompile
		}
		out[i] = c
	}
	return Value{cty.ListVal(out)}
}

// Object is a known object. Absent values are left out: reading them is an error that try and can catch.
func Object(attrs map[string]Value) Value {
	m := make(map[string]cty.Value, len(attrs))
	for k, v := range attrs {
		if !v.Absent() {
			m[k] = v.v
		}
	}
	return Value{cty.ObjectVal(m)}
}

// StringMap is a known map of strings.
func StringMap(m map[string]string) Value {
	if len(m) == 0 {
		return Value{cty.MapValEmpty(cty.String)}
	}
	out := make(map[string]cty.Value, len(m))
	for k, v := range m {
		out[k] = cty.StringVal(v)
	}
	return Value{cty.MapVal(out)}
}

// Unknown is a value of the type that is not known yet.
func Unknown(t Type) Value { return Value{cty.UnknownVal(t.cty())} }

// AsSensitive returns the value marked sensitive.
func (v Value) AsSensitive() Value { return Value{v.v.Mark(sensitiveMark{})} }

// Absent reports whether there is no value at all.
func (v Value) Absent() bool { return v.v == cty.NilVal }

// Known reports whether the value and everything in it is known.
func (v Value) Known() bool {
	return !v.Absent() && every(v.v, func(e cty.Value) bool { return e.IsKnown() })
}

// IsSensitive reports whether the value or anything in it is sensitive.
func (v Value) IsSensitive() bool {
	return !v.Absent() && !every(v.v, func(e cty.Value) bool { return !e.IsMarked() })
}

// Clear reports whether it is known and not sensitive, at the cost of one of the two questions.
func (v Value) Clear() bool {
	return !v.Absent() && every(v.v, func(e cty.Value) bool { return e.IsKnown() && !e.IsMarked() })
}

// every reports whether something holds for a value and for all values in it. cty's own walk makes a path for each value
// and sorts the attributes of each object, which counts with thousands of hosts.
func every(v cty.Value, holds func(cty.Value) bool) bool {
	if !holds(v) {
		return false
	}
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case t.IsPrimitiveType(), v.IsNull(), !v.IsKnown():
		return true
	case t.IsObjectType():
		for name := range t.AttributeTypes() {
			if !every(v.GetAttr(name), holds) {
				return false
			}
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			if _, e := it.Element(); !every(e, holds) {
				return false
			}
		}
	}
	return true
}

// Type is the type of the value.
func (v Value) Type() Type {
	if v.Absent() {
		return AnyType()
	}
	return Type{v.v.Type()}
}

// String is for people: sensitive values print as "(sensitive)", unknown ones as "(not known yet)". It never prints a
// refinement, which could hold a secret in clear.
func (v Value) String() string {
	switch {
	case v.Absent():
		return "(absent)"
	case v.IsSensitive():
		return "(sensitive)"
	case !v.Known():
		return "(not known yet)"
	}
	return plainString(v.v)
}

// plainString is a value for people that is wholly known and not sensitive.
func plainString(v cty.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.Type() == cty.String:
		return v.AsString()
	}
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return "(" + v.Type().FriendlyName() + ")"
	}
	return string(b)
}

// JSON is the value as JSON, keys sorted. It fails for unknown and sensitive values.
func (v Value) JSON() ([]byte, error) {
	if _, err := v.plain(false); err != nil {
		return nil, err
	}
	b, err := ctyjson.Marshal(v.v, v.v.Type())
	if err != nil {
		return nil, fmt.Errorf("value as JSON: %w", err)
	}
	return json.RawMessage(b), nil
}

// plain checks known, then null, then sensitive, and returns the value without marks.
func (v Value) plain(reveal bool) (cty.Value, error) {
	if v.Absent() {
		return cty.NilVal, ErrNull
	}
	u, marks := v.v.UnmarkDeep()
	switch {
	case len(marks) > 0 && !reveal:
		return cty.NilVal, ErrSensitive
	case !u.IsWhollyKnown():
		return cty.NilVal, ErrUnknown
	case u.IsNull():
		return cty.NilVal, ErrNull
	}
	return u, nil
}

func (v Value) convert(want cty.Type, reveal bool) (cty.Value, error) {
	u, err := v.plain(reveal)
	if err != nil {
		return cty.NilVal, err
	}
	c, err := convert.Convert(u, want)
	if err != nil {
		return cty.NilVal, mismatch(want, u.Type(), err)
	}
	if c.IsNull() {
		return cty.NilVal, ErrNull
	}
	return c, nil
}

// mismatch says that a conversion is impossible. cty's own words are added only where they say which part is wrong.
func mismatch(want, got cty.Type, err error) error {
	w, g := Type{want}, Type{got}
	switch {
	case got == cty.String && want.IsPrimitiveType():
		return fmt.Errorf("%s is wanted, and this text is none", w)
	case got.IsPrimitiveType() || want.IsPrimitiveType() || isSequence(got) != isSequence(want):
		return fmt.Errorf("%s is wanted, not %s", w, g)
	}
	return fmt.Errorf("%s is wanted, not %s: %w", w, g, err)
}

// Text converts to a string. Numbers and booleans convert; sensitive values are refused.
func (v Value) Text() (string, error) { return v.text(false) }

// Reveal converts to a string, sensitive or not. The result must go to stdin, an environment or a redactor, and
// nowhere else.
func (v Value) Reveal() (string, error) { return v.text(true) }

func (v Value) text(reveal bool) (string, error) {
	c, err := v.convert(cty.String, reveal)
	if err != nil {
		return "", err
	}
	return c.AsString(), nil
}

// Strings converts to a list of strings; sensitive values are refused.
func (v Value) Strings() ([]string, error) {
	c, err := v.convert(cty.List(cty.String), false)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, c.LengthInt())
	for it := c.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			return nil, ErrNull
		}
		out = append(out, e.AsString())
	}
	return out, nil
}

// Truth converts to a boolean; sensitive values are refused.
func (v Value) Truth() (bool, error) {
	c, err := v.convert(cty.Bool, false)
	if err != nil {
		return false, err
	}
	return c.True(), nil
}

// Float converts to a number; sensitive values are refused.
func (v Value) Float() (float64, error) {
	c, err := v.convert(cty.Number, false)
	if err != nil {
		return 0, err
	}
	f, _ := c.AsBigFloat().Float64()
	return f, nil
}

// Whole converts to a whole number; fractions are refused.
func (v Value) Whole() (int64, error) {
	c, err := v.convert(cty.Number, false)
	if err != nil {
		return 0, err
	}
	i, acc := c.AsBigFloat().Int64()
	if acc != big.Exact {
		return 0, fmt.Errorf("%s is not a whole number", v)
	}
	return i, nil
}

// Keyed is one element of a collection.
type Keyed struct {
	Key   string // index, map key or attribute name; the value itself for sets; the names of distinct hosts
	Value Value
}

// Elements are the elements of a list, set, tuple, map or object, maps and objects in order of key.
func (v Value) Elements() ([]Keyed, error) {
	u, err := v.plain(true)
	if err != nil {
		return nil, err
	}
	if !u.CanIterateElements() {
		return nil, fmt.Errorf("a collection wanted, not %s", u.Type().FriendlyName())
	}
	if v.v.IsMarked() {
		return nil, ErrSensitive
	}
	var out []Keyed
	hosts := map[string]bool{}
	for it := v.v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		k, _ = k.Unmark()
		var key string
		switch k.Type() {
		case cty.String:
			key = k.AsString()
		case cty.Number:
			key = k.AsBigFloat().Text('f', -1)
		default:
			key = Value{k}.String()
		}
		if name, ok := oneHost(e); ok {
			hosts[name] = true
		}
		out = append(out, Keyed{Key: key, Value: Value{e}})
	}
	if t := u.Type(); !t.IsMapType() && !t.IsObjectType() && len(hosts) == len(out) {
		for n := range out {
			out[n].Key, _ = oneHost(out[n].Value.v)
		}
	}
	if t := u.Type(); t.IsMapType() || t.IsObjectType() {
		sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	}
	return out, nil
}

// Attr is the attribute of an object, or an absent Value.
func (v Value) Attr(name string) Value {
	if v.Absent() || v.v.IsNull() || !v.v.IsKnown() {
		return Value{}
	}
	u, marks := v.v.Unmark()
	if !u.Type().IsObjectType() || !u.Type().HasAttribute(name) {
		return Value{}
	}
	return Value{u.GetAttr(name).WithMarks(marks)}
}

// ConvertTo converts to a type of the language, keeping unknown and sensitive parts.
func (v Value) ConvertTo(t Type) (Value, error) {
	if v.Absent() {
		return Value{}, ErrNull
	}
	c, err := convert.Convert(v.v, t.cty())
	if err != nil {
		return Value{}, mismatch(t.cty(), v.v.Type(), err)
	}
	plain, _ := c.UnmarkDeep()
	for _, w := range cty.DeepValues(plain) {
		if !numberInLimits(w) {
			return Value{}, fmt.Errorf("number %w", ErrTooLarge)
		}
	}
	return Value{c}, nil
}

// truth is Truth for a condition, which may depend on a sensitive value: only true or false leaves.
func (v Value) truth() (bool, error) {
	c, err := v.convert(cty.Bool, true)
	if err != nil {
		return false, err
	}
	return c.True(), nil
}

// IsText reports whether the value is a string, known or not. A null is no text.
func (v Value) IsText() bool { return !v.Absent() && !v.IsNull() && v.v.Type() == cty.String }

// IsNull reports whether the value is null. An absent or unknown value is not.
func (v Value) IsNull() bool { return !v.Absent() && v.v.IsNull() }

// IsSequence reports whether the value is a list, tuple or set, known or not.
func (v Value) IsSequence() bool { return !v.Absent() && isSequence(v.v.Type()) }

// IsMapping reports whether the value is a map or an object, known or not.
func (v Value) IsMapping() bool { return !v.Absent() && isMapping(v.v.Type()) }

// Len is the number of elements of a known list, tuple, set, map or object, and 0 for anything else.
func (v Value) Len() int {
	if v.Absent() {
		return 0
	}
	u, _ := v.v.Unmark()
	if u.IsNull() || !u.IsKnown() || !u.CanIterateElements() {
		return 0
	}
	n := 0
	for it := u.ElementIterator(); it.Next(); {
		n++
	}
	return n
}

// Equal reports whether both are known and the same in type and content, sensitive or not.
func (v Value) Equal(o Value) bool {
	if v.Absent() || o.Absent() {
		return v.Absent() && o.Absent()
	}
	a, _ := v.v.UnmarkDeep()
	b, _ := o.v.UnmarkDeep()
	return a.IsWhollyKnown() && b.IsWhollyKnown() && a.RawEquals(b)
}

// isUnknown, isNull and isSensitive tell why a conversion gave no Go value.
func isUnknown(err error) bool   { return errors.Is(err, ErrUnknown) }
func isNull(err error) bool      { return errors.Is(err, ErrNull) }
func isSensitive(err error) bool { return errors.Is(err, ErrSensitive) }
