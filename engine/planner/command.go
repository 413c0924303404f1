package planner

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// render fills the commands of an item and its parts as far as they are known.
func (p *planner) render(out *engine.PlanItem, i *runbooks.Item, hosts []*runbooks.Host) {
	out.Become = p.show(i.Become, p.at(nil)).Text
	own := place{hosts: hosts, become: i.Become}
	switch {
	case i.Command != nil:
		out.Commands = p.commands("", i.Command, own)
	default:
		if probe, known := p.probe(i); probe != "" {
			out.Commands = []engine.PlanCommand{{Probe: probe, Known: known}}
		}
	}
	parts := []struct {
		name engine.PartName
		part *runbooks.Part
	}{{engine.PartUnless, i.Unless}, {engine.PartVerify, i.Verify}, {engine.PartRollback, i.Rollback}}
	for _, x := range parts {
		if x.part == nil {
			continue
		}
		if x.part.Text != nil {
			s := p.show(x.part.Text, p.names)
			out.Commands = append(out.Commands, engine.PlanCommand{Part: x.name, Probe: s.Text, Known: s.Known})
			continue
		}
		where := place{hosts: hosts, become: x.part.Become}
		if x.part.Hosts != nil && x.part.Hosts != i.Hosts {
			where.hosts, _ = p.resolve(x.part.Hosts)
			where.elsewhere = true
		}
		out.Commands = append(out.Commands, p.commands(x.name, x.part.Command, where)...)
	}
	for n := range out.Commands {
		if out.Commands[n].Become == out.Become {
			out.Commands[n].Become = ""
		}
	}
}

// place is where a command runs and as whom.
type place struct {
	hosts     []*runbooks.Host
	become    *expr.Expr
	elsewhere bool
}

// commands renders a command once when all hosts share it, and else once a host.
func (p *planner) commands(part engine.PartName, c *runbooks.Command, where place) []engine.PlanCommand {
	if c == nil {
		return nil
	}
	hosts := where.hosts
	if len(hosts) == 0 || !p.perHost(c, where.become) {
		return []engine.PlanCommand{p.command(part, c, where, nil)}
	}
	out := make([]engine.PlanCommand, 0, len(hosts))
	same := true
	for _, h := range hosts {
		out = append(out, p.command(part, c, where, h))
		same = same && reflect.DeepEqual(out[0], out[len(out)-1])
	}
	if same {
		return slices.Clone(out[:1]) // the others need not be kept
	}
	for n, h := range hosts {
		out[n].Host = h.Name
	}
	return out
}

func (p *planner) perHost(c *runbooks.Command, become *expr.Expr) bool {
	for _, e := range []*expr.Expr{c.Argv, c.Script, become} {
		if e != nil && p.mentions(e, "self") {
			return true
		}
	}
	return false
}

func (p *planner) command(part engine.PartName, c *runbooks.Command, where place, h *runbooks.Host) engine.PlanCommand {
	names := p.at(h)
	become := p.show(where.become, names)
	out := engine.PlanCommand{Part: part, Become: become.Text, Interpreter: c.Interpreter, Known: become.Known}
	if where.elsewhere {
		for _, h := range where.hosts {
			out.Hosts = append(out.Hosts, h.Name)
		}
	}
	what := c.Script
	if c.Argv != nil {
		what = c.Argv
	}
	s, ds := what.ShowWords(names)
	p.diags = append(p.diags, ds...)
	if s.Sensitive {
		p.fail(what.Range(), "CON-B006", "a command must not hold a secret: it is shown and recorded",
			"hand secrets over in env or stdin")
	}
	out.Known = out.Known && s.Known
	if c.Argv == nil {
		out.Script = s.Text
		return out
	}
	out.Argv = s.List
	if s.List == nil {
		out.Argv = []string{s.Text}
	}
	return out
}

// at is the scope on a host; nil: on a host that is not known yet. Every item has it for all its hosts, so it is kept.
func (p *planner) at(h *runbooks.Host) *expr.Scope {
	if p.outside != p.names {
		p.places, p.outside = map[*runbooks.Host]*expr.Scope{}, p.names
	}
	s, ok := p.places[h]
	if !ok {
		s = p.newPlace(h)
		p.places[h] = s
	}
	return s
}

func (p *planner) newPlace(h *runbooks.Host) *expr.Scope {
	unknown := expr.Unknown(expr.AnyType())
	each := expr.Object(map[string]expr.Value{"key": expr.Unknown(expr.StringType()), "value": unknown})
	self := unknown
	if h != nil {
		self = scope.HostValue(h)
	}
	return p.names.With(map[string]expr.Value{"self": self, "each": each})
}

// probe is what an item without a command does, in words.
func (p *planner) probe(i *runbooks.Item) (text string, known bool) {
	names := p.at(nil)
	switch {
	case i.TCP != nil:
		s := p.show(i.TCP.Address, names)
		text = "tcp " + s.Text
		if i.TCP.Want != "" {
			text += " is " + i.TCP.Want
		}
		if i.TCP.Witness != nil {
			w := p.show(i.TCP.Witness, names)
			text += ", witness " + w.Text
			s.Known = s.Known && w.Known
		}
		return text, s.Known
	case i.HTTP != nil:
		s := p.show(i.HTTP.URL, names)
		text = method(i.HTTP) + " " + s.Text
		if len(i.HTTP.WantStatus) > 0 {
			text += " answers " + strings.Trim(fmt.Sprint(i.HTTP.WantStatus), "[]")
		}
		return text, s.Known
	case i.Kind == runbooks.Wait:
		s := p.show(i.Duration, names)
		p.wait(i)
		return "wait " + s.Text, s.Known
	case i.Kind == runbooks.Manual:
		s := p.show(i.Instructions, names)
		return s.Text, s.Known
	case i.Kind == runbooks.Gate || i.Kind == runbooks.Decision:
		s := p.show(i.Question, names)
		return s.Text, s.Known
	case i.Kind == runbooks.Transfer:
		s := p.show(i.Destination, names)
		return "put " + s.Text, s.Known
	}
	return "", false
}

// wait notes the length of a wait when it is known.
func (p *planner) wait(i *runbooks.Item) {
	v, ds := i.Duration.Eval(p.names)
	if ds.HasErrors() || !v.Known() {
		return
	}
	d, err := runbooks.WaitDuration(v)
	if err != nil {
		p.fail(i.Duration.Range(), "CON-B007", err.Error(), `write "30s", "5m", "1h30m", or a number of seconds`)
	}
	p.waits[i.ID()] = d
}

func method(h *runbooks.HTTPProbe) string {
	if h.Method == "" {
		return "GET"
	}
	return h.Method
}
