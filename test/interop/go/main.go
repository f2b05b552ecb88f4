// Makes calls of the server at os.Args[1] and prints what came back, a line of JSON each.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

func number(n int) []byte { return binary.AppendUvarint([]byte{8}, uint64(n)) }

func value(message []byte) int {
	if len(message) == 0 {
		return 0
	}
	v, _ := binary.Uvarint(message[1:])
	return int(v)
}

func blob(size int, fill byte) []byte {
	head := binary.AppendUvarint([]byte{10}, uint64(size))
	return append(head, bytes.Repeat([]byte{fill}, size)...)
}

func report(name string, what any) {
	line, _ := json.Marshal(map[string]any{"name": name, "what": what})
	fmt.Println(string(line))
}

func all(s *Stream) (got []int, err error) {
	for {
		m, e := s.Receive()
		if e != nil {
			return got, e
		}
		got = append(got, value(m))
	}
}

func failure(s *Stream) any {
	_, err := s.Receive()
	var f *Failure
	if errors.As(err, &f) {
		return map[string]any{"code": f.Code, "seen": f.Seen, "message": f.Message, "fault": f.Fault, "detail": f.Detail}
	}
	return fmt.Sprint(err)
}

func main() {
	c, err := Connect(os.Args[1], "test.go.v1")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	s := c.Call("echo", 5000, nil, 0)
	s.Send(number(7), true)
	m, _ := s.Receive()
	report("unary", value(m))

	s = c.Call("count", 0, nil, 0)
	s.Send(number(3), true)
	got, end := all(s)
	report("output stream", []any{got, end.Error()})

	s = c.Call("sum", 0, nil, 0)
	for n := 1; n <= 1000; n++ {
		s.Send(number(n), n == 1000)
	}
	m, _ = s.Receive()
	report("input stream", value(m))

	s = c.Call("double", 0, nil, 0)
	var back []int
	for n := 1; n <= 3; n++ {
		s.Send(number(n), false)
		m, _ = s.Receive()
		back = append(back, value(m))
	}
	s.Control(0, "")
	_, end = all(s)
	report("both", []any{back, end.Error()})

	s = c.Call("metadata", 0, [][2]string{{"x-tenant", "acme"}, {"x-raw-bin", "\x00\x7f"}}, END)
	_, end = all(s)
	report("metadata", []any{s.Metadata, s.Trailers, end.Error()})

	s = c.Call("refuse", 0, nil, 0)
	s.Send(number(4), true)
	report("fault", failure(s))

	s = c.Call("sleep", 30, nil, END)
	report("deadline", failure(s))

	s = c.Call("sleep", 0, nil, END)
	s.Control(1, "changed my mind")
	report("cancel", failure(s))

	var group sync.WaitGroup
	same := make([]bool, 20)
	for index := range same {
		group.Go(func() {
			sent := blob(2_000_000, byte(index))
			s := c.Call("blob", 0, nil, 0)
			s.Send(sent, true)
			m, err := s.Receive()
			same[index] = err == nil && bytes.Equal(sent, m)
		})
	}
	group.Wait()
	report("large", same)
}
