package sshtransport

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"
)

// algorithms is what is offered to a server, in order of preference: the secure set of x/crypto/ssh, then what the host
// names as legacy. The package's own defaults are never used: they still hold SHA-1.
type algorithms struct {
	kex, ciphers, macs, hostKeys []string
}

func offered(legacy []string) (algorithms, error) {
	s, weak := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	a := algorithms{kex: s.KeyExchanges, ciphers: s.Ciphers, macs: s.MACs, hostKeys: s.HostKeys}
	for _, name := range legacy {
		known := false
		add := func(list *[]string, from []string) {
			if slices.Contains(from, name) {
				*list = append(*list, name)
				known = true
			}
		}
		add(&a.kex, weak.KeyExchanges)
		add(&a.ciphers, weak.Ciphers)
		add(&a.macs, weak.MACs)
		add(&a.hostKeys, weak.HostKeys)
		if !known && !a.has(name) {
			return a, fmt.Errorf("legacy algorithm %q is not known; those are %v", name,
				slices.Concat(weak.KeyExchanges, weak.Ciphers, weak.MACs, weak.HostKeys))
		}
	}
	return a, nil
}

func (a algorithms) has(name string) bool {
	return slices.Contains(slices.Concat(a.kex, a.ciphers, a.macs, a.hostKeys), name)
}

// usedLegacy lists what was negotiated though it is in no secure list.
func usedLegacy(n ssh.NegotiatedAlgorithms) []string {
	s := ssh.SupportedAlgorithms()
	secure := slices.Concat(s.KeyExchanges, s.Ciphers, s.MACs, s.HostKeys)
	var out []string
	for _, name := range []string{n.KeyExchange, n.HostKey, n.Read.Cipher, n.Write.Cipher, n.Read.MAC, n.Write.MAC} {
		if name != "" && !slices.Contains(secure, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
