package expr

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func timeFunctions() map[string]entry {
	return map[string]entry{
		"duration":   {"duration(text)", "the seconds of 1h30m, 90s, 500ms", durationFunc()},
		"formatdate": {"formatdate(spec, time)", "the time as text: YYYY, MM, DD, hh, mm, ss, …", guardLength(stdlib.FormatDateFunc, LimitString/64)},
		"fromunix":   {"fromunix(seconds)", "the time that many seconds after 1970, in RFC 3339, UTC", fromUnixFunc()},
		"timeadd":    {"timeadd(time, duration)", "the time later by a duration or seconds", timeAddFunc()},
		"timeparse":  {"timeparse(text) or timeparse(text, layout)", "the time in RFC 3339; layout as in 2006-01-02 15:04:05", timeParseFunc()},
		"timesub":    {"timesub(a, b)", "a - b in seconds", timeSubFunc()},
	}
}

func durationFunc() function.Function {
	return pureText(cty.Number, func(a []string) (cty.Value, error) {
		d, err := time.ParseDuration(a[0])
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(0, "%s", durationHelp)
		}
		return seconds(d), nil
	}, "text")
}

const durationHelp = "a duration is a number and a unit, such as 90s, 15m or 2h30m"

// seconds keeps every nanosecond: a float64 would not.
func seconds(d time.Duration) cty.Value {
	f := new(big.Float).SetPrec(512).SetInt64(int64(d))
	return cty.NumberVal(f.Quo(f, new(big.Float).SetPrec(512).SetInt64(int64(time.Second))))
}

// stamp is how times are written. Nanoseconds stay where there are any.
func stamp(t time.Time) (cty.Value, error) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return cty.NilVal, fmt.Errorf("the time is outside the years 0 to 9999")
	}
	return cty.StringVal(t.Format(time.RFC3339Nano)), nil
}

func parseStamp(arg int, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, function.NewArgErrorf(arg, "a time is written 2026-01-31T10:00:00Z (RFC 3339); use timeparse for other forms")
	}
	return t, nil
}

func fromUnixFunc() function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{{Name: "seconds", Type: cty.Number}},
		Type:         function.StaticReturnType(cty.String),
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			d, whole, err := split(args[0].AsBigFloat())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return stamp(time.Unix(whole, d))
		},
	})
}

// split gives nanoseconds and whole seconds, rounded down to a nanosecond.
func split(f *big.Float) (nanos, whole int64, err error) {
	if f.IsInf() || f.Cmp(big.NewFloat(maxSeconds)) > 0 || f.Cmp(big.NewFloat(-maxSeconds)) < 0 {
		return 0, 0, fmt.Errorf("the time is outside the years 0 to 9999")
	}
	n := new(big.Float).SetPrec(512).Mul(f, big.NewFloat(1e9))
	i, _ := n.Int(nil)
	whole, nanos = new(big.Int).Quo(i, big.NewInt(1e9)).Int64(), new(big.Int).Rem(i, big.NewInt(1e9)).Int64()
	return nanos, whole, nil
}

// maxSeconds is beyond the year 9999.
const maxSeconds = 1 << 40

func timeAddFunc() function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{text("time"), {Name: "duration", Type: cty.DynamicPseudoType}},
		RefineResult: notNull,
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[1].Type(); t != cty.String && t != cty.Number {
				return cty.NilType, function.NewArgErrorf(1, "a duration or a number of seconds is wanted")
			}
			return cty.String, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			t, err := parseStamp(0, args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			if args[1].Type() == cty.String {
				d, err := time.ParseDuration(args[1].AsString())
				if err != nil {
					return cty.NilVal, function.NewArgErrorf(1, "%s", durationHelp)
				}
				return stamp(t.Add(d))
			}
			nanos, whole, err := split(args[1].AsBigFloat())
			if err != nil {
				return cty.NilVal, function.NewArgError(1, err)
			}
			return stamp(time.Unix(t.Unix()+whole, int64(t.Nanosecond())+nanos))
		},
	})
}

func timeSubFunc() function.Function {
	return pureText(cty.Number, func(a []string) (cty.Value, error) {
		x, err := parseStamp(0, a[0])
		if err != nil {
			return cty.NilVal, err
		}
		y, err := parseStamp(1, a[1])
		if err != nil {
			return cty.NilVal, err
		}
		d := x.Sub(y)
		if d == math.MaxInt64 || d == math.MinInt64 { // Sub saturates
			return cty.NumberIntVal(x.Unix() - y.Unix()), nil
		}
		return seconds(d), nil
	}, "a", "b")
}

// timeForms are what timeparse takes without a layout: what databases, shells and logs print, each with its zone.
func timeForms() []string {
	return []string{
		time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05Z07",
		"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00",
		time.RFC1123Z,
	}
}

func timeParseFunc() function.Function {
	return function.New(&function.Spec{
		Params:       []function.Parameter{text("text")},
		VarParam:     &function.Parameter{Name: "layout", Type: cty.String},
		Type:         function.StaticReturnType(cty.String),
		RefineResult: notNull,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			forms := timeForms()
			switch len(args) {
			case 1:
			case 2:
				forms = []string{args[1].AsString()}
			default:
				return cty.NilVal, fmt.Errorf("timeparse takes a text and a layout")
			}
			s := args[0].AsString()
			if len(s) > 100 || len(forms[0]) > 100 {
				return cty.NilVal, function.NewArgErrorf(0, "it is too long for a time")
			}
			for _, form := range forms {
				if t, err := time.ParseInLocation(form, s, time.UTC); err == nil {
					return stamp(t)
				}
			}
			if len(args) == 2 {
				return cty.NilVal, function.NewArgErrorf(0, "it does not have that layout")
			}
			return cty.NilVal, function.NewArgErrorf(0, "it is no time with a zone that is known here; give the layout, such as "+
				"timeparse(text, \"2006-01-02 15:04:05\")")
		},
	})
}
