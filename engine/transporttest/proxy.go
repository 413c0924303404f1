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
	target  string
	l       net.Listener

	mu       sync.Mutex
	links    map[*link]bool
	delay    time.Duration
	rate     int // bytes a second; 0: no bound
	hole     bool
	refuse   bool
	cutNext  int64 // bytes from the client after which the next link is reset; <0: never
	wg       sync.WaitGroup
	accepted atomic.Int64
}

// link is one client and the server's end of it.
type link struct {
	client, server *net.TCPConn
	up             atomic.Int64 // bytes from the client that were passed on
	cut            atomic.Int64 // how many of them before it is reset; <0: never
	gap            atomic.Bool  // something was swallowed
}

// NewProxy starts a proxy to host:port; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, portText, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	p := &Proxy{Address: "127.0.0.1", Port: atoi(portText), target: target, l: l, links: map[*link]bool{}, cutNext: -1}
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

// Refuse resets new connections at once.
func (p *Proxy) Refuse(on bool) { p.set(func() { p.refuse = on }) }

// CutNext resets the next connection that comes after n bytes of its client were passed on; those after it stand.
func (p *Proxy) CutNext(n int64) { p.set(func() { p.cutNext = n }) }

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

// Up is how many bytes of clients were passed on by the connections that stand.
func (p *Proxy) Up() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var n int64
	for k := range p.links {
		n += k.up.Load()
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
		refuse, cut := p.refuse, p.cutNext
		p.cutNext = -1
		p.mu.Unlock()
		s, err := dialTCP(p.target)
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
		p.mu.Lock()
		delay, rate, hole := p.delay, p.rate, p.hole
		p.mu.Unlock()
		if n > 0 && hole {
			k.gap.Store(true)
		}
		if n > 0 && !hole {
			if k.gap.Load() {
				k.reset()
				return
			}
			time.Sleep(delay)
			if rate > 0 {
				time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
			}
			data := buf[:n]
			cut := k.cut.Load()
			last := up && cut >= 0 && k.up.Load()+int64(n) >= cut
			if last {
				data = data[:max(0, cut-k.up.Load())] // more may have passed while the cut was set
			}
			if _, werr := to.Write(data); werr != nil && err == nil {
				err = werr
			}
			if up {
				k.up.Add(int64(len(data)))
			}
			if last {
				p.drainThenReset(k)
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.CloseWrite()
			} else {
				k.reset()
			}
			return
		}
	}
}

// drainThenReset ends the server's side in order, so that it sees every byte that was let through, and resets the client.
func (p *Proxy) drainThenReset(k *link) {
	_ = k.server.CloseWrite()
	_ = k.client.SetLinger(0)
	_ = k.client.Close()
	time.AfterFunc(time.Second, func() { _ = k.server.Close() })
}
