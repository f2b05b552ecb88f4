// The service of gRPC's interoperability tests, as every implementation has it.
// Follows doc/interop-test-descriptions.md of grpc/grpc.

import { setTimeout as sleep } from 'node:timers/promises'
import { CallError, type Context, type Implementation, implement } from 'trunkline'
import { statusFromNumber } from '../../src/contract/status.ts'
import { TestService } from '../contracts/grpc-testing.ts'

export const echoInitial = 'x-grpc-test-echo-initial'
export const echoTrailing = 'x-grpc-test-echo-trailing-bin'

interface Wanted {
  readonly responseStatus?: { readonly code: number; readonly message: string } | undefined
}

interface Parameters {
  readonly size: number
  readonly intervalUs: number
}

function failIfWanted({ responseStatus }: Wanted): void {
  if (responseStatus === undefined || responseStatus.code === 0) return
  throw new CallError(statusFromNumber(responseStatus.code), responseStatus.message)
}

function echoMetadata({ metadata, reply }: Pick<Context, 'metadata' | 'reply'>): void {
  const initial = metadata.get(echoInitial)
  if (initial !== undefined) reply.metadata.set(echoInitial, initial)
  const trailing = metadata.get(echoTrailing)
  if (trailing !== undefined) reply.trailers.set(echoTrailing, trailing)
}

const payloadOf = (size: number) => ({
  payload: { type: 'COMPRESSABLE' as const, body: new Uint8Array(size) },
})

async function* answers(parameters: readonly Parameters[]) {
  for (const { size, intervalUs } of parameters) {
    if (intervalUs > 0) await sleep(intervalUs / 1_000)
    yield payloadOf(size)
  }
}

/** Answers all calls of `grpc.testing.TestService`. */
export function testService(): Implementation<typeof TestService> {
  return implement(TestService, {
    emptyCall: () => ({}),
    unaryCall(request, ctx) {
      echoMetadata(ctx)
      failIfWanted(request)
      return {
        ...payloadOf(request.responseSize),
        ...(request.fillServerId ? { serverId: 'trunkline' } : {}),
      }
    },
    cacheableUnaryCall: ({ responseSize }) => payloadOf(responseSize),
    async *streamingOutputCall({ responseParameters }) {
      yield* answers(responseParameters)
    },
    async streamingInputCall(requests) {
      let aggregatedPayloadSize = 0
      for await (const { payload } of requests) aggregatedPayloadSize += payload?.body.length ?? 0
      return { aggregatedPayloadSize }
    },
    async *fullDuplexCall(requests, ctx) {
      echoMetadata(ctx)
      for await (const request of requests) {
        failIfWanted(request)
        yield* answers(request.responseParameters)
      }
    },
    async *halfDuplexCall(requests) {
      const all: Parameters[] = []
      for await (const { responseParameters } of requests) all.push(...responseParameters)
      yield* answers(all)
    },
    unimplementedCall() {
      throw new CallError('unimplemented', 'by agreement')
    },
  })
}
