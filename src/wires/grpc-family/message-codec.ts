/** Codecs of messages in both formats; a call without input or output sends and takes an empty message. */
import { compileJson } from '../../codec/json/compile.ts'
import { compileProtobuf } from '../../codec/protobuf/compile.ts'
import type { Message } from '../../contract/operation.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import type { MessageFormat } from './content-type.ts'

/** Encodes in place and decodes. Both throw `Invalid`. */
export interface MessageCodec {
  encode(value: unknown, into: BodyBuffer): void
  decode(bytes: Buffer, start: number, end: number): unknown
}

const emptyProto: MessageCodec = {
  encode() {},
  decode: () => undefined,
}

const emptyJson: MessageCodec = {
  encode(_, into) {
    into.reserve(2)
    into.position += into.bytes.write('{}', into.position, 'latin1')
  },
  decode: () => undefined,
}

/** What was compiled: connections come and go, their contracts stay. */
const made = new WeakMap<Message, Map<string, MessageCodec>>()

/** The codec of one direction of an operation; compiled once, for all connections. */
export function messageCodec(
  message: Message | undefined,
  format: MessageFormat,
  depth: number,
): MessageCodec {
  if (message === undefined) return format === 'proto' ? emptyProto : emptyJson
  let codecs = made.get(message)
  if (codecs === undefined) {
    codecs = new Map()
    made.set(message, codecs)
  }

  const key = `${format} ${depth}`
  const known = codecs.get(key)
  if (known !== undefined) return known
  const codec = compile(message, format, depth)
  codecs.set(key, codec)
  return codec
}

function compile(message: Message, format: MessageFormat, depth: number): MessageCodec {
  if (format === 'proto') {
    const { encode, decode } = compileProtobuf(message.schema, { depth })
    // Its encoder uses nothing of a Writer but what a BodyBuffer has as well.
    return { encode: encode as unknown as MessageCodec['encode'], decode }
  }

  const json = compileJson(message.schema, 'protojson', { depth })
  return {
    encode: (value, into) => json.encodeInto(value, into),
    decode: (bytes, start, end) => json.decode(bytes, start, end),
  }
}
