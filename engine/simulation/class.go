package simulation

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/continuo-runbooks/continuo/engine"
	"github.com/continuo-runbooks/continuo/runbooks"
	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// class is hosts that are alike in everything that a case can depend on: one of them is explored.
type class struct {
	host  string
	alike int
}

// classes are the classes of hosts that an item ran on in the sound run; one without a host for the other items.
func (x *explorer) classes(id runbooks.ItemID) []class {
	var out []class
	index := map[string]int{}
	for n := range x.sound.Items {
		r := &x.sound.Items[n]
		if r.Plan.ID != id {
			continue
		}
		if !r.Started && r.Outcome == engine.Skipped {
			x.skipped[fmt.Sprintf("%s: the sound run skips it", id)] = true
			return nil
		}
		seen := map[string]bool{}
		for _, u := range r.Units {
			if seen[u.Host] {
				continue
			}
			seen[u.Host] = true
			key := x.likeness(id, u.Host)
			if at, ok := index[key]; ok {
				out[at].alike++
				continue
			}
			index[key] = len(out)
			out = append(out, class{host: u.Host, alike: 1})
		}
	}
	return out
}

// alike is how many hosts of the item are of the class of one, itself included.
func (x *explorer) alike(id runbooks.ItemID, host string) int {
	for _, c := range x.classes(id) {
		if x.likeness(id, c.host) == x.likeness(id, host) {
			return c.alike
		}
	}
	return 1
}

// likenessOf asks for the likeness of a host or an element to one item.
type likenessOf struct {
	item runbooks.ItemID
	name string
}

// likeness is equal for hosts that a case cannot tell apart: same site, environment, labels and way to reach them, and the
// same answers.
func (x *explorer) likeness(id runbooks.ItemID, host string) string {
	ask := likenessOf{id, host}
	if known, ok := x.likes[ask]; ok {
		return known
	}
	own := ""
	if slices.ContainsFunc(x.script.order, func(p place) bool { return p.item == id && p.host == host }) {
		own = "answers of " + host
	}
	x.likes[ask] = x.nature(host) + "|" + own
	return x.likes[ask]
}

// nature is what a host is, as far as a case can depend on it.
func (x *explorer) nature(host string) string {
	h := x.p.Host(host)
	if h == nil {
		return "host:" + host
	}
	labels := make([]string, 0, len(h.Labels))
	for k, v := range h.Labels {
		labels = append(labels, k+"="+v)
	}
	sort.Strings(labels)
	via := ""
	if h.Connection.Via != nil {
		via = h.Connection.Via.Name
	}
	return fmt.Sprintf("%s|%s|%s|%s|%v", h.Site, h.Environment, strings.Join(labels, ","), via, h.Connection.Plain)
}

// keyLikeness is the likeness of an element of for_each: that of the host where the elements are hosts, else its own.
func (x *explorer) keyLikeness(id runbooks.ItemID, key string) string {
	scripted := slices.ContainsFunc(x.script.order, func(p place) bool { return p.item == id && p.key == key })
	i := itemAt(x.p, x.rb, id)
	if key == "" || scripted || x.p.Host(key) == nil || i == nil || !overHosts(i.ForEach) {
		return key
	}
	return "host like " + x.nature(key)
}

// overHosts reports whether the elements of a for_each are hosts: it is made of the inventory only.
func overHosts(e *expr.Expr) bool {
	if e == nil || len(e.Refs()) == 0 {
		return false
	}
	return !slices.ContainsFunc(e.Refs(), func(r expr.Ref) bool {
		return r.Root != "batch" && r.Root != "group" && r.Root != "inventory" && r.Root != "host"
	})
}

// batchClass is the batch of a rollout that stands for one: the first, the second and the last for themselves, the second
// for those between, which differ from it in size only.
func (x *explorer) batchClass(id runbooks.ItemID, batch int) int {
	if batch <= 2 || batch >= x.batches(id) {
		return batch
	}
	return 2
}

// batches is how many batches the rollout of an item had in the sound run; about the run as a whole: the most that any had.
func (x *explorer) batches(id runbooks.ItemID) int {
	out := 0
	for n := range x.sound.Items {
		if r := &x.sound.Items[n]; id == "" || r.Plan.ID == id {
			for _, u := range r.Units {
				out = max(out, u.Batch)
			}
		}
	}
	return out
}
