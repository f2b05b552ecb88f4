// A trunk client written from docs/trunk-protocol.md, with Go's standard library alone. Calls may be made concurrently.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

const (
	HELLO, OPEN, DATA, ERROR, CANCEL, CREDIT      = 1, 2, 3, 4, 5, 6
	PING, PONG, GOAWAY                            = 7, 8, 9
	END, MORE, MESSAGE, METADATA, TRAILERS   byte = 1, 2, 4, 8, 16
	fragment, overhead                            = 32 * 1024, 32 // overhead: what a message's frame costs beside its bytes
)

// Failure is how a call, or the connection, has failed.
type Failure struct {
	Code           int
	Seen           bool
	Message, Fault string
	Detail         []byte
}

func (f *Failure) Error() string { return fmt.Sprintf("%d: %s", f.Code, f.Message) }

// fields reads and writes what bodies are made of.
type fields struct{ b []byte }

func (f *fields) uint() int {
	v, n := binary.Uvarint(f.b)
	f.b = f.b[n:]
	return int(v)
}
func (f *fields) byte() byte    { b := f.b[0]; f.b = f.b[1:]; return b }
func (f *fields) bytes() []byte { n := f.uint(); b := f.b[:n]; f.b = f.b[n:]; return b }
func (f *fields) text() string  { return string(f.bytes()) }
func (f *fields) pairs() (list [][2]string) {
	for n := f.uint(); n > 0; n-- {
		list = append(list, [2]string{f.text(), f.text()})
	}
	return
}
func (f *fields) putUint(values ...int) *fields {
	for _, v := range values {
		f.b = binary.AppendUvarint(f.b, uint64(v))
	}
	return f
}
func (f *fields) putText(texts ...string) *fields {
	for _, t := range texts {
		f.putUint(len(t))
		f.b = append(f.b, t...)
	}
	return f
}

type Client struct {
	conn                       net.Conn
	r                          *bufio.Reader
	mu, sending                sync.Mutex // mu guards all that follows, and writing; with sending, one message at a time is sent in parts
	changed                    *sync.Cond
	methods                    map[string]int // their numbers
	credit, window, used, most int            // of the connection; of a stream, at first; slots
	free                       []uint16
	turns                      map[uint16]uint16 // the generation of each slot
	open                       map[uint32]*Stream
	dead                       *Failure
}

type message struct {
	bytes []byte
	held  int // credit that was not given back
}

type Stream struct {
	c                  *Client
	id                 uint32
	credit             int
	ready              []message
	part               message
	over               bool
	err                *Failure
	Metadata, Trailers [][2]string
}

func (c *Client) write(kind, flags byte, id uint32, body []byte) {
	head := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body)), kind, flags}
	c.conn.Write(append(binary.BigEndian.AppendUint32(head, id), body...))
}

func (c *Client) read() (kind, flags byte, id uint32, body []byte, err error) {
	head := make([]byte, 9)
	_, err = io.ReadFull(c.r, head)
	body = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if err == nil {
		_, err = io.ReadFull(c.r, body)
	}
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]), body, err
}

// Connect says hello for one contract.
func Connect(address, contract string) (*Client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, r: bufio.NewReader(conn), methods: map[string]int{}, turns: map[uint16]uint16{}, open: map[uint32]*Stream{}}
	c.changed = sync.NewCond(&c.mu)
	conn.Write([]byte("\xF5trunk\r\n"))
	c.write(HELLO, 0, 0, new(fields).putUint(1, 1, 0, 1).putText(contract, "").b)
	kind, _, _, body, err := c.read()
	f := fields{body}
	if err != nil || kind != HELLO {
		return nil, fmt.Errorf("refused: %v %q", err, body)
	}
	settings := map[int]int{3: 1024, 4: 65536, 5: 65536}
	for _, n := f.uint(), f.uint(); n > 0; n-- { // the version can only be 1
		key := f.uint()
		settings[key] = f.uint()
	}
	c.most, c.window, c.credit = settings[3], settings[4], settings[5]
	for n := f.uint(); n > 0; n-- {
		_, _ = f.text(), f.text()
		for m := f.uint(); m > 0; m-- {
			id := f.uint()
			c.methods[f.text()], _ = id, f.byte() // whether input and output are streams
		}
	}
	go c.loop()
	return c, nil
}

func (c *Client) loop() {
	for c.dead == nil {
		kind, flags, id, body, err := c.read()
		c.mu.Lock()
		if err != nil {
			c.lose(err.Error())
		} else {
			c.frame(kind, flags, id, body)
		}
		c.changed.Broadcast()
		c.mu.Unlock()
	}
}

func (c *Client) lose(why string) {
	c.dead = &Failure{Code: 14, Seen: true, Message: why}
	for _, s := range c.open {
		s.over, s.err = true, c.dead
	}
}

func (c *Client) frame(kind, flags byte, id uint32, body []byte) {
	f := &fields{body}
	s := c.open[id]
	switch kind {
	case PING:
		c.write(PONG, 0, 0, body)
	case GOAWAY:
		if _, _ = f.uint(), f.uint(); flags&END != 0 {
			c.lose(f.text())
		}
	case CREDIT:
		if n := int(binary.BigEndian.Uint32(body)); id == 0 {
			c.credit += n
		} else if s != nil {
			s.credit += n
		}
	case DATA:
		if flags&METADATA != 0 {
			s.Metadata = f.pairs()
		}
		if flags&TRAILERS != 0 {
			s.Trailers = f.pairs()
		}
		if flags&MESSAGE != 0 {
			s.receive(f.b, flags&MORE != 0)
		}
		if flags&END != 0 {
			s.end(nil)
		}
	case ERROR:
		e := &Failure{Code: f.uint(), Seen: f.byte() == 1}
		_, _ = f.uint(), f.uint()                                    // when to try again, and an HTTP status
		e.Message, e.Fault, e.Detail = f.text(), f.text(), f.bytes() // issues, details and metadata follow
		s.end(e)
	}
}

func (s *Stream) receive(bytes []byte, more bool) {
	s.part.bytes = append(s.part.bytes, bytes...)
	s.part.held += len(bytes) + overhead
	if !more {
		s.ready = append(s.ready, s.part)
		s.part = message{}
	} else if len(s.ready) == 0 { // it is the one that is waited for
		s.giveBackPart()
	}
}

func (c *Client) giveBack(s *Stream, n int) {
	for _, id := range []uint32{0, s.id} {
		if n > 0 && (id == 0 || !s.over) {
			c.write(CREDIT, 0, id, binary.BigEndian.AppendUint32(nil, uint32(n)))
		}
	}
}

func (s *Stream) giveBackPart() { s.c.giveBack(s, s.part.held); s.part.held = 0 }
func (s *Stream) end(e *Failure) {
	s.over, s.err = true, e
	delete(s.c.open, s.id)
	s.c.free = append(s.c.free, uint16(s.id))
}

// Call opens a call, with END in flags one without input; what it sends and receives goes by the Stream.
func (c *Client) Call(name string, timeout int, metadata [][2]string, flags byte) *Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.free) == 0 && c.used >= c.most && c.dead == nil {
		c.changed.Wait()
	}
	slot := uint16(c.used)
	if len(c.free) > 0 {
		slot, c.free = c.free[0], c.free[1:]
	} else {
		c.used++
	}
	if c.turns[slot]++; c.turns[slot] == 0 {
		c.turns[slot] = 1
	}
	s := &Stream{c: c, id: uint32(c.turns[slot])<<16 | uint32(slot), credit: c.window, over: c.dead != nil, err: c.dead}
	c.open[s.id] = s
	body := new(fields).putUint(c.methods[name], timeout, len(metadata))
	for _, pair := range metadata {
		body.putText(pair[0], pair[1])
	}
	c.write(OPEN, METADATA|flags, s.id, body.b)
	return s
}

// Send sends a message in parts, as credit allows.
func (s *Stream) Send(bytes []byte, last bool) {
	s.c.sending.Lock()
	defer s.c.sending.Unlock()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for first := true; first || len(bytes) > 0; first = false {
		for !s.over && (s.credit <= 0 || s.c.credit <= 0) {
			s.c.changed.Wait()
		}
		if s.over {
			return
		}
		n := min(len(bytes), fragment, s.credit, s.c.credit)
		flags := MESSAGE
		if n < len(bytes) {
			flags |= MORE
		} else if last {
			flags |= END
		}
		s.c.write(DATA, flags, s.id, bytes[:n])
		s.credit, s.c.credit, bytes = s.credit-n-overhead, s.c.credit-n-overhead, bytes[n:]
	}
}

// Receive waits for the next message; io.EOF is the end.
func (s *Stream) Receive() ([]byte, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	for len(s.ready) == 0 && !s.over {
		s.giveBackPart()
		s.c.changed.Wait()
	}
	if len(s.ready) > 0 {
		m := s.ready[0]
		s.ready = s.ready[1:]
		s.c.giveBack(s, m.held)
		return m.bytes, nil
	} else if s.err == nil {
		return nil, io.EOF
	}
	return nil, s.err
}

// Control sends CANCEL, or, with code 0, the end of the input.
func (s *Stream) Control(code int, text string) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if code == 0 && !s.over {
		s.c.write(DATA, END, s.id, nil)
	} else if !s.over {
		s.c.write(CANCEL, 0, s.id, new(fields).putUint(code).putText(text).b)
	}
}
