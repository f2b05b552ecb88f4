/**
 * `grpc.testing.TestService`, the service of gRPC's interoperability tests, as a contract written by hand: a foreign
 * protobuf package with its own service, method, message and enum names, its field numbers and a zero enum value.
 *
 * What it follows: src/proto/grpc/testing/{test,messages,empty}.proto of grpc/grpc.
 */
import * as z from 'zod'
import { call } from '../../src/contract/call.ts'
import { contract } from '../../src/contract/contract.ts'
import { stream } from '../../src/contract/stream.ts'
import lock from './grpc-testing.lock.json' with { type: 'json' }

export const Empty = z.object({}).meta({ id: 'Empty' })

/** A bool that may be absent, from before wrappers and `optional`. */
export const BoolValue = z.object({ value: z.boolean().default(false) }).meta({ id: 'BoolValue' })

export const PayloadType = z.enum(['COMPRESSABLE']).meta({ id: 'PayloadType' })

export const Payload = z
  .object({
    type: PayloadType.default('COMPRESSABLE'),
    body: z.instanceof(Uint8Array),
  })
  .meta({ id: 'Payload' })

export const EchoStatus = z
  .object({ code: z.int32().default(0), message: z.string().default('') })
  .meta({ id: 'EchoStatus' })

export const GrpclbRouteType = z
  .enum(['GRPCLB_ROUTE_TYPE_UNKNOWN', 'GRPCLB_ROUTE_TYPE_FALLBACK', 'GRPCLB_ROUTE_TYPE_BACKEND'])
  .meta({ id: 'GrpclbRouteType' })

export const TestOrcaReport = z
  .object({
    cpuUtilization: z.number().default(0),
    memoryUtilization: z.number().default(0),
    requestCost: z.record(z.string(), z.number()).default({}),
    utilization: z.record(z.string(), z.number()).default({}),
  })
  .meta({ id: 'TestOrcaReport' })

export const SimpleRequest = z
  .object({
    responseType: PayloadType.default('COMPRESSABLE'),
    responseSize: z.int32().default(0),
    payload: Payload.optional(),
    fillUsername: z.boolean().default(false),
    fillOauthScope: z.boolean().default(false),
    responseCompressed: BoolValue.optional(),
    responseStatus: EchoStatus.optional(),
    expectCompressed: BoolValue.optional(),
    fillServerId: z.boolean().default(false),
    fillGrpclbRouteType: z.boolean().default(false),
    orcaPerQueryReport: TestOrcaReport.optional(),
  })
  .meta({ id: 'SimpleRequest' })

export const SimpleResponse = z
  .object({
    payload: Payload.optional(),
    username: z.string().default(''),
    oauthScope: z.string().default(''),
    serverId: z.string().default(''),
    grpclbRouteType: GrpclbRouteType.default('GRPCLB_ROUTE_TYPE_UNKNOWN'),
    hostname: z.string().default(''),
  })
  .meta({ id: 'SimpleResponse' })

export const StreamingInputCallRequest = z
  .object({ payload: Payload.optional(), expectCompressed: BoolValue.optional() })
  .meta({ id: 'StreamingInputCallRequest' })

export const StreamingInputCallResponse = z
  .object({ aggregatedPayloadSize: z.int32().default(0) })
  .meta({ id: 'StreamingInputCallResponse' })

export const ResponseParameters = z
  .object({
    size: z.int32().default(0),
    intervalUs: z.int32().default(0),
    compressed: BoolValue.optional(),
  })
  .meta({ id: 'ResponseParameters' })

export const StreamingOutputCallRequest = z
  .object({
    responseType: PayloadType.default('COMPRESSABLE'),
    responseParameters: z.array(ResponseParameters),
    payload: Payload.optional(),
    responseStatus: EchoStatus.optional(),
    orcaOobReport: TestOrcaReport.optional(),
  })
  .meta({ id: 'StreamingOutputCallRequest' })

export const StreamingOutputCallResponse = z
  .object({ payload: Payload.optional() })
  .meta({ id: 'StreamingOutputCallResponse' })

export const TestService = contract(
  'grpc.testing',
  {
    emptyCall: call({ input: Empty, output: Empty }),
    unaryCall: call({ input: SimpleRequest, output: SimpleResponse }),
    cacheableUnaryCall: call({ input: SimpleRequest, output: SimpleResponse, idempotency: 'safe' }),
    streamingOutputCall: call({
      input: StreamingOutputCallRequest,
      output: stream(StreamingOutputCallResponse),
    }),
    streamingInputCall: call({
      input: stream(StreamingInputCallRequest),
      output: StreamingInputCallResponse,
    }),
    fullDuplexCall: call({
      input: stream(StreamingOutputCallRequest),
      output: stream(StreamingOutputCallResponse),
    }),
    halfDuplexCall: call({
      input: stream(StreamingOutputCallRequest),
      output: stream(StreamingOutputCallResponse),
    }),
    unimplementedCall: call({ input: Empty, output: Empty }),
  },
  { grpc: 'grpc.testing.TestService', lock },
)

/** The service that no server has. */
export const UnimplementedService = contract(
  'grpc.testing.unimplemented',
  { unimplementedCall: call({ input: Empty, output: Empty }) },
  { grpc: 'grpc.testing.UnimplementedService', lock },
)
