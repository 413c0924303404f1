package loader

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/diag"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
	"github.com/continuo-runbooks/continuo/runbooks/scope"
)

// jump is a via that is resolved once all hosts are known.
type jump struct {
	to        expr.Ref
	rng       diag.Range
	inherited bool // from the fleet or the project
}

// settings are the connection of a level, with its jump not resolved yet.
type settings struct {
	conn runbooks.Connection
	port int
	via  *jump
	how  runbooks.BecomeMethod
}

// inventory reads hosts, expands fleets in place, resolves jump hosts and evaluates groups.
func (l *loader) inventory() {
	base := settings{}
	if ps := l.root.of("project"); len(ps) > 0 {
		l.within(ps[0].title(), func() { base = l.settings(ps[0], base, nil) })
	}
	vias := map[*runbooks.Host]*jump{}
	fleets := map[string][]*runbooks.Host{}
	for _, n := range l.root.blocks {
		l.within(n.title(), func() {
			switch n.schema.Type {
			case "host":
				if h := l.host(n, n.label, nil, inherit(base), vias); h != nil {
					l.addHost(h, n.labelRange())
				}
			case "fleet":
				fleets[n.label] = l.fleet(n, base, vias)
			}
		})
	}
	l.jumps(vias)
	l.hostValues()
	l.groups(fleets)
}

// inherit marks a jump as one that the host itself did not ask for.
func inherit(s settings) settings {
	if s.via != nil {
		v := *s.via
		v.inherited = true
		s.via = &v
	}
	return s
}

func (l *loader) addHost(h *runbooks.Host, at hcl.Range) bool {
	if first := l.hosts[h.Name]; first != nil {
		d := l.report("CON-S040", at, "host %q is declared twice", h.Name)
		d.Related = []diag.Related{{Message: "the first one", Range: first.Range}}
		d.Hint = "a name stands for one host, whether a host or a fleet declares it: rename or remove one"
		return false
	}
	l.hosts[h.Name] = h
	l.project.Hosts = append(l.project.Hosts, h)
	return true
}

// settings reads the connection and become blocks of a project, fleet or host over those of the level above.
func (l *loader) settings(n *node, over settings, each map[string]expr.Value) settings {
	if b := n.one("become"); b != nil {
		if m := l.inText(b, "method", each); m != "" {
			over.how.Method = m
		}
		if r, ok := l.ref(b, "password"); ok && l.exists(r, "CON-R007") {
			over.how.Password = r.Name
		}
	}
	c := n.one("connection")
	if c == nil {
		return over
	}
	over = l.connectionTexts(c, over, each)
	if p := l.inWhole(c, "port", 1, 65535, each); p != 0 {
		over.port = p
	}
	if r, ok := l.ref(c, "password"); ok && l.exists(r, "CON-R007") {
		over.conn.Password = r.Name
	}
	if r, ok := l.ref(c, "via"); ok {
		over.via = &jump{to: r, rng: r.Range}
	}
	if d := l.duration(c, "connect_timeout"); d != 0 {
		over.conn.ConnectTimeout = d
	}
	if d := l.duration(c, "handshake_timeout"); d != 0 {
		over.conn.HandshakeTimeout = d
	}
	if d := l.duration(c, "keepalive"); d != 0 {
		over.conn.Keepalive = d
	}
	if i := l.inWhole(c, "max_sessions", 1, 64, each); i != 0 {
		over.conn.MaxSessions = i
	}
	if c.attr("plain") != nil {
		over.conn.Plain = l.flag(c, "plain")
	}
	if c.attr("durability") != nil {
		over.conn.Durability = runbooks.Durability(l.text(c, "durability"))
	}
	return over
}

func (l *loader) connectionTexts(c *node, over settings, each map[string]expr.Value) settings {
	set := func(name string, to *string) {
		if c.attr(name) != nil {
			*to = l.inText(c, name, each)
		}
	}
	set("user", &over.conn.User)
	set("certificate_file", &over.conn.CertificateFile)
	set("agent", &over.conn.Agent)
	set("host_key_alias", &over.conn.HostKeyAlias)
	set("ssh_config", &over.conn.SSHConfig)
	if a := c.attr("user"); a != nil && over.conn.User != "" && !userName.MatchString(over.conn.User) {
		l.report("CON-S030", a.Expr.Range(), "%q is no user name", over.conn.User).Hint = "letters, digits, . _ - and not beginning with -"
	}
	if a := c.attr("host_key_alias"); a != nil && !validHostName(over.conn.HostKeyAlias) && !l.failed(a.Expr.Range()) {
		l.report("CON-S030", a.Expr.Range(), "%q is no host name", over.conn.HostKeyAlias).Hint =
			"write the name under which known_hosts has the key"
	}
	if c.attr("identity_files") != nil {
		over.conn.IdentityFiles = l.inTexts(c, "identity_files", each)
	}
	if c.attr("legacy_algorithms") != nil {
		over.conn.LegacyAlgorithms = l.inTexts(c, "legacy_algorithms", each)
	}
	return over
}

// failed reports whether an error stands at the place already.
func (l *loader) failed(at hcl.Range) bool {
	p := place(at)
	for _, d := range l.diags {
		if d.Range.File == p.File && d.Range.Start.Byte >= p.Start.Byte && d.Range.Start.Byte <= p.End.Byte && d.Severity == diag.Error {
			return true
		}
	}
	return false
}

// inText, inWhole and inTexts read constants of the inventory, which may use locals and each.
func (l *loader) inText(n *node, name string, each map[string]expr.Value) string {
	s, ok := l.attrScope(n, name, each)
	if !ok {
		return ""
	}
	return l.textIn(n, name, s)
}

func (l *loader) inWhole(n *node, name string, low, high int64, each map[string]expr.Value) int {
	s, ok := l.attrScope(n, name, each)
	if !ok {
		return 0
	}
	return l.whole(n, name, low, high, s)
}

func (l *loader) inTexts(n *node, name string, each map[string]expr.Value) []string {
	s, ok := l.attrScope(n, name, each)
	if !ok {
		return nil
	}
	return l.textsIn(n, name, s)
}

func (l *loader) attrScope(n *node, name string, each map[string]expr.Value) (*expr.Scope, bool) {
	a := n.attr(name)
	if a == nil {
		return nil, false
	}
	return l.staticScope(l.expr(a), each)
}

func (l *loader) host(n *node, name string, each map[string]expr.Value, over settings, vias map[*runbooks.Host]*jump) *runbooks.Host {
	over = l.settings(n, over, each)
	h := &runbooks.Host{
		Name: name, Address: l.inText(n, "address", each), Port: over.port, Site: l.inText(n, "site", each),
		Environment: runbooks.Environment(l.inText(n, "environment", each)), CI: l.inText(n, "ci", each),
		Owner: l.inText(n, "owner", each), Connection: over.conn, Become: over.how, Range: place(n.rng()),
	}
	if s, ok := l.attrScope(n, "labels", each); ok {
		h.Labels = l.stringMap(n, "labels", s)
	}
	if p := l.inWhole(n, "port", 1, 65535, each); p != 0 {
		h.Port = p
	}
	if h.Port == 0 {
		h.Port = 22
	}
	if h.Environment == "" {
		h.Environment = l.project.Environment
	}
	if a := n.attr("address"); a != nil && !l.failed(a.Expr.Range()) {
		l.address(h.Address, a.Expr.Range())
	}
	vias[h] = over.via
	return h
}

// address accepts a DNS name or an IP address, never an option and never a port.
func (l *loader) address(s string, at hcl.Range) {
	if _, err := netip.ParseAddr(s); err == nil || validHostName(s) {
		return
	}
	d := l.report("CON-S030", at, "%q is neither a DNS name nor an IP address", s)
	d.Hint = `write a name such as "db1.example.org" or an address such as "10.0.0.1"`
	if host, port, ok := strings.Cut(s, ":"); ok && validHostName(host) {
		d.Hint = fmt.Sprintf("the port has an attribute of its own: address = %q and port = %s", host, port)
	}
	if user, host, ok := strings.Cut(s, "@"); ok {
		d.Hint = fmt.Sprintf("the user stands in the connection block: address = %q and connection { user = %q }", host, user)
	}
}

// fleet makes a host of each element of its data.
func (l *loader) fleet(n *node, base settings, vias map[*runbooks.Host]*jump) []*runbooks.Host {
	s, ok := l.attrScope(n, "for_each", nil)
	if !ok {
		return nil
	}
	v, ok := l.constant(n.attr("for_each"), s)
	if !ok {
		return nil
	}
	rows, err := v.Elements()
	if err != nil {
		l.wrong(n.attr("for_each"), "a list, set or map", v)
		return nil
	}
	if len(l.project.Hosts)+len(rows) > l.opts.Limits.Hosts {
		l.report("CON-G002", n.attr("for_each").Expr.Range(), "the inventory has more than %d hosts", l.opts.Limits.Hosts).Hint =
			"divide the project, by service or by site"
		return nil
	}
	var out []*runbooks.Host
	for _, row := range rows {
		before := len(l.diags)
		each := map[string]expr.Value{"each": expr.Object(map[string]expr.Value{"key": expr.String(row.Key), "value": row.Value})}
		h := l.fleetHost(n, base, each, vias)
		if len(l.diags) > before { // the other rows would say the same
			for i := range l.diags[before:] {
				d := &l.diags[before+i]
				d.Detail = strings.TrimSpace(d.Detail + fmt.Sprintf(" (with each.key = %q)", row.Key))
			}
			return out
		}
		if h == nil { // what is wrong was said before the rows were looked at
			return out
		}
		out = append(out, h)
	}
	return out
}

func (l *loader) fleetHost(n *node, base settings, each map[string]expr.Value, vias map[*runbooks.Host]*jump) *runbooks.Host {
	a := n.attr("name")
	if a == nil {
		return nil
	}
	name := l.inText(n, "name", each)
	if !l.failed(a.Expr.Range()) && (!validHostName(name) || name == runbooks.ControlName) {
		l.report("CON-S020", a.Expr.Range(), "%q is not a host name", name).Hint =
			"it is computed from each row: letters, digits, - and _, in parts divided by dots"
		return nil
	}
	h := l.host(n, name, each, inherit(base), vias)
	if !l.addHost(h, a.Expr.Range()) {
		return nil
	}
	return h
}

func (l *loader) hostValues() {
	l.fillLabels()
	l.inv.hosts = map[string]expr.Value{}
	for _, h := range l.project.Hosts {
		l.inv.hosts[h.Name] = scope.HostValue(h)
		if _, ok := l.names["host"][h.Name]; !ok { // from a fleet
			l.names.add("host", h.Name, &node{schema: hostBlock(), label: h.Name})
		}
	}
	l.inv.list = scope.HostList(l.project.Hosts)
}

// fillLabels gives every host all labels of the inventory, empty where it has none: then h.labels.tier has a value on
// every host, and a label that no host has is an error.
func (l *loader) fillLabels() {
	all := map[string]bool{}
	for _, h := range l.project.Hosts {
		for k := range h.Labels {
			all[k] = true
		}
	}
	if n := len(all) * len(l.project.Hosts); n > l.opts.Limits.Labels {
		last := l.project.Hosts[len(l.project.Hosts)-1]
		l.reportAt("CON-G002", last.Range, "%d hosts have %d different labels, more than %d together", len(l.project.Hosts), len(all), l.opts.Limits.Labels).Hint =
			"labels are words to select by, the same few for all hosts; what differs on each host is its name or address"
		return
	}
	for _, h := range l.project.Hosts {
		if h.Labels == nil {
			h.Labels = make(map[string]string, len(all))
		}
		for k := range all {
			if _, ok := h.Labels[k]; !ok {
				h.Labels[k] = ""
			}
		}
	}
}
