package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/continuo-runbooks/continuo/engine/redact"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/loader"
)

// variables gives the runbook's variables their values: files in the order in which they were named, then --var.
func (a *app) variables(p *runbooks.Project, rb *runbooks.Runbook, in variableFlags) (map[string]expr.Value, error) {
	given, err := a.given(in)
	if err != nil {
		return nil, err
	}
	values, list := loader.Values(p, rb, given)
	if err := list.Err(); err != nil {
		return nil, fail(Usage, err, "")
	}
	return values, nil
}

// given reads what the flags say about variables.
func (a *app) given(in variableFlags) ([]loader.Given, error) {
	var given []loader.Given
	for _, name := range in.files {
		src, err := os.ReadFile(a.path(name))
		if err != nil {
			return nil, fail(Usage, fmt.Errorf("--var-file: %w", err), "")
		}
		more, list := loader.ReadVarFile(name, src)
		if err := list.Err(); err != nil {
			return nil, fail(Usage, err, "")
		}
		given = append(given, more...)
	}
	for _, text := range in.vars {
		g, err := loader.ParseVar(text)
		if err != nil {
			return nil, fail(Usage, fmt.Errorf("--var: %w", err), "write --var NAME=VALUE")
		}
		given = append(given, g)
	}
	return given, nil
}

// hideVariables makes the sensitive ones known to the redactor. One that it cannot keep out of the record is refused.
func hideVariables(rb *runbooks.Runbook, values map[string]expr.Value, r *redact.Redactor) error {
	for _, v := range rb.Variables {
		if !v.Sensitive {
			continue
		}
		text, err := values[v.Name].Reveal()
		if err != nil {
			if errors.Is(err, expr.ErrNull) {
				continue
			}
			return fail(Usage, fmt.Errorf("variable %s: %w", v.Name, err), "a sensitive variable is a string, a number or a bool")
		}
		if err := r.Add("var."+v.Name, text); err != nil {
			return fail(Usage, fmt.Errorf("variable %s: %w", v.Name, err), "")
		}
	}
	return nil
}
