/**
 * How a value gets from one side to the other: packed by the sender's contract, unpacked by the receiver's, so that each
 * side validates with its own and neither sees an object of the other.
 *
 * Two sides that agree on the contract pack by number (protobuf). Those that hold different versions of it pack by name
 * (JSON), so that fields which only one of them knows are what they are over REST.
 */
import { compileJson } from '../../codec/json/compile.ts'
import { compileProtobuf } from '../../codec/protobuf/compile.ts'
import { Writer } from '../../codec/writer.ts'
import type { Message } from '../../contract/operation.ts'

/** Takes the values of one message of an operation across. */
export interface Passage {
  /** What the sender hands over. Throws `Invalid` when the value does not fit the sender's contract. */
  pack(value: unknown): Buffer
  /** What the receiver gets, refined. Throws or rejects with `Invalid` when it does not fit the receiver's contract. */
  unpack(packed: Buffer): unknown
}

export interface PassageOptions {
  /** Whether both sides hold the same contract, its numbers included. */
  readonly agreed: boolean
  /** How deep values may be nested. */
  readonly depth: number
}

interface Codec {
  pack(value: unknown): Buffer
  unpack(packed: Buffer): unknown
}

/** The compiled codecs of each message, by the nesting they allow. */
type Made = WeakMap<Message, Map<number, Codec>>

const byNumber: Made = new WeakMap()
const byName: Made = new WeakMap()
const shared = new Writer()
let sharing = false

/** A larger buffer is not kept for the next value. */
const largestKept = 1024 * 1024

export function passage(from: Message, to: Message, { agreed, depth }: PassageOptions): Passage {
  const codecOf = agreed ? protobufOf : jsonOf
  const sender = codecOf(from, depth)
  const receiver = codecOf(to, depth)
  const { refine } = to
  return {
    pack: (value) => sender.pack(value),
    unpack(packed) {
      const value = receiver.unpack(packed)
      return refine === undefined ? value : refine(value)
    },
  }
}

function protobufOf(message: Message, depth: number): Codec {
  return made(byNumber, message, depth, () => {
    const { encode, decode } = compileProtobuf(message.schema, { depth })
    return {
      pack: (value) => written((writer) => encode(value, writer)),
      unpack: (packed) => decode(packed, 0, packed.length),
    }
  })
}

/** What is written, in one buffer. A getter of a value may make a call itself: that one gets a writer of its own. */
function written(write: (writer: Writer) => void): Buffer {
  if (sharing) {
    const own = new Writer(1024)
    write(own)
    return own.take()
  }

  sharing = true
  try {
    shared.reset()
    write(shared)
    return shared.bytes.length > largestKept ? shared.take() : shared.copy()
  } finally {
    sharing = false
  }
}

function jsonOf(message: Message, depth: number): Codec {
  return made(byName, message, depth, () => {
    const codec = compileJson(message.schema, 'trunkline', { depth })
    return {
      pack: (value) => Buffer.from(codec.encode(value)),
      unpack: (packed) => codec.decode(packed, 0, packed.length),
    }
  })
}

function made(known: Made, message: Message, depth: number, make: () => Codec): Codec {
  let ofMessage = known.get(message)
  if (ofMessage === undefined) known.set(message, (ofMessage = new Map()))
  let codec = ofMessage.get(depth)
  if (codec === undefined) ofMessage.set(depth, (codec = make()))
  return codec
}
