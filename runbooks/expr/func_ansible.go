package expr

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/continuo-runbooks/continuo/runbooks/expr/ansible"
)

// ansibleInventoryFunc gives the hosts of an inventory as a list of objects that all have one type.
func ansibleInventoryFunc() function.Function {
	one := cty.Object(map[string]cty.Type{
		"name": cty.String, "address": cty.String, "port": cty.Number, "user": cty.String,
		"groups": cty.List(cty.String), "vars": cty.Map(cty.String),
	})
	return function.New(&function.Spec{
		Params:       []function.Parameter{text("text")},
		Type:         function.StaticReturnType(cty.List(one)),
		RefineResult: notNull,
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if len(args[0].AsString()) > LimitString {
				return cty.NilVal, tooLong()
			}
			hosts, err := ansible.Parse(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			if len(hosts) == 0 {
				return cty.ListValEmpty(t.ElementType()), nil
			}
			out := make([]cty.Value, len(hosts))
			for i, h := range hosts {
				out[i] = cty.ObjectVal(map[string]cty.Value{
					"name": cty.StringVal(h.Name), "address": cty.StringVal(h.Address), "port": cty.NumberIntVal(int64(h.Port)),
					"user": cty.StringVal(h.User), "groups": stringList(h.Groups), "vars": StringMap(h.Vars).v,
				})
			}
			return cty.ListVal(out), nil
		},
	})
}

func stringList(ss []string) cty.Value {
	if len(ss) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = cty.StringVal(s)
	}
	return cty.ListVal(out)
}
