package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

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

// warnLeaks searches what will be part of the evidence for the secrets that are known already, before anything is done. A
// hit stops nothing: the record is searched again before it is sealed, and waits then.
func (a *app) warnLeaks(w *work, r *redact.Redactor) {
	places := map[string][]byte{}
	for _, f := range w.project.Files {
		places[f.Path] = f.Data
	}
	if plan, err := json.Marshal(w.plan); err == nil {
		places["the plan"] = plan
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		hits, err := r.Scan(bytes.NewReader(places[place]), 1)
		if err != nil || len(hits) == 0 {
			continue
		}
		a.err.Warn(fmt.Sprintf("%s holds secret %q (%s, at byte %d)", place, hits[0].Name, hits[0].Encoding, hits[0].Offset),
			"the record will not be sealed until it is withheld; nothing is lost")
	}
}
