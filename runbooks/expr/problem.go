package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/continuo-runbooks/continuo/runbooks/diag"
)

// problem is a finding in our words. It travels inside hcl's diagnostics as their Extra.
type problem struct {
	code, summary, detail, hint string
}

// asHCL wraps the problem for its way through hcl.
func (p *problem) asHCL(r hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: p.summary, Detail: p.detail, Subject: &r, Extra: p}}
}

// fromHCL converts hcl's diagnostics to ours. What hcl says about values is replaced by words that cannot hold one.
func fromHCL(ds hcl.Diagnostics, file string, fallback diag.Range) diag.List {
	var out diag.List
	for _, d := range ds {
		if d.Severity != hcl.DiagError {
			continue
		}
		if f, ok := d.Extra.(*foreign); ok {
			out = append(out, f.list...)
			continue
		}
		p, ok := d.Extra.(*problem)
		if !ok {
			p = translate(d)
		}
		at := fallback
		if d.Subject != nil {
			at = rangeOf(*d.Subject, file)
		}
		if d.Summary == "Invalid function argument" && d.Expression != nil {
			at = rangeOf(d.Expression.Range(), file) // hcl points behind the quote of a text
		}
		out = append(out, diag.Diagnostic{
			Severity: diag.Error, Code: p.code, Summary: p.summary, Detail: p.detail, Hint: p.hint, Range: at,
		})
	}
	return out.Sorted()
}

// translate gives a diagnostic of hcl a code and, where hcl's words do not help, better ones.
func translate(d *hcl.Diagnostic) *problem {
	detail := strings.TrimSpace(d.Detail)
	switch d.Summary {
	case "Attempt to get attribute from null value", "Attempt to index null value":
		return &problem{code: CodeNull, summary: "value is null", detail: "A null has no attributes and no elements.",
			hint: "use try(…, DEFAULT)"}
	case "Invalid index", "Missing map element":
		return &problem{code: CodeNoElement, summary: "no such element", detail: strings.TrimPrefix(detail,
			"The given key does not identify an element in this collection value: "), hint: "use try(…, DEFAULT) where it may be missing"}
	case "Null condition", "Condition is null":
		return &problem{code: CodeNull, summary: "condition is null", detail: "A condition is true or false.",
			hint: "compare with null, or use coalesce(…, false)"}
	case "Incorrect condition type", "Invalid 'for' condition":
		return &problem{code: CodeType, summary: "condition is neither true nor false", detail: detail,
			hint: `compare: a == "b", a > 3; a text is converted by tobool(…)`}
	case "Invalid operand":
		return &problem{code: CodeType, summary: "operand has the wrong type", detail: detail,
			hint: "convert it: tonumber(…), tostring(…) or tobool(…)"}
	case "Operation failed":
		return &problem{code: CodeType, summary: "operation is not possible", detail: detail, hint: "look at both operands"}
	case "Inconsistent conditional result types":
		return &problem{code: CodeType, summary: "both sides of ?: must have one type", detail: detail,
			hint: "convert one side, or give both the same form"}
	case "Invalid template interpolation value":
		return templateProblem(detail)
	case "Iteration over null value", "Splat of null value":
		return &problem{code: CodeNull, summary: "cannot go through null", detail: "A list, set or map is wanted.",
			hint: "use coalesce(…, [])"}
	case "Iteration over non-iterable value":
		return &problem{code: CodeType, summary: "cannot go through this value", detail: "A list, set or map is wanted.",
			hint: `put one value in brackets: [VALUE]; a text is divided by split(",", …)`}
	case "Invalid nested splat expressions":
		return &problem{code: CodeEvaluation, summary: "one [*] after another gives lists of different lengths",
			hint: "write the loops out: [for a in LIST : [for b in a : b]]"}
	case "Null value as key", "Invalid object key", "Incorrect key type":
		return keyProblem(detail)
	case "Duplicate object key":
		return &problem{code: CodeType, summary: "two elements have the same key", detail: detail,
			hint: "add ... after the value to collect them in lists"}
	case "Ambiguous attribute key":
		return &problem{code: CodeType, summary: "key is ambiguous",
			hint: "put a reference in parentheses, a name with dots in quotes"}
	}
	return functionProblem(d, detail)
}

func keyProblem(detail string) *problem {
	if strings.Contains(detail, "null value") {
		return &problem{code: CodeNull, summary: "null as a key", detail: "A null is no key.", hint: `use coalesce(…, ""), or leave the entry out`}
	}
	return &problem{code: CodeType, summary: "key is no text", hint: `a key is a string, a number or a bool: pick a part of the value, or use join("-", …)`}
}

func templateProblem(detail string) *problem {
	if strings.Contains(detail, "null") {
		return &problem{code: CodeNull, summary: "null in a text", detail: "A null has no text.", hint: "use coalesce(…, \"\")"}
	}
	return &problem{code: CodeType, summary: "value has no text", detail: "Only strings, numbers and booleans can stand in a text.",
		hint: "use jsonencode(…) or join(\", \", …)"}
}

// functionProblem handles calls, and everything that has no words of its own.
func functionProblem(d *hcl.Diagnostic, detail string) *problem {
	call, ok := d.Extra.(hclsyntax.FunctionCallDiagExtra)
	if !ok {
		return &problem{code: CodeEvaluation, summary: lowerFirst(d.Summary), detail: detail, hint: "write it in another way"}
	}
	name := call.CalledFunctionName()
	p := &problem{code: CodeFunction, summary: fmt.Sprintf("call of %s failed", name), detail: detail}
	switch d.Summary {
	case "Not enough function arguments":
		p.summary = fmt.Sprintf("%s needs more arguments", name)
	case "Too many function arguments":
		p.summary = fmt.Sprintf("%s takes fewer arguments", name)
	case "Invalid function argument", "Invalid expanding argument value":
		p.summary = fmt.Sprintf("%s cannot take this argument", name)
	}
	if err := call.FunctionCallError(); err != nil {
		if own, ok := err.(*problem); ok { //nolint:errorlint // never wrapped on this way
			return own
		}
		p.detail = upperFirst(strings.TrimSuffix(err.Error(), ".")) + "."
	}
	p.hint = functionUsage(name)
	return p
}

// Error makes a problem an error, so that a function can return one.
func (p *problem) Error() string { return p.summary }

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// unknownRoot explains a word that no reference begins with.
func unknownRoot(t hcl.Traversal) *problem {
	name := t.RootName()
	p := &problem{code: CodeUnknownName, summary: fmt.Sprintf("nothing is called %q here", name)}
	switch {
	case name == strings.ToUpper(name) && strings.ToLower(name) != name:
		p.detail = "${…} in a text is an expression of the runbook, not a variable of the shell."
		p.hint = fmt.Sprintf("for the shell's variable write $${%s}, or keep the script in a file: script = file(\"…\")", name)
	case name == "http_code" || name == "time_total" || name == "url_effective":
		p.hint = fmt.Sprintf("for curl's variable write %%%%{%s}", name)
	default:
		if s := diag.Suggest(name, RootNames()); s != "" {
			p.hint = fmt.Sprintf("did you mean %s?", s)
		} else if len(t) == 1 {
			p.hint = fmt.Sprintf("for a text write %q; for a variable var.%s; for a local local.%s", name, name, name)
		} else {
			p.hint = "references begin with " + strings.Join(RootNames(), ", ")
		}
	}
	return p
}

// noAttribute explains a step of a reference that does not exist in the value before it.
func noAttribute(path string, parent cty.Value, name string) *problem {
	p := &problem{code: CodeNoAttribute, summary: fmt.Sprintf("%s has no %s", path, quoteIfOdd(name))}
	candidates := attributeNames(parent)
	if base, rest, ok := cutMinus(name, candidates); ok {
		p.hint = fmt.Sprintf("for a subtraction put spaces around the minus: %s - %s", base, rest)
		return p
	}
	if within := inUnits(parent, name); within != "" {
		p.hint = fmt.Sprintf("say which: %s.%s[…].%s", path, within, name)
		return p
	}
	if outcome, ok := resultOutcome(parent); ok {
		p.code = CodeNoData
		p.detail = fmt.Sprintf("It has left no such data: its outcome is %s.", outcome)
		p.hint = "use try(…, DEFAULT), or a when that asks for its ok"
		return p
	}
	if s := diag.Suggest(name, candidates); s != "" {
		p.hint = fmt.Sprintf("did you mean %s?", s)
	} else if len(candidates) > 0 {
		p.hint = "it has " + shortList(candidates)
	} else {
		p.hint = "it has nothing that could be read by name"
	}
	return p
}

// inUnits tells where a result has a name that it lacks in its short form: by_key or by_host.
func inUnits(parent cty.Value, name string) string {
	t := parent.Type()
	if !t.IsObjectType() {
		return ""
	}
	for _, where := range []string{"by_key", "by_host"} {
		if t.HasAttribute(where) && unitHas(t.AttributeType(where), name) {
			return where
		}
	}
	return ""
}

func unitHas(units cty.Type, name string) bool {
	switch {
	case units.IsMapType():
		return has(units.ElementType(), name)
	case units.IsObjectType():
		for _, u := range units.AttributeTypes() {
			if has(u, name) {
				return true
			}
		}
	}
	return false
}

func has(t cty.Type, name string) bool {
	return t.IsObjectType() && (t.HasAttribute(name) || t.HasAttribute("by_host") && unitHas(t.AttributeType("by_host"), name))
}

// cutMinus finds lag in lag-1.
func cutMinus(name string, candidates []string) (base, rest string, ok bool) {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '-' && slices.Contains(candidates, name[:i]) {
			return name[:i], name[i+1:], name[i+1:] != ""
		}
	}
	return "", "", false
}

// attributeNames are the names that may follow a value, never from a sensitive one: its keys may be secret.
func attributeNames(v cty.Value) []string {
	if v == cty.NilVal || v.IsMarked() {
		return nil
	}
	t := v.Type()
	var out []string
	switch {
	case t.IsObjectType():
		for name := range t.AttributeTypes() {
			out = append(out, name)
		}
	case t.IsMapType() && v.IsKnown() && !v.IsNull():
		for it := v.ElementIterator(); it.Next(); {
			k, _ := it.Element()
			if k.IsMarked() {
				return nil
			}
			out = append(out, k.AsString())
		}
	}
	slices.Sort(out)
	return out
}

// resultOutcome recognises the result of an item that has ended, or that was never reached.
func resultOutcome(v cty.Value) (string, bool) {
	if v == cty.NilVal || v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() {
		return "", false
	}
	t := v.Type()
	if !t.HasAttribute("outcome") || !t.HasAttribute("started") || !t.HasAttribute("ok") {
		return "", false
	}
	o := v.GetAttr("outcome")
	if o.IsMarked() || !o.IsKnown() || o.IsNull() || o.Type() != cty.String {
		return "", false
	}
	return o.AsString(), true
}

func quoteIfOdd(name string) string {
	if hclsyntax.ValidIdentifier(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// shortList names a few and counts the rest.
func shortList(names []string) string {
	const show = 8
	if len(names) <= show {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:show], ", "), len(names)-show)
}

// syntaxErrors are hcl's complaints about a text that does not parse.
func syntaxErrors(ds hcl.Diagnostics, file string) diag.List {
	var out diag.List
	for _, d := range ds {
		if d.Severity != hcl.DiagError {
			continue
		}
		var at diag.Range
		if d.Subject != nil {
			at = rangeOf(*d.Subject, file)
		}
		out = append(out, diag.Diagnostic{Severity: diag.Error, Code: CodeSyntax, Summary: lowerFirst(d.Summary),
			Detail: d.Detail, Range: at})
	}
	return out.Sorted()
}
