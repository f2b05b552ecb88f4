import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contractInfo } from '../../src/contract/contract.ts'
import { updateLock } from '../../src/contract/lock-update.ts'
import { protoName } from '../../src/schema/names.ts'
import { TestService, UnimplementedService } from './grpc-testing.ts'
import lock from './grpc-testing.lock.json' with { type: 'json' }

const info = contractInfo(TestService)

/** messages.proto as a table: the name and number of every field, by the names that stand there. */
const messages: Record<string, Record<string, number>> = {
  Empty: {},
  BoolValue: { value: 1 },
  Payload: { type: 1, body: 2 },
  EchoStatus: { code: 1, message: 2 },
  SimpleRequest: {
    response_type: 1,
    response_size: 2,
    payload: 3,
    fill_username: 4,
    fill_oauth_scope: 5,
    response_compressed: 6,
    response_status: 7,
    expect_compressed: 8,
    fill_server_id: 9,
    fill_grpclb_route_type: 10,
    orca_per_query_report: 11,
  },
  SimpleResponse: {
    payload: 1,
    username: 2,
    oauth_scope: 3,
    server_id: 4,
    grpclb_route_type: 5,
    hostname: 6,
  },
  StreamingInputCallRequest: { payload: 1, expect_compressed: 2 },
  StreamingInputCallResponse: { aggregated_payload_size: 1 },
  ResponseParameters: { size: 1, interval_us: 2, compressed: 3 },
  StreamingOutputCallRequest: {
    response_type: 1,
    response_parameters: 2,
    payload: 3,
    response_status: 7,
    orca_oob_report: 8,
  },
  StreamingOutputCallResponse: { payload: 1 },
  TestOrcaReport: { cpu_utilization: 1, memory_utilization: 2, request_cost: 3, utilization: 4 },
}

const enums: Record<string, Record<string, number>> = {
  PayloadType: { COMPRESSABLE: 0 },
  GrpclbRouteType: {
    GRPCLB_ROUTE_TYPE_UNKNOWN: 0,
    GRPCLB_ROUTE_TYPE_FALLBACK: 1,
    GRPCLB_ROUTE_TYPE_BACKEND: 2,
  },
}

test('grpc.testing.TestService by hand: package, service and methods have their own names', () => {
  assert.equal(info.grpcPackage, 'grpc.testing')
  assert.equal(info.grpcService, 'grpc.testing.TestService')
  assert.equal(info.locked, true)

  const methods = [...info.operations.values()].map((operation) => {
    assert.ok(operation.kind === 'call')
    return [operation.grpc, operation.streaming, operation.input?.name, operation.output?.name]
  })

  const streamingOutput = ['StreamingOutputCallRequest', 'StreamingOutputCallResponse']

  assert.deepEqual(methods, [
    ['grpc.testing.TestService/EmptyCall', 'unary', 'Empty', 'Empty'],
    ['grpc.testing.TestService/UnaryCall', 'unary', 'SimpleRequest', 'SimpleResponse'],
    ['grpc.testing.TestService/CacheableUnaryCall', 'unary', 'SimpleRequest', 'SimpleResponse'],
    ['grpc.testing.TestService/StreamingOutputCall', 'server_streaming', ...streamingOutput],
    [
      'grpc.testing.TestService/StreamingInputCall',
      'client_streaming',
      'StreamingInputCallRequest',
      'StreamingInputCallResponse',
    ],
    ['grpc.testing.TestService/FullDuplexCall', 'bidirectional', ...streamingOutput],
    ['grpc.testing.TestService/HalfDuplexCall', 'bidirectional', ...streamingOutput],
    ['grpc.testing.TestService/UnimplementedCall', 'unary', 'Empty', 'Empty'],
  ])

  const unimplemented = contractInfo(UnimplementedService).operations.get('unimplementedCall')
  assert.ok(unimplemented?.kind === 'call')
  assert.equal(unimplemented.grpc, 'grpc.testing.UnimplementedService/UnimplementedCall')
})

test('every message and enum has the names and numbers of messages.proto', () => {
  const foundMessages: typeof messages = {}
  const foundEnums: typeof enums = {}

  for (const [name, type] of Object.entries(info.types)) {
    if (type.kind === 'object') {
      foundMessages[name] = Object.fromEntries(type.fields.map((field) => [protoName(field), field.number]))
    } else if (type.kind === 'enum') {
      foundEnums[name] = Object.fromEntries(type.values.map((value) => [value.name, value.number]))
    }
  }

  assert.deepEqual(foundMessages, messages)
  assert.deepEqual(foundEnums, enums)
})

test('the lock is complete, and trunkline lock would leave it as it is', () => {
  assert.deepEqual(updateLock(info, lock).changes, [])
})
