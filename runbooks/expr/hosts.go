package expr

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
)

// ErrNotHosts is returned for a value that is neither a host nor a list of hosts.
var ErrNotHosts = errors.New("a host or a list of hosts is wanted")

// maxHostLists bounds lists of lists of hosts.
const maxHostLists = 8

// HostNames are the names of the hosts in a value: a host, a list of hosts, or lists of lists, in order, repetitions
// included. Nothing but the names is looked at, so that a thousand hosts cost little. What is not known yet is
// ErrUnknown, a secret ErrSensitive.
func HostNames(v Value) ([]string, error) {
	if v.Absent() {
		return nil, fmt.Errorf("%w, not null", ErrNotHosts)
	}
	return hostNames(nil, v.v, 0)
}

func hostNames(names []string, v cty.Value, depth int) ([]string, error) {
	switch t := v.Type(); {
	case v.IsMarked():
		return nil, ErrSensitive
	case v.IsNull():
		return nil, fmt.Errorf("%w, not null", ErrNotHosts)
	case !v.IsKnown():
		return nil, ErrUnknown
	case t.Equals(hostType):
		return hostName(names, v)
	case t == cty.String:
		return nil, fmt.Errorf("%w, not a text: write %s", ErrNotHosts, Ref{Root: "host", Name: v.AsString()})
	case !isSequence(t) || depth > maxHostLists:
		return nil, fmt.Errorf("%w, not %s", ErrNotHosts, Type{t})
	}
	all := v.Type().IsCollectionType() && v.Type().ElementType().Equals(hostType)
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		var err error
		if all && !e.IsMarked() && e.IsKnown() && !e.IsNull() {
			names, err = hostName(names, e)
		} else {
			names, err = hostNames(names, e, depth+1)
		}
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

func hostName(names []string, host cty.Value) ([]string, error) {
	name := host.GetAttr("name")
	switch {
	case name.IsMarked():
		return nil, ErrSensitive
	case name.IsNull():
		return nil, fmt.Errorf("%w, and one has no name", ErrNotHosts)
	case !name.IsKnown():
		return nil, ErrUnknown
	}
	return append(names, name.AsString()), nil
}

// oneHost is the name of a value that is one known host.
func oneHost(v cty.Value) (string, bool) {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().Equals(hostType) {
		return "", false
	}
	names, err := hostName(nil, v)
	if err != nil {
		return "", false
	}
	return names[0], true
}
