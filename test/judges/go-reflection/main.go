// The Greeter of gRPC's examples, with server reflection, on a port of 127.0.0.1 that it prints.
package main

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	hello "google.golang.org/grpc/examples/helloworld/helloworld"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

type greeter struct{ hello.UnimplementedGreeterServer }

func (greeter) SayHello(_ context.Context, in *hello.HelloRequest) (*hello.HelloReply, error) {
	if in.GetName() == "" {
		return nil, status.Error(codes.InvalidArgument, "a greeting needs a name")
	}
	return &hello.HelloReply{Message: "Hello " + in.GetName()}, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	hello.RegisterGreeterServer(server, greeter{})
	reflection.Register(server)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	_ = server.Serve(listener)
}
