// Package ansible reads Ansible inventories, INI and YAML, as far as they are static: hosts, groups, children, ranges
// and variables. It evaluates no Jinja, runs no plugin and opens no file. Variables that hold passwords are left out,
// because what a runbook says is shown; continuo has secrets for them.
package ansible

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Host is one host of an inventory with the variables of its groups merged in.
type Host struct {
	Name    string
	Address string // ansible_host, or the name
	Port    int    // ansible_port; 22 when it is not said
	User    string // ansible_user; empty when it is not said
	// Groups are the groups that the host is in, directly or by a parent, sorted; without all and ungrouped.
	Groups []string
	// Vars are the variables as text: the host's own win over its groups', a child group's over its parents'.
	Vars map[string]string
}

// The bounds of an inventory.
const (
	MaxHosts  = 20_000
	maxGroups = 5_000
	maxDepth  = 32
)

// ErrTooLarge is returned for an inventory beyond the bounds.
var ErrTooLarge = errors.New("the inventory is too large")

// Parse reads an inventory in either form. Hosts come in order of appearance.
func Parse(text string) ([]Host, error) {
	inv := newInventory()
	var err error
	if looksLikeYAML(text) {
		err = inv.readYAML(text)
	} else {
		err = inv.readINI(text)
	}
	if err != nil {
		return nil, err
	}
	return inv.hosts()
}

// looksLikeYAML decides by the first line that says something: "---", or a key with a colon at its end.
func looksLikeYAML(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if line == "---" || strings.HasPrefix(line, "{") {
			return true
		}
		word, _, _ := strings.Cut(line, " #")
		word = strings.TrimSpace(word)
		return strings.HasSuffix(word, ":") && !strings.ContainsAny(word, " =[")
	}
	return false
}

type group struct {
	vars     map[string]string
	hosts    []string
	children []string
}

type inventory struct {
	order  []string
	vars   map[string]map[string]string // of hosts
	groups map[string]*group
	names  []string // of groups, in order of appearance
}

func newInventory() *inventory {
	inv := &inventory{vars: map[string]map[string]string{}, groups: map[string]*group{}}
	inv.group("all")
	return inv
}

func (inv *inventory) group(name string) *group {
	g := inv.groups[name]
	if g == nil {
		g = &group{vars: map[string]string{}}
		inv.groups[name] = g
		inv.names = append(inv.names, name)
	}
	return g
}

// add puts a host, or a range of hosts, into a group.
func (inv *inventory) add(pattern, groupName string, vars map[string]string) error {
	names, err := expand(pattern)
	if err != nil {
		return err
	}
	g := inv.group(groupName)
	for _, name := range names {
		if strings.TrimSpace(name) == "" {
			return errors.New("the name of a host is missing")
		}
		if inv.vars[name] == nil {
			inv.vars[name] = map[string]string{}
			inv.order = append(inv.order, name)
		}
		maps.Copy(inv.vars[name], vars)
		g.hosts = append(g.hosts, name)
	}
	if len(inv.order) > MaxHosts || len(inv.groups) > maxGroups {
		return ErrTooLarge
	}
	return nil
}

// expand resolves ranges: web[01:20].example.org, db-[a:c], node[1:9:2].
func expand(pattern string) ([]string, error) {
	before, rest, ok := strings.Cut(pattern, "[")
	if !ok {
		return []string{pattern}, nil
	}
	inside, after, ok := strings.Cut(rest, "]")
	if !ok || !strings.Contains(inside, ":") {
		return []string{pattern}, nil // an IPv6 address in brackets, or a name that is simply odd
	}
	values, err := rangeValues(inside)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	tails, err := expand(after)
	if err != nil {
		return nil, err
	}
	if len(values)*len(tails) > MaxHosts {
		return nil, ErrTooLarge
	}
	out := make([]string, 0, len(values)*len(tails))
	for _, v := range values {
		for _, t := range tails {
			out = append(out, before+v+t)
		}
	}
	return out, nil
}

func rangeValues(inside string) ([]string, error) {
	parts := strings.Split(inside, ":")
	step := 1
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, errors.New("the step of the range is not a positive number")
		}
		step = n
	}
	if len(parts) > 3 || len(parts) < 2 {
		return nil, errors.New("a range is written [first:last] or [first:last:step]")
	}
	first, last := parts[0], parts[1]
	if len(first) == 1 && len(last) == 1 && isLetter(first[0]) && isLetter(last[0]) {
		if first[0] > last[0] {
			return nil, errors.New("the range runs backwards")
		}
		var out []string
		for c := int(first[0]); c <= int(last[0]); c += step {
			out = append(out, string(rune(c)))
		}
		return out, nil
	}
	return numbers(first, last, step)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// numbers keeps leading zeros.
func numbers(first, last string, step int) ([]string, error) {
	if first == "" {
		first = "0"
	}
	lo, err1 := strconv.Atoi(first)
	hi, err2 := strconv.Atoi(last)
	switch {
	case err1 != nil || err2 != nil || lo < 0:
		return nil, errors.New("the ends of a range are numbers or letters")
	case lo > hi:
		return nil, errors.New("the range runs backwards")
	case (hi-lo)/step >= MaxHosts:
		return nil, ErrTooLarge
	}
	width := 0
	if len(first) > 1 && first[0] == '0' {
		width = len(first)
	}
	var out []string
	for i := lo; i <= hi; i += step {
		out = append(out, fmt.Sprintf("%0*d", width, i))
	}
	return out, nil
}

// hosts merges the groups' variables into the hosts.
func (inv *inventory) hosts() ([]Host, error) {
	depths, err := inv.depths()
	if err != nil {
		return nil, err
	}
	members := map[string]map[string]bool{} // host to groups
	for _, name := range inv.order {
		members[name] = map[string]bool{"all": true}
	}
	parents := inv.parents()
	for _, g := range inv.names {
		for _, h := range inv.groups[g].hosts {
			mark(members[h], g, parents, 0)
		}
	}
	// Parents first, then by name, so that the nearer group wins and ties are settled as Ansible settles them.
	ordered := slices.Clone(inv.names)
	slices.SortStableFunc(ordered, func(a, b string) int {
		if depths[a] != depths[b] {
			return depths[a] - depths[b]
		}
		return strings.Compare(a, b)
	})
	out := make([]Host, 0, len(inv.order))
	for _, name := range inv.order {
		h, err := inv.host(name, members[name], ordered)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func mark(set map[string]bool, name string, parents map[string][]string, depth int) {
	if set[name] || depth > maxDepth {
		return
	}
	set[name] = true
	for _, p := range parents[name] {
		mark(set, p, parents, depth+1)
	}
}

func (inv *inventory) parents() map[string][]string {
	out := map[string][]string{}
	for _, name := range inv.names {
		for _, c := range inv.groups[name].children {
			out[c] = append(out[c], name)
		}
	}
	return out
}

// depths is the length of the longest way from the root to each group. A cycle is an error.
func (inv *inventory) depths() (map[string]int, error) {
	depths := map[string]int{}
	var visit func(name string, depth int) error
	visit = func(name string, depth int) error {
		if depth > maxDepth {
			return fmt.Errorf("the groups around %s contain one another", name)
		}
		if d, seen := depths[name]; seen && d >= depth {
			return nil
		}
		depths[name] = depth
		for _, c := range inv.group(name).children {
			if err := visit(c, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range slices.Clone(inv.names) {
		start := 1
		if name == "all" {
			start = 0
		}
		if err := visit(name, start); err != nil {
			return nil, err
		}
	}
	return depths, nil
}

func (inv *inventory) host(name string, in map[string]bool, ordered []string) (Host, error) {
	h := Host{Name: name, Port: 22, Vars: map[string]string{}}
	for _, g := range ordered {
		if !in[g] {
			continue
		}
		maps.Copy(h.Vars, inv.groups[g].vars)
		if g != "all" && g != "ungrouped" {
			h.Groups = append(h.Groups, g)
		}
	}
	maps.Copy(h.Vars, inv.vars[name])
	slices.Sort(h.Groups)
	maps.DeleteFunc(h.Vars, func(k, _ string) bool { return isPassword(k) })
	h.Address = first(h.Vars["ansible_host"], h.Vars["ansible_ssh_host"], name)
	h.User = first(h.Vars["ansible_user"], h.Vars["ansible_ssh_user"])
	if p := first(h.Vars["ansible_port"], h.Vars["ansible_ssh_port"]); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return Host{}, fmt.Errorf("host %s: %q is not a port", name, p)
		}
		h.Port = n
	}
	return h, nil
}

func first(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

func isPassword(name string) bool {
	return strings.HasPrefix(name, "ansible_") && (strings.Contains(name, "pass") || strings.Contains(name, "secret"))
}
