// The service of Connect's conformance tests: says what it was asked, and answers what the question tells it to answer.

import { setTimeout as delay } from 'node:timers/promises'
import { CallError, type Context, Metadata, type StatusCode, implement } from 'trunkline'
import { compileProtobuf } from '../../../src/codec/protobuf/compile.ts'
import { Writer } from '../../../src/codec/writer.ts'
import type { CallOperation } from '../../../src/contract/operation.ts'
import type { z } from 'zod'
import * as Conformance from '../../contracts/connect-conformance.ts'

type Any = z.infer<typeof Conformance.Any>
type Header = z.infer<typeof Conformance.Header>
type RequestInfo = z.infer<typeof Conformance.ConformancePayloadRequestInfo>
type UnaryDefinition = z.infer<typeof Conformance.UnaryResponseDefinition>
type WireError = z.infer<typeof Conformance.ErrorType>

const packageName = 'connectrpc.conformance.v1'

/** A deadline that nobody asked for is later. */
const longest = 1_000_000_000

function encoded(schema: Parameters<typeof compileProtobuf>[0], value: unknown): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  compileProtobuf(schema).encode(value, writer)
  return new Uint8Array(writer.copy())
}

/** The type of `RequestInfo` stands in every answer. */
const infoSchema = (operation: CallOperation) => ({
  root: { type: { kind: 'ref' as const, to: 'ConformancePayload.RequestInfo' } },
  types: operation.contract.types,
})

function anyOf({ input }: CallOperation, value: unknown): Any {
  if (input === undefined) throw new TypeError('no input')
  return { typeUrl: `type.googleapis.com/${packageName}.${input.name}`, value: encoded(input.schema, value) }
}

function infoOf(ctx: Context<never>, requests: Any[]): RequestInfo {
  const values = new Map<string, string[]>()
  for (const [name, value] of ctx.metadata) {
    const text = typeof value === 'string' ? value : Buffer.from(value).toString('base64').replace(/=+$/, '')
    values.set(name, [...(values.get(name) ?? []), text])
  }
  const left = Math.round(ctx.deadline - performance.now())
  return {
    requestHeaders: Array.from(values, ([name, value]) => ({ name, value })),
    requests,
    ...(left > longest ? {} : { timeoutMs: BigInt(left) }),
  }
}

export function addHeaders(metadata: Metadata, headers: readonly Header[]): void {
  for (const { name, value } of headers) {
    for (const each of value)
      metadata.append(name, name.endsWith('-bin') ? Buffer.from(each, 'base64') : each)
  }
}

export function errorOf(
  { code, message, details }: WireError,
  info: Any | undefined,
  metadata: Metadata,
): CallError {
  const all = info === undefined ? details : [...details, info]
  const options = { metadata, details: all.map(({ typeUrl, value }) => ({ type: typeUrl, value })) }
  return new CallError(code.replace('CODE_', '').toLowerCase() as StatusCode, message ?? '', options)
}

function infoAny(ctx: Context<never>, requests: Any[]): Any {
  const value = encoded(infoSchema(ctx.operation), infoOf(ctx, requests))
  return { typeUrl: `type.googleapis.com/${packageName}.ConformancePayload.RequestInfo`, value }
}

async function unary(definition: UnaryDefinition | undefined, ctx: Context<never>, requests: Any[]) {
  const { reply } = ctx
  addHeaders(reply.metadata, definition?.responseHeaders ?? [])
  addHeaders(reply.trailers, definition?.responseTrailers ?? [])
  if (definition !== undefined && definition.responseDelayMs > 0) await delay(definition.responseDelayMs)
  if (definition?.error !== undefined) {
    const metadata = new Metadata(reply.metadata)
    for (const [name, value] of reply.trailers) metadata.append(name, value)
    throw errorOf(definition.error, infoAny(ctx, requests), metadata)
  }
  return {
    payload: { data: definition?.responseData ?? new Uint8Array(), requestInfo: infoOf(ctx, requests) },
  }
}

export const service = implement(Conformance.ConformanceService, {
  unary: (input, ctx) => unary(input.responseDefinition, ctx as never, [anyOf(ctx.operation, input)]),
  idempotentUnary: (input, ctx) =>
    unary(input.responseDefinition, ctx as never, [anyOf(ctx.operation, input)]),

  unimplemented() {
    throw new CallError('unimplemented', 'ConformanceService.Unimplemented is not implemented')
  },

  async clientStream(inputs, ctx) {
    const requests: Any[] = []
    let definition: UnaryDefinition | undefined
    for await (const input of inputs) {
      if (requests.length === 0) definition = input.responseDefinition
      requests.push(anyOf(ctx.operation, input))
    }
    return unary(definition, ctx as never, requests)
  },

  async *serverStream(input, ctx) {
    const requests = [anyOf(ctx.operation, input)]
    const { responseDefinition: definition } = input
    if (definition === undefined) return
    addHeaders(ctx.reply.metadata, definition.responseHeaders)
    addHeaders(ctx.reply.trailers, definition.responseTrailers)

    let first = true
    for (const data of definition.responseData) {
      await delay(definition.responseDelayMs)
      yield { payload: { data, ...(first ? { requestInfo: infoOf(ctx as never, requests) } : {}) } }
      first = false
    }
    if (definition.error !== undefined) {
      throw errorOf(definition.error, first ? infoAny(ctx as never, requests) : undefined, ctx.reply.trailers)
    }
  },

  // Types ask for the stream itself; its promise holds the head back until there is something in it.
  bidiStream: (inputs, ctx) => bidiStream(inputs, ctx as never) as never,
})

type Bidi = z.infer<typeof Conformance.BidiStreamRequest>

async function bidiStream(inputs: AsyncIterable<Bidi>, ctx: Context<never>) {
  const incoming = inputs[Symbol.asyncIterator]()
  const first = await incoming.next()
  const input = first.done === true ? undefined : first.value
  const definition = input?.responseDefinition
  addHeaders(ctx.reply.metadata, definition?.responseHeaders ?? [])
  addHeaders(ctx.reply.trailers, definition?.responseTrailers ?? [])
  return answersTo(input, incoming, ctx)
}

async function* answersTo(first: Bidi | undefined, incoming: AsyncIterator<Bidi>, ctx: Context<never>) {
  const { responseDefinition: definition, fullDuplex = false } = first ?? {}
  const data = definition?.responseData ?? []
  const requests: Any[] = []
  let sent = 0

  for (let input = first; input !== undefined;) {
    requests.push(anyOf(ctx.operation, input))
    if (fullDuplex) {
      const answer = data[sent]
      if (answer === undefined) break
      await delay(definition?.responseDelayMs ?? 0)
      const all = infoOf(ctx, [...requests])
      const requestInfo = sent === 0 ? all : { requestHeaders: [], requests: all.requests }
      sent++
      requests.length = 0
      yield { payload: { data: answer, requestInfo } }
    }
    const next = await incoming.next()
    input = next.done === true ? undefined : next.value
  }

  for (; sent < data.length; sent++) {
    await delay(definition?.responseDelayMs ?? 0)
    const requestInfo = sent === 0 ? infoOf(ctx, [...requests]) : undefined
    yield { payload: { data: data[sent]!, ...(requestInfo === undefined ? {} : { requestInfo }) } }
  }
  if (definition?.error !== undefined) {
    throw errorOf(definition.error, sent === 0 ? infoAny(ctx, requests) : undefined, ctx.reply.trailers)
  }
}
