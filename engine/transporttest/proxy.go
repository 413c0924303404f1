package transporttest

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Proxy is a TCP proxy in front of a server that misbehaves on command. All of its methods may be called at any time
// and act on the connections that stand as well as on later ones, unless they say otherwise.
type Proxy struct {
	Address string // 127.0.0.1
	Port    int
	l       net.Listener

	mu       sync.Mutex
	target   string
	links    map[*link]bool
	delay    time.Duration
	rate     int // bytes a second; 0: no bound
	hole     bool
	refuse   bool
	cutNext  int64 // bytes from the client after which the next link is reset; <0: never
	cutDown  int64 // the same of the server's bytes
	wg       sync.WaitGroup
	accepted atomic.Int64
}

// link is one client and the server's end of it.
type link struct {
	client, server *net.TCPConn
	up             atomic.Int64 // bytes from the client that were passed on
	cut            atomic.Int64 // how many of them before it is reset; <0: never
	gap            atomic.Bool  // something was swallowed
	held           atomic.Int64 // nanoseconds for which what the client sends is held back
	orphan         atomic.Bool  // the client is gone, and what it sent is still delivered
	down           atomic.Int64 // bytes from the server that were passed on
	cutDown        atomic.Int64 // how many of them before it is reset; <0: never
}

// NewProxy starts a proxy to host:port; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, portText, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	p := &Proxy{Address: "127.0.0.1", Port: atoi(portText), target: target, l: l, links: map[*link]bool{}, cutNext: -1, cutDown: -1}
	p.wg.Go(p.accept)
	t.Cleanup(func() { _ = l.Close(); p.Reset(); p.Blackhole(false); p.wg.Wait() })
	return p
}

// Accepted is how many connections came so far.
func (p *Proxy) Accepted() int64 { return p.accepted.Load() }

// Delay holds every piece of data back for d, in both directions.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Slow lets at most bytes a second through, in each direction; 0 lifts it.
func (p *Proxy) Slow(bytes int) { p.set(func() { p.rate = bytes }) }

// Blackhole swallows everything, as a firewall that drops. A connection of which something was swallowed is reset by
// whatever comes on it when that is over: no TCP delivers what follows a gap.
func (p *Proxy) Blackhole(on bool) { p.set(func() { p.hole = on }) }

// Target is where new connections lead from now on.
func (p *Proxy) Target(address string) { p.set(func() { p.target = address }) }

// Refuse resets new connections at once.
func (p *Proxy) Refuse(on bool) { p.set(func() { p.refuse = on }) }

// CutNext resets the next connection that comes after n bytes of its client were passed on; those after it stand.
func (p *Proxy) CutNext(n int64) { p.set(func() { p.cutNext = n }) }

// CutNextDown is CutNext for what the server sends: the client gets n bytes, and then an end.
func (p *Proxy) CutNextDown(n int64) { p.set(func() { p.cutDown = n }) }

// Hold holds back what clients send on the connections that stand, each piece for d.
func (p *Proxy) Hold(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		k.held.Store(int64(d))
	}
}

// Orphan resets the connections that stand towards their clients only. What a client has sent by then still arrives at the
// server, as late as Hold says: a launch that was given up long ago is executed, unless something prevents it.
func (p *Proxy) Orphan() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		k.orphan.Store(true)
		_ = k.client.SetLinger(0)
		_ = k.client.Close()
	}
}

// CutAfter resets the connections that stand after n more bytes of their clients were passed on.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		k.cut.Store(k.up.Load() + n)
	}
}

// Reset ends all connections that stand with RST on both sides.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		k.reset()
	}
}

// HalfClose ends the direction from the client to the server, and only that.
func (p *Proxy) HalfClose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.links {
		_ = k.server.CloseWrite()
	}
}

// Down is how many bytes of servers were passed on by the connections that stand.
func (p *Proxy) Down() int64 { return p.passed(func(k *link) *atomic.Int64 { return &k.down }) }

// Up is how many bytes of clients were passed on by the connections that stand.
func (p *Proxy) Up() int64 { return p.passed(func(k *link) *atomic.Int64 { return &k.up }) }

func (p *Proxy) passed(way func(*link) *atomic.Int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n int64
	for k := range p.links {
		n += way(k).Load()
	}
	return n
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (k *link) reset() {
	_ = k.client.SetLinger(0)
	_ = k.server.SetLinger(0)
	_ = k.client.Close()
	_ = k.server.Close()
}

func (p *Proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		client, ok := c.(*net.TCPConn)
		if !ok {
			continue
		}
		p.mu.Lock()
		target := p.target
		refuse, cut, cutDown := p.refuse, p.cutNext, p.cutDown
		p.cutNext, p.cutDown = -1, -1
		p.mu.Unlock()
		s, err := dialTCP(target)
		if err != nil || refuse {
			_ = client.SetLinger(0)
			_ = client.Close()
			if err == nil {
				_ = s.Close()
			}
			continue
		}
		k := &link{client: client, server: s}
		k.cut.Store(cut)
		k.cutDown.Store(cutDown)
		p.mu.Lock()
		p.links[k] = true
		p.mu.Unlock()
		p.wg.Go(func() {
			var both sync.WaitGroup
			both.Go(func() { p.pump(k, k.server, k.client) })
			both.Go(func() { p.pump(k, k.client, k.server) })
			both.Wait()
			p.mu.Lock()
			delete(p.links, k)
			p.mu.Unlock()
			_ = k.client.Close()
			_ = k.server.Close()
		})
	}
}

func dialTCP(target string) (*net.TCPConn, error) {
	a, err := net.ResolveTCPAddr("tcp", target)
	if err != nil {
		return nil, err
	}
	return net.DialTCP("tcp", nil, a)
}

// pump passes data on.
func (p *Proxy) pump(k *link, to, from *net.TCPConn) {
	buf := make([]byte, 32<<10)
	up := to == k.server
	for {
		n, err := from.Read(buf)
		switch {
		case n == 0:
		case !up && k.orphan.Load(): // nobody is there to hear it
		case !p.pass(k, to, buf[:n], up):
			return
		}
		switch {
		case err == nil:
		case up && k.orphan.Load():
			p.endOrphan(k)
			return
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite()
			return
		default:
			k.reset()
			return
		}
	}
}

// pass hands one piece of data on as the proxy's faults say. It reports whether more may follow.
func (p *Proxy) pass(k *link, to *net.TCPConn, data []byte, up bool) bool {
	p.mu.Lock()
	delay, rate, hole := p.delay, p.rate, p.hole
	p.mu.Unlock()
	if hole {
		k.gap.Store(true)
		return true
	}
	if k.gap.Load() {
		k.reset()
		return false
	}
	passed, limit := &k.down, k.cutDown.Load()
	if up {
		passed, limit = &k.up, k.cut.Load()
		delay += time.Duration(k.held.Load())
	}
	time.Sleep(delay)
	if rate > 0 {
		time.Sleep(time.Duration(len(data)) * time.Second / time.Duration(rate))
	}
	last := limit >= 0 && passed.Load()+int64(len(data)) >= limit
	if last {
		data = data[:max(0, limit-passed.Load())] // more may have passed while the cut was set
	}
	_, err := to.Write(data)
	passed.Add(int64(len(data)))
	switch {
	case last && up:
		p.drainThenReset(k)
		return false
	case last: // the client is to read all of them
		_ = k.client.CloseWrite()
		_ = k.server.SetLinger(0)
		_ = k.server.Close()
		return false
	case err != nil && !k.orphan.Load():
		k.reset()
		return false
	}
	return true
}

// endOrphan ends the server's side some time after what its client had sent was delivered: the server is to act on it.
func (p *Proxy) endOrphan(k *link) {
	time.AfterFunc(time.Second, func() { _ = k.server.Close() })
}

// drainThenReset ends the server's side in order, so that it sees every byte that was let through, and resets the client.
func (p *Proxy) drainThenReset(k *link) {
	_ = k.server.CloseWrite()
	k.orphan.Store(true)
	_ = k.client.SetLinger(0)
	_ = k.client.Close()
	p.endOrphan(k)
}
