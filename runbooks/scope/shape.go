package scope

import (
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// Field is one piece of data that a result may have.
type Field struct {
	Type      expr.Type
	Sensitive bool
}

// Data says which data the result of an item has when everything about it exists: what its kind leaves, and its
// captures. Where a capture is sensitive the output that it was taken from is, too.
func Data(i *runbooks.Item) map[string]Field {
	text, number := Field{Type: expr.StringType()}, Field{Type: expr.NumberType()}
	out := map[string]Field{"started_at": text, "ended_at": text}
	switch {
	case i.TCP != nil:
		out["state"] = text
	case i.HTTP != nil:
		out["status"], out["stdout"] = number, text
	case i.Kind == runbooks.Check, i.Kind == runbooks.Step:
		out["exit_code"], out["stdout"], out["stderr"] = number, text, text
	case i.Kind == runbooks.Transfer:
		out["sha256"], out["changed"] = text, Field{Type: expr.BoolType()}
	case i.Kind == runbooks.Decision:
		out["choice"] = text
	case i.Kind == runbooks.Gate:
		out["approved_by"] = Field{Type: expr.ListType(expr.StringType())}
	}
	secret := false
	for _, c := range i.Captures {
		out[c.Name] = Field{Type: c.Type, Sensitive: c.Sensitive}
		secret = secret || c.Sensitive
	}
	if secret {
		for _, stream := range []string{"stdout", "stderr"} {
			if f, ok := out[stream]; ok {
				f.Sensitive = true
				out[stream] = f
			}
		}
	}
	return out
}

func (f Field) unknown() expr.Value {
	v := expr.Unknown(f.Type)
	if f.Sensitive {
		v = v.AsSensitive()
	}
	return v
}

// state are the words that every result has.
func unknownState() map[string]expr.Value {
	return map[string]expr.Value{
		"outcome": expr.Unknown(expr.StringType()), "ok": expr.Unknown(expr.BoolType()), "started": expr.Unknown(expr.BoolType()),
	}
}

// unitUnknown is the result of a unit that has not run.
func unitUnknown(i *runbooks.Item) expr.Value {
	out := unknownState()
	for name, f := range Data(i) {
		if !reserved(name) {
			out[name] = f.unknown()
		}
	}
	return expr.Object(out)
}

// unitType is its type, and whether anything in it is sensitive.
func unitType(i *runbooks.Item) (expr.Type, bool) {
	v := unitUnknown(i)
	return v.Type(), v.IsSensitive()
}

// reserved are the words of a result that data cannot take.
func reserved(name string) bool {
	switch name {
	case "outcome", "ok", "started", "by_host", "by_key":
		return true
	}
	return false
}
