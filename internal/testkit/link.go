package testkit

import (
	"net"
	"sync"
)

// link is one connection through a Proxy.
type link struct {
	proxy  *Proxy
	client net.Conn
	target net.Conn
	once   sync.Once

	mu    sync.Mutex
	fault *Fault // claimed by a request, and happening to the reply that follows
}

// requests carries bytes from the client to the target.
func (l *link) requests() {
	chunk := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(chunk)
		if n > 0 && !l.forwardRequest(chunk[:n]) {
			return
		}
		if err != nil {
			l.end(false)
			return
		}
	}
}

func (l *link) forwardRequest(chunk []byte) bool {
	if fault := l.proxy.claim(chunk); fault != nil {
		if fault.Lose {
			l.finish(fault, nil)
			return false
		}
		l.mu.Lock()
		l.fault = fault
		l.mu.Unlock()
	}
	return l.pass(l.target, chunk)
}

// replies carries bytes from the target to the client.
func (l *link) replies() {
	chunk := make([]byte, 64<<10)
	for {
		n, err := l.target.Read(chunk)
		if n > 0 && !l.forwardReply(chunk[:n]) {
			return
		}
		if err != nil {
			l.end(false)
			return
		}
	}
}

// forwardReply lets a claimed fault happen once After bytes of the reply have passed.
func (l *link) forwardReply(chunk []byte) bool {
	l.mu.Lock()
	if l.fault == nil {
		l.fault = l.proxy.claim(nil)
	}
	fault := l.fault
	l.mu.Unlock()
	if fault == nil {
		return l.pass(l.client, chunk)
	}
	if fault.After > len(chunk) {
		fault.After -= len(chunk)
		return l.pass(l.client, chunk)
	}
	l.finish(fault, chunk[:fault.After])
	return false
}

// finish sends what the fault still lets through and ends the connection.
func (l *link) finish(fault *Fault, rest []byte) {
	if l.pass(l.client, rest) {
		l.pass(l.client, fault.Inject)
	}
	l.end(fault.Reset)
}

// pass writes chunk to one side as the proxy's state wants it, and says whether the connection goes on.
func (l *link) pass(to net.Conn, chunk []byte) bool {
	for {
		s, changed := l.proxy.current()
		switch s {
		case forwarding:
			_, err := to.Write(chunk)
			if err != nil {
				l.end(false)
			}
			return err == nil
		case swallowing:
			return true
		case refusing, closed:
			return false
		case paused:
			<-changed
		}
	}
}

// end closes both sides, with RST when reset says so.
func (l *link) end(reset bool) {
	l.once.Do(func() {
		for _, side := range []net.Conn{l.client, l.target} {
			if side == nil {
				continue
			}
			if connection, ok := side.(*net.TCPConn); ok && reset {
				_ = connection.SetLinger(0)
			}
			_ = side.Close()
		}
	})
}
