package loader

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/continuo-runbooks/continuo/runbooks/expr"
)

// address checks a known host:port.
func (c *checker) address(v expr.Value, e *expr.Expr) {
	if !v.Known() {
		return
	}
	s, err := v.Text()
	if err != nil {
		return
	}
	host, port, err := net.SplitHostPort(s)
	n, perr := strconv.Atoi(port)
	if err != nil || perr != nil || n < 1 || n > 65535 || !isHost(host) {
		c.reportAt("CON-S030", e.Range(), "%q is not host:port", s).Hint = `write "10.1.0.11:5432" or "[2001:db8::1]:5432"`
	}
}

func isHost(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || validHostName(s)
}

// url checks a known http or https URL.
func (c *checker) url(v expr.Value, e *expr.Expr) {
	if !v.Known() {
		return
	}
	s, err := v.Text()
	if err != nil {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()):
		c.reportAt("CON-S030", e.Range(), "%q is no http or https URL", s).Hint = `write "https://app.example.org/health"`
	case u.User != nil:
		c.reportAt("CON-S030", e.Range(), "the URL holds a user or password").Hint = "send a header from a secret instead"
	}
}
