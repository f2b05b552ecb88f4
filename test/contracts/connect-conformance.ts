/**
 * The service of Connect's conformance tests as a contract. What it follows: connectrpc/conformance/v1/service.proto.
 */
import { call, contract, stream } from 'trunkline'
import * as z from 'zod'
import lock from './connect-conformance.lock.json' with { type: 'json' }

export const Header = z
  .object({
    name: z.string().default(''),
    value: z.array(z.string()).default([]),
  })
  .meta({ id: 'Header' })

export const Code = z
  .enum([
    'CODE_UNSPECIFIED',
    'CODE_CANCELED',
    'CODE_UNKNOWN',
    'CODE_INVALID_ARGUMENT',
    'CODE_DEADLINE_EXCEEDED',
    'CODE_NOT_FOUND',
    'CODE_ALREADY_EXISTS',
    'CODE_PERMISSION_DENIED',
    'CODE_RESOURCE_EXHAUSTED',
    'CODE_FAILED_PRECONDITION',
    'CODE_ABORTED',
    'CODE_OUT_OF_RANGE',
    'CODE_UNIMPLEMENTED',
    'CODE_INTERNAL',
    'CODE_UNAVAILABLE',
    'CODE_DATA_LOSS',
    'CODE_UNAUTHENTICATED',
  ])
  .meta({ id: 'Code' })

export const Any = z
  .object({
    typeUrl: z.string().default(''),
    value: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'google.protobuf.Any' })

export const ErrorType = z
  .object({
    code: Code.default('CODE_UNSPECIFIED'),
    message: z.string().optional(),
    details: z.array(Any).default([]),
  })
  .meta({ id: 'Error' })

export const Compression = z
  .enum([
    'COMPRESSION_UNSPECIFIED',
    'COMPRESSION_IDENTITY',
    'COMPRESSION_GZIP',
    'COMPRESSION_BR',
    'COMPRESSION_ZSTD',
    'COMPRESSION_DEFLATE',
    'COMPRESSION_SNAPPY',
  ])
  .meta({ id: 'Compression' })

export const MessageContents = z
  .object({
    binary: z.instanceof(Uint8Array).optional().meta({ oneof: 'data' }),
    text: z.string().optional().meta({ oneof: 'data' }),
    binaryMessage: Any.optional().meta({
      oneof: 'data',
    }),
    compression: Compression.default('COMPRESSION_UNSPECIFIED'),
  })
  .meta({ id: 'MessageContents' })

export const StreamContentsStreamItem = z
  .object({
    flags: z.uint32().default(0),
    length: z.uint32().optional(),
    payload: MessageContents.optional(),
  })
  .meta({ id: 'StreamContents.StreamItem' })

export const StreamContents = z
  .object({
    items: z.array(StreamContentsStreamItem).default([]),
  })
  .meta({
    id: 'StreamContents',
  })

export const RawHTTPResponse = z
  .object({
    statusCode: z.uint32().default(0),
    headers: z.array(Header).default([]),
    unary: MessageContents.optional().meta({ oneof: 'body' }),
    stream: StreamContents.optional().meta({
      oneof: 'body',
    }),
    trailers: z.array(Header).default([]),
  })
  .meta({
    id: 'RawHTTPResponse',
  })

export const UnaryResponseDefinition = z
  .object({
    responseHeaders: z.array(Header).default([]),
    responseData: z.instanceof(Uint8Array).optional().meta({
      oneof: 'response',
    }),
    error: ErrorType.optional().meta({
      oneof: 'response',
    }),
    responseTrailers: z.array(Header).default([]),
    responseDelayMs: z.uint32().default(0),
    rawResponse: RawHTTPResponse.optional(),
  })
  .meta({
    id: 'UnaryResponseDefinition',
  })

export const UnaryRequest = z
  .object({
    responseDefinition: UnaryResponseDefinition.optional(),
    requestData: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'UnaryRequest' })

export const ConformancePayloadConnectGetInfo = z
  .object({
    queryParams: z.array(Header).default([]),
  })
  .meta({ id: 'ConformancePayload.ConnectGetInfo' })

export const ConformancePayloadRequestInfo = z
  .object({
    requestHeaders: z.array(Header).default([]),
    timeoutMs: z.int64().optional(),
    requests: z.array(Any).default([]),
    connectGetInfo: ConformancePayloadConnectGetInfo.optional(),
  })
  .meta({ id: 'ConformancePayload.RequestInfo' })

export const ConformancePayload = z
  .object({
    data: z.instanceof(Uint8Array).default(() => new Uint8Array()),
    requestInfo: ConformancePayloadRequestInfo.optional(),
  })
  .meta({ id: 'ConformancePayload' })

export const UnaryResponse = z
  .object({
    payload: ConformancePayload.optional(),
  })
  .meta({ id: 'UnaryResponse' })

export const StreamResponseDefinition = z
  .object({
    responseHeaders: z.array(Header).default([]),
    responseData: z.array(z.instanceof(Uint8Array)).default([]),
    responseDelayMs: z.uint32().default(0),
    error: ErrorType.optional(),
    responseTrailers: z.array(Header).default([]),
    rawResponse: RawHTTPResponse.optional(),
  })
  .meta({
    id: 'StreamResponseDefinition',
  })

export const ServerStreamRequest = z
  .object({
    responseDefinition: StreamResponseDefinition.optional(),
    requestData: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'ServerStreamRequest' })

export const ServerStreamResponse = z
  .object({
    payload: ConformancePayload.optional(),
  })
  .meta({ id: 'ServerStreamResponse' })

export const ClientStreamRequest = z
  .object({
    responseDefinition: UnaryResponseDefinition.optional(),
    requestData: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'ClientStreamRequest' })

export const ClientStreamResponse = z
  .object({
    payload: ConformancePayload.optional(),
  })
  .meta({ id: 'ClientStreamResponse' })

export const BidiStreamRequest = z
  .object({
    responseDefinition: StreamResponseDefinition.optional(),
    fullDuplex: z.boolean().default(false),
    requestData: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'BidiStreamRequest' })

export const BidiStreamResponse = z
  .object({
    payload: ConformancePayload.optional(),
  })
  .meta({ id: 'BidiStreamResponse' })

export const UnimplementedRequest = z.object({}).meta({ id: 'UnimplementedRequest' })

export const UnimplementedResponse = z.object({}).meta({ id: 'UnimplementedResponse' })

export const IdempotentUnaryRequest = z
  .object({
    responseDefinition: UnaryResponseDefinition.optional(),
    requestData: z.instanceof(Uint8Array).default(() => new Uint8Array()),
  })
  .meta({ id: 'IdempotentUnaryRequest' })

export const IdempotentUnaryResponse = z
  .object({
    payload: ConformancePayload.optional(),
  })
  .meta({ id: 'IdempotentUnaryResponse' })

export const ConformanceService = contract(
  'connectrpc.conformance.conformance_service.v1',
  {
    unary: call({
      input: UnaryRequest,
      output: UnaryResponse,
    }),
    serverStream: call({
      input: ServerStreamRequest,
      output: stream(ServerStreamResponse),
    }),
    clientStream: call({
      input: stream(ClientStreamRequest),
      output: ClientStreamResponse,
    }),
    bidiStream: call({
      input: stream(BidiStreamRequest),
      output: stream(BidiStreamResponse),
    }),
    unimplemented: call({
      input: UnimplementedRequest,
      output: UnimplementedResponse,
    }),
    idempotentUnary: call({
      input: IdempotentUnaryRequest,
      output: IdempotentUnaryResponse,
      idempotency: 'safe',
    }),
  },
  {
    grpc: 'connectrpc.conformance.v1.ConformanceService',
    lock,
  },
)
