// Messages of Connect's conformance tests between the runner and what it tests: each with its length in front, as four
// bytes. What they follow: connectrpc/conformance/v1/{server,client}_compat.proto; enums are read as numbers.

import { call, contract, contractInfo } from 'trunkline'
import * as z from 'zod'
import { compileProtobuf } from '../../../src/codec/protobuf/compile.ts'
import { Writer } from '../../../src/codec/writer.ts'
import type { CallOperation } from '../../../src/contract/operation.ts'
import { Any, ConformancePayload, ErrorType, Header } from '../../contracts/connect-conformance.ts'

const bytes = () => z.instanceof(Uint8Array).default(() => new Uint8Array())
const number = () => z.int32().default(0)
const text = () => z.string().default('')

export const ServerRequest = z.object({
  protocol: number(),
  httpVersion: number(),
  three: z.int32().optional(),
  useTls: z.boolean().default(false),
  clientTlsCert: bytes(),
  messageReceiveLimit: z.uint32().default(0),
  serverCreds: z.object({ cert: bytes(), key: bytes() }).optional(),
})

export const ServerResponse = z.object({ host: text(), port: z.uint32().default(0), pemCert: bytes() })

export const ClientRequest = z.object({
  testName: text(),
  httpVersion: number(),
  protocol: number(),
  codec: number(),
  compression: number(),
  host: text(),
  port: z.uint32().default(0),
  serverTlsCert: bytes(),
  clientTlsCreds: bytes(),
  messageReceiveLimit: z.uint32().default(0),
  service: z.string().optional(),
  method: z.string().optional(),
  streamType: number(),
  useGetHttpMethod: z.boolean().default(false),
  requestHeaders: z.array(Header).default([]),
  requestMessages: z.array(Any).default([]),
  timeoutMs: z.uint32().optional(),
  requestDelayMs: z.uint32().default(0),
  cancel: z
    .object({
      beforeCloseSend: z.object({}).optional(),
      afterCloseSendMs: z.uint32().optional(),
      afterNumResponses: z.uint32().optional(),
    })
    .optional(),
})

export const ClientResponse = z.object({
  testName: z.string(),
  response: z
    .object({
      responseHeaders: z.array(Header),
      payloads: z.array(ConformancePayload),
      error: ErrorType.optional(),
      responseTrailers: z.array(Header),
      numUnsentRequests: z.int32(),
    })
    .optional(),
  error: z.object({ message: z.string() }).optional(),
})

const Messages = contract('test.conformance.v1', {
  server: call({ input: ServerRequest, output: ServerResponse }),
  client: call({ input: ClientRequest, output: ClientResponse }),
})

const { operations } = contractInfo(Messages)

/** The codecs of what a program is asked and what it answers. */
export function codecsOf<In, Out>(which: 'server' | 'client') {
  const { input, output } = operations.get(which) as CallOperation
  if (input === undefined || output === undefined) throw new TypeError('no messages')
  const [read, write] = [compileProtobuf(input.schema), compileProtobuf(output.schema)]
  return {
    decode: (message: Buffer) => read.decode(message, 0, message.length) as In,
    /** The message with its length. */
    encode(value: Out): Buffer {
      const writer = new Writer()
      write.encode(value, writer)
      const message = writer.copy()
      const prefix = Buffer.alloc(4)
      prefix.writeUInt32BE(message.length)
      return Buffer.concat([prefix, message])
    },
  }
}

/** Reads messages from standard input until it ends. */
export async function* messages(): AsyncGenerator<Buffer> {
  let waiting = Buffer.alloc(0)
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
      const end = 4 + waiting.readUInt32BE(0)
      yield waiting.subarray(4, end)
      waiting = waiting.subarray(end)
    }
  }
}
