/** HOT PATH (lookups). The compiled codec of each message, made when it is first needed. Guarded by `bench/scenarios/trunk`. */
import { Writer } from '../../codec/writer.ts'
import type { Message } from '../../contract/operation.ts'
import type { Schema } from '../../schema/type.ts'

/** Encodes and decodes values of one Type. Both throw `Invalid`. */
export interface Codec {
  encode(value: unknown, writer: Writer): void
  decode(bytes: Buffer, start: number, end: number): unknown
}

export class Codecs {
  readonly #compile: (schema: Schema) => Codec
  readonly #made = new WeakMap<Message, Codec>()
  #scratch: Writer | undefined

  constructor(compile: (schema: Schema) => Codec) {
    this.#compile = compile
  }

  of(message: Message): Codec {
    const made = this.#made.get(message)
    if (made !== undefined) return made
    const codec = this.#compile(message.schema)
    this.#made.set(message, codec)
    return codec
  }

  /** A writer for what cannot be encoded in place; valid until the next call of this. */
  scratch(): Writer {
    const writer = (this.#scratch ??= new Writer(1024))
    writer.reset()
    return writer
  }
}
