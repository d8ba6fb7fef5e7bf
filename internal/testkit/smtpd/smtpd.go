// Package smtpd is a mail server on the loopback address, with knobs for what mail servers do to those who send.
package smtpd

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Knobs say how the server misbehaves; the zero value is a server that takes everything.
type Knobs struct {
	// Refuse are the replies to the next recipients, such as "451 try later"; one is used up each time.
	Refuse []string
	// DropAfterData ends the connection so many times when a message has been taken, before anything more is said.
	DropAfterData int
	// DropBeforeReply ends the connection so many times instead of saying that the message has been taken; it is thrown away.
	DropBeforeReply int
	// Certificate offers STARTTLS; nil does not.
	Certificate *tls.Certificate
	// Password is what AUTH PLAIN asks for; empty asks for nothing.
	Password string
}

// Message is a mail that was taken.
type Message struct {
	From, To string
	// Encrypted says that it came over TLS.
	Encrypted bool
	Data      string
}

// Server is the mail server.
type Server struct {
	listener net.Listener

	mutex sync.Mutex
	knobs Knobs
	taken []Message
}

// New starts a server that ends with the test.
func New(t testing.TB, knobs Knobs) *Server {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := &Server{listener: listener, knobs: knobs}
	go s.accept()
	return s
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Taken returns the mails taken so far.
func (s *Server) Taken() []Message {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Message(nil), s.taken...)
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go (&session{server: s, conn: conn}).serve()
	}
}

// change looks at the knobs and turns them.
func (s *Server) change(fn func(*Knobs)) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fn(&s.knobs)
}

// session is one connection.
type session struct {
	server  *Server
	conn    net.Conn
	text    *textproto.Reader
	message Message
	known   bool
}

func (c *session) say(line string) { _, _ = fmt.Fprintf(c.conn, "%s\r\n", line) }

func (c *session) serve() {
	defer func() { _ = c.conn.Close() }()
	c.text = textproto.NewReader(bufio.NewReader(c.conn))
	c.say("220 localhost ESMTP")
	for {
		line, err := c.text.ReadLine()
		if err != nil || !c.command(line) {
			return
		}
	}
}

// command answers one command and reports whether the conversation goes on.
func (c *session) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		c.greet()
	case "STARTTLS":
		return c.encrypt()
	case "AUTH":
		c.authenticate(rest)
	case "MAIL":
		c.message.From = rest
		c.say("250 ok")
	case "RCPT":
		c.recipient(rest)
	case "DATA":
		return c.data()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("250 ok")
	}
	return true
}

func (c *session) greet() {
	lines := []string{"localhost", "8BITMIME", "SMTPUTF8"}
	c.server.change(func(k *Knobs) {
		if k.Certificate != nil && !c.message.Encrypted {
			lines = append(lines, "STARTTLS")
		}
		if k.Password != "" {
			lines = append(lines, "AUTH PLAIN")
		}
	})
	for i, line := range lines {
		c.say("250" + map[bool]string{true: " ", false: "-"}[i == len(lines)-1] + line)
	}
}

func (c *session) encrypt() bool {
	var certificate *tls.Certificate
	c.server.change(func(k *Knobs) { certificate = k.Certificate })
	c.say("220 go ahead")
	secure := tls.Server(c.conn, &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12})
	if secure.Handshake() != nil {
		return false
	}
	c.conn, c.text, c.message.Encrypted = secure, textproto.NewReader(bufio.NewReader(secure)), true
	return true
}

func (c *session) authenticate(rest string) {
	_, encoded, _ := strings.Cut(rest, " ")
	plain, _ := base64.StdEncoding.DecodeString(encoded)
	c.server.change(func(k *Knobs) { c.known = strings.HasSuffix(string(plain), "\x00"+k.Password) })
	if c.known {
		c.say("235 welcome")
	} else {
		c.say("535 wrong password")
	}
}

func (c *session) recipient(rest string) {
	reply := "250 ok"
	c.server.change(func(k *Knobs) {
		switch {
		case k.Password != "" && !c.known:
			reply = "530 sign in first"
		case len(k.Refuse) > 0:
			reply, k.Refuse = k.Refuse[0], k.Refuse[1:]
		}
	})
	c.message.To = strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>")
	c.say(reply)
}

func (c *session) data() bool {
	c.say("354 go ahead")
	lines, err := c.text.ReadDotLines()
	if err != nil {
		return false
	}
	c.message.Data = strings.Join(lines, "\n")
	lost, dropped := false, false
	c.server.change(func(k *Knobs) {
		if lost = k.DropBeforeReply > 0; lost {
			k.DropBeforeReply--
			return
		}
		c.server.taken = append(c.server.taken, c.message)
		if dropped = k.DropAfterData > 0; dropped {
			k.DropAfterData--
		}
	})
	if lost {
		return false
	}
	c.say("250 taken")
	return !dropped
}
