// A gRPC server with server reflection, as grpc-go has both: argument 1 is the address.
package main

import (
	"context"
	"io"
	"log"
	"net"
	"os"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

type service struct {
	pb.UnimplementedTestServiceServer
}

func (service) UnaryCall(_ context.Context, request *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if wanted := request.GetResponseStatus(); wanted != nil {
		failed, err := status.New(codes.Code(wanted.Code), wanted.Message).WithDetails(
			&errdetails.ErrorInfo{Reason: "AS_ASKED", Domain: "grpc.testing", Metadata: map[string]string{"by": "grpc-go"}},
			&errdetails.Help{Links: []*errdetails.Help_Link{{Description: "more", Url: "https://example.org"}}},
			&pb.EchoStatus{Code: 7, Message: "a message of the service"},
		)
		if err != nil {
			return nil, err
		}
		return nil, failed.Err()
	}
	return &pb.SimpleResponse{Payload: request.GetPayload(), Username: "ada"}, nil
}

func (service) StreamingOutputCall(request *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	for _, parameters := range request.GetResponseParameters() {
		payload := &pb.Payload{Body: make([]byte, parameters.GetSize())}
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: payload}); err != nil {
			return err
		}
	}
	return nil
}

func (service) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	size := 0
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(size)})
		}
		if err != nil {
			return err
		}
		size += len(request.GetPayload().GetBody())
	}
}

func (service) FullDuplexCall(stream pb.TestService_FullDuplexCallServer) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pb.StreamingOutputCallResponse{Payload: request.GetPayload()}); err != nil {
			return err
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterTestServiceServer(server, service{})
	reflection.Register(server)
	log.Fatal(server.Serve(listener))
}
