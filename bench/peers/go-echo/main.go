// grpc-go's side of the gRPC scenarios: `echo server`, and `echo client [--rich] <port>`, in the harness's child protocol.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"trunkline.bench/echo"
)

type server struct {
	echo.UnimplementedEchoServer
}

func (server) Echo(_ context.Context, order *echo.Order) (*echo.Order, error) { return order, nil }

func (server) Blob(_ context.Context, blob *echo.Bytes) (*echo.Bytes, error) { return blob, nil }

func (server) Repeat(request *echo.RepeatRequest, stream grpc.ServerStreamingServer[echo.Order]) error {
	for range request.Count {
		if err := stream.Send(request.Order); err != nil {
			return err
		}
	}
	return nil
}

func (server) Collect(stream grpc.ClientStreamingServer[echo.Order, echo.Collected]) error {
	count := int32(0)
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&echo.Collected{Count: count})
		}
		if err != nil {
			return err
		}
		count++
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"ready\":{\"port\":%d}}\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	echo.RegisterEchoServer(s, server{})
	return s.Serve(listener)
}

type turn struct {
	Run struct {
		Concurrency  int     `json:"concurrency"`
		Milliseconds float64 `json:"milliseconds"`
		Work         string  `json:"work"`
	} `json:"run"`
}

func nth(n int64) *echo.Order {
	return &echo.Order{
		Id: "ord_01HZX3Q5", Sku: "SKU-4711", Quantity: int32(1 + n%100), Price: 12.5,
		Note: "leave at the door, ring twice please", Tags: []string{"fragile", "eu", "priority"},
	}
}

func same(a, b *echo.Order) bool {
	return a.Id == b.Id && a.Sku == b.Sku && a.Quantity == b.Quantity && a.Price == b.Price && a.Note == b.Note &&
		len(b.Tags) == 3 && a.Tags[0] == b.Tags[0] && a.Tags[1] == b.Tags[1] && a.Tags[2] == b.Tags[2]
}

var token = "Bearer " + strings.Repeat("eyJhbGciOi", 80)[:793]

// rich adds what real callers send: a deadline that differs, a trace that is unique, and a long token.
func rich(n int64) (context.Context, context.CancelFunc) {
	var id [24]byte
	_, _ = rand.Read(id[:])
	trace := "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-01"
	ctx := metadata.AppendToOutgoingContext(context.Background(), "traceparent", trace, "authorization", token)
	return context.WithTimeout(ctx, time.Duration(20_000+n%9973)*time.Millisecond)
}

func call(client echo.EchoClient, work string, n int64, blob *echo.Bytes) (int64, bool) {
	switch work {
	case "rich":
		ctx, cancel := rich(n)
		defer cancel()
		order := nth(n)
		reply, err := client.Echo(ctx, order)
		return 1, err == nil && same(order, reply)
	case "blob":
		reply, err := client.Blob(context.Background(), blob)
		return 1, err == nil && len(reply.Data) == len(blob.Data)
	case "repeat":
		const count = 100_000
		stream, err := client.Repeat(context.Background(), &echo.RepeatRequest{Count: count, Order: nth(n)})
		if err != nil {
			return count, false
		}
		got, order := int64(0), nth(n)
		for {
			reply, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return got, got == count
			}
			if err != nil || !same(order, reply) {
				return got, false
			}
			got++
		}
	case "collect":
		const count = 100_000
		stream, err := client.Collect(context.Background())
		if err != nil {
			return count, false
		}
		for i := range int64(count) {
			if stream.Send(nth(i)) != nil {
				return i, false
			}
		}
		reply, err := stream.CloseAndRecv()
		return count, err == nil && reply.Count == count
	default:
		order := nth(n)
		reply, err := client.Echo(context.Background(), order)
		return 1, err == nil && same(order, reply)
	}
}

func run(client echo.EchoClient, question turn) map[string]any {
	var next, calls, wrong atomic.Int64
	var lock sync.Mutex
	var samples []float64
	blob := &echo.Bytes{Data: make([]byte, 1<<20)}
	started := time.Now()
	end := started.Add(time.Duration(question.Run.Milliseconds * float64(time.Millisecond)))
	var group sync.WaitGroup
	for range question.Run.Concurrency {
		group.Add(1)
		go func() {
			defer group.Done()
			var own []float64
			for time.Now().Before(end) {
				n := next.Add(1)
				begun := time.Now()
				count, good := call(client, question.Run.Work, n, blob)
				if n%16 == 0 {
					own = append(own, float64(time.Since(begun))/float64(time.Millisecond))
				}
				if good {
					calls.Add(count)
				} else {
					wrong.Add(1)
				}
			}
			lock.Lock()
			samples = append(samples, own...)
			lock.Unlock()
		}()
	}
	group.Wait()
	sort.Float64s(samples)
	at := func(share float64) float64 {
		if len(samples) == 0 {
			return 0
		}
		return samples[int(share*float64(len(samples)-1))]
	}
	return map[string]any{
		"calls": calls.Load(), "errors": wrong.Load(), "p50": at(0.5), "p99": at(0.99),
		"milliseconds": float64(time.Since(started)) / float64(time.Millisecond),
	}
}

func drive(port string) error {
	connection, err := grpc.NewClient(port, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return err
	}
	client := echo.NewEchoClient(connection)
	fmt.Println(`{"ready":{}}`)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var question turn
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			return err
		}
		answer, err := json.Marshal(run(client, question))
		if err != nil {
			return err
		}
		fmt.Println(string(answer))
	}
	return nil
}

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "server":
		err = serve()
	case len(os.Args) == 3 && os.Args[1] == "client":
		err = drive(authority(os.Args[2]))
	default:
		err = errors.New("usage: echo server | echo client <port>")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// authority takes a port on this machine, or a URL.
func authority(to string) string {
	if _, rest, found := strings.Cut(to, "://"); found {
		return rest
	}
	return "127.0.0.1:" + to
}
