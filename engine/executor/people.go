package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// question is what people are shown for a manual item.
func (t *task) question(names *expr.Scope) (engine.ManualQuestion, error) {
	q := engine.ManualQuestion{Item: t.id, Role: t.item.Role, Members: t.r.members(t.item.Role)}
	var err error
	if q.Title, err = evalText(t.item.Title, names); err != nil {
		return q, err
	}
	if q.Instructions, err = evalText(t.item.Instructions, names); err != nil {
		return q, err
	}
	if q.Owner, err = evalText(t.item.Owner, names); err != nil {
		return q, err
	}
	for _, in := range t.item.Inputs {
		q.Inputs = append(q.Inputs, engine.ManualInput{
			Name: in.Name, Type: in.Type.String(), Sensitive: in.Sensitive,
			Check: func(text string) error {
				_, err := t.input(in, text, names)
				return err
			},
		})
	}
	t.inputNames = names
	return q, nil
}

// input converts and validates what a person typed.
func (t *task) input(in runbooks.Input, text string, names *expr.Scope) (expr.Value, error) {
	v, err := expr.String(text).ConvertTo(in.Type)
	if err != nil {
		return expr.Value{}, fmt.Errorf("input %s: %w", in.Name, err)
	}
	if in.Sensitive {
		v = v.AsSensitive()
	}
	// Like the validations of variables they see the value only, as var.NAME.
	names = names.With(map[string]expr.Value{"var": expr.Object(map[string]expr.Value{in.Name: v})})
	for _, check := range in.Validations {
		ok, err := evalTruth(check.Condition, names)
		if err != nil {
			return expr.Value{}, fmt.Errorf("input %s: %w", in.Name, err)
		}
		if !ok {
			return expr.Value{}, fmt.Errorf("input %s: %s", in.Name, reasonOr(t.r.message(check.Message, names), "is not valid"))
		}
	}
	return v, nil
}

// people asks until as many distinct people as wanted have said that it is done, or one that it is not. The inputs are
// those of the last.
func (t *task) people(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, map[string]expr.Value, error) {
	said, last, over := t.saidBefore()
	if over {
		return engine.ManualAnswer{By: last.By, Done: last.Done, Note: last.Note}, t.pastInputs(last), nil
	}
	want := max(1, t.item.People)
	for range mostRefused {
		q.Missing = want - len(said)
		a, err := t.ask(ctx, q)
		if err != nil {
			return a, nil, err
		}
		if q.Refused = t.counts(a, q, said); q.Refused != "" {
			continue
		}
		done, inputs, err := t.answered(a)
		if err != nil {
			q.Refused = t.r.clip(errText(err))
			continue
		}
		if err := t.r.emit(done); err != nil {
			return a, nil, err
		}
		said = append(said, a.By)
		if !a.Done || len(said) == want {
			return a, inputs, nil
		}
	}
	return engine.ManualAnswer{}, nil, t.hold(fmt.Sprintf("%s: too many answers that do not count", t.id))
}

// counts says why an answer does not count.
func (t *task) counts(a engine.ManualAnswer, q engine.ManualQuestion, said []string) string {
	switch {
	case q.Role != "" && !slices.Contains(q.Members, a.By):
		return fmt.Sprintf("%s is not a member of role %s", reasonOr(a.By, "nobody"), q.Role)
	case slices.Contains(said, a.By):
		return a.By + " has said so already: another person is needed"
	}
	return ""
}

// ask puts the question. People take their time: neither a drain nor a failure elsewhere withdraws it, but an abort does
// (errAborted).
func (t *task) ask(ctx context.Context, q engine.ManualQuestion) (engine.ManualAnswer, error) {
	if t.r.cfg.People == nil {
		return engine.ManualAnswer{}, t.hold(fmt.Sprintf("nobody to ask for %s", t.id))
	}
	t.asked = time.Now()
	ctx, done := t.asking(ctx)
	defer done()
	a, err := t.r.cfg.People.Manual(ctx, q)
	switch {
	case err == nil:
		return a, nil
	case errors.Is(context.Cause(ctx), errAborted):
		return a, errAborted
	case ctx.Err() != nil:
		// Killed or left: the question stays open.
		return a, t.hold(fmt.Sprintf("%s was not answered", t.id))
	case errors.Is(err, engine.ErrNobody):
		return a, t.hold(fmt.Sprintf("nobody to ask for %s", t.id))
	}
	return a, t.hold(fmt.Sprintf("asking for %s: %v", t.id, err))
}

// hold leaves the item open: the run ends what runs, and is left.
func (t *task) hold(why string) error {
	t.r.valve.halt(held, why, "")
	return errLeft
}

// answered turns a person's word into its event and the values of the inputs.
func (t *task) answered(a engine.ManualAnswer) (*engine.ManualDone, map[string]expr.Value, error) {
	out := &engine.ManualDone{
		Item: t.id, Batch: t.batch, By: a.By, Signed: a.Signed, Done: a.Done, Note: t.r.cfg.Redactor.Redact(a.Note), WaitedNS: time.Since(t.asked),
	}
	values := map[string]expr.Value{}
	if !a.Done {
		return out, values, nil
	}
	for _, in := range t.item.Inputs {
		v, err := t.input(in, a.Inputs[in.Name], t.inputNames)
		if err != nil {
			return nil, nil, err
		}
		if in.Sensitive {
			if err := t.r.learn(in.Name, v); err != nil {
				return nil, nil, err
			}
		}
		values[in.Name] = v
		shown := engine.Captured{Name: in.Name, Sensitive: in.Sensitive}
		if !in.Sensitive {
			shown.Value = t.r.clip(v.String())
		}
		out.Inputs = append(out.Inputs, shown)
	}
	return out, values, nil
}
