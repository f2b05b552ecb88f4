import type { Message } from '../../contract/operation.ts'
import { type ProtobufCodec, compileProtobuf } from '../../codec/protobuf/compile.ts'
import { Writer } from '../../codec/writer.ts'

/** Copies a value as a network would: encoded, decoded, validated, refined. Throws `Invalid`. */
export type Copy = (value: unknown) => unknown

const codecs = new WeakMap<Message, ProtobufCodec>()
const writer = new Writer()

export function copier(message: Message): Copy {
  let codec = codecs.get(message)
  if (codec === undefined) {
    codec = compileProtobuf(message.schema)
    codecs.set(message, codec)
  }

  const { encode, decode } = codec
  const { refine } = message
  return (value) => {
    writer.reset()
    encode(value, writer)
    const bytes = writer.copy()
    const decoded = decode(bytes, 0, bytes.length)
    return refine === undefined ? decoded : refine(decoded)
  }
}
