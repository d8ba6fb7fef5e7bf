package testkit

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Fault is what happens to one exchange between a client and the target; the connection ends with it.
type Fault struct {
	// Request chooses the exchange: the one whose request has these bytes, such as "COMMIT"; the next reply on any connection when empty.
	Request string
	// Lose keeps the request from the target, which sees its connection end instead; otherwise the target carries the request out.
	Lose bool
	// After is how many bytes of the reply still arrive.
	After int
	// Inject is sent after them.
	Inject []byte
	// Reset ends the connection with RST instead of FIN.
	Reset bool
}

// Proxy forwards TCP connections to a target, and breaks them when told to.
type Proxy struct {
	target   string
	listener net.Listener

	mu      sync.Mutex
	state   state
	changed chan struct{} // closed and replaced when state changes
	fault   *Fault
	happen  int
	links   map[*link]struct{}
	workers sync.WaitGroup
}

// state is what the proxy does with bytes.
type state int

const (
	forwarding state = iota
	paused
	swallowing
	refusing
	closed
)

// NewProxy listens on a free port of 127.0.0.1 and forwards to target, host and port; it ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.workers.Go(p.accept)
	t.Cleanup(func() {
		p.enter(closed)
		_ = listener.Close()
		p.Sever()
		p.workers.Wait()
	})
	return p
}

// ProxyURL starts a Proxy in front of the server that a URL names, and returns it and the URL that leads through it.
func ProxyURL(t testing.TB, target string) (*Proxy, string) {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := NewProxy(t, address.Host)
	address.Host = p.Address()
	return p, address.String()
}

// Address is where the proxy listens, host and port.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Next lets f happen once; it replaces a fault that has not happened yet.
func (p *Proxy) Next(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = &f
}

// Happened returns how many faults have happened.
func (p *Proxy) Happened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.happen
}

// Pause holds back every byte in both directions, until Resume.
func (p *Proxy) Pause() { p.enter(paused) }

// Swallow takes every byte in both directions and forwards none, as a network that has lost its routes.
func (p *Proxy) Swallow() { p.enter(swallowing) }

// Refuse ends all connections and every new one with RST, as a server that is down.
func (p *Proxy) Refuse() {
	p.enter(refusing)
	p.Sever()
}

// Resume forwards again; what was held back goes first.
func (p *Proxy) Resume() { p.enter(forwarding) }

// Sever ends all connections with RST; new ones are served.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.end(true)
	}
}

// PostgresFatal is the message with which a PostgreSQL server ends a session: "57P01" when it is shut down, for example.
func PostgresFatal(code, text string) []byte {
	body := []byte("SFATAL\x00VFATAL\x00C" + code + "\x00M" + text + "\x00\x00")
	message := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(body)+4))
	return append(message, body...)
}

func (p *Proxy) enter(s state) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	close(p.changed)
	p.changed = make(chan struct{})
}

// current returns the state and a channel that is closed when it changes.
func (p *Proxy) current() (state, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state, p.changed
}

// claim returns the armed fault if it is for an exchange with this request; nil stands for a reply.
func (p *Proxy) claim(request []byte) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	if f == nil || (f.Request == "") != (request == nil) || !bytes.Contains(request, []byte(f.Request)) {
		return nil
	}
	p.fault = nil
	p.happen++
	return f
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.workers.Go(func() { p.serve(client) })
	}
}

// serve connects one client; a target that does not answer looks to it like a refusal.
func (p *Proxy) serve(client net.Conn) {
	if s, _ := p.current(); s == refusing || s == closed {
		(&link{client: client}).end(true)
		return
	}
	target, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
	l := &link{proxy: p, client: client, target: target}
	if err != nil {
		l.target = nil
		l.end(true)
		return
	}
	p.mu.Lock()
	if p.state == closed || p.state == refusing {
		p.mu.Unlock()
		l.end(true)
		return
	}
	p.links[l] = struct{}{}
	p.mu.Unlock()
	p.workers.Go(l.requests)
	l.replies()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}
