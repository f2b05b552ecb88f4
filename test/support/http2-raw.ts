// An HTTP/2 peer that sends what it is told, right or wrong, and writes down what it gets. Client or server, by what it sends.

import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import {
  clientPreface,
  flag,
  frameHeaderSize,
  frameType,
  put32,
  putFrameHeader,
} from '../../src/http2/frames.ts'
import { HpackDecoder } from '../../src/http2/hpack/decoder.ts'
import { HpackEncoder } from '../../src/http2/hpack/encoder.ts'

export interface RawFrame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
  /** Of a header block that lies in one frame. */
  readonly fields?: readonly string[]
}

/** A frame's bytes. */
export function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(frameHeaderSize + payload.length)
  payload.copy(bytes, putFrameHeader(bytes, 0, payload.length, type, flags, id))
  return bytes
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => put32(bytes, 4 * i, value))
  return bytes
}

/** The payload of SETTINGS. */
export function settingsPayload(...pairs: number[]): Buffer {
  const bytes = Buffer.alloc(3 * pairs.length)
  for (let i = 0; i < pairs.length; i += 2) {
    bytes.writeUInt16BE(pairs[i] as number, 3 * i)
    bytes.writeUInt32BE(pairs[i + 1] as number, 3 * i + 2)
  }
  return bytes
}

/** The fields of a request. */
export function request(path: string = '/', ...more: string[]): string[] {
  return [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', path, ...more]
}

export class RawPeer {
  readonly stream: Duplex
  readonly encoder = new HpackEncoder()
  readonly decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 20, memo: false })
  readonly frames: RawFrame[] = []
  ended = false
  /** Whether SETTINGS and PINGs are answered, as a good peer does. */
  answers: boolean
  #rest: Buffer = Buffer.alloc(0)
  #wake: (() => void)[] = []

  /** Of what is read first, bytes that are no frames: a client's preface. */
  #skip: number

  constructor(stream: Duplex, answers = true, skip = 0) {
    this.stream = stream
    this.answers = answers
    this.#skip = skip
    stream.on('data', (piece: Buffer) => this.#read(piece))
    stream.on('error', () => {})
    for (const event of ['end', 'close']) {
      stream.on(event, () => {
        this.ended = true
        this.#note()
      })
    }
  }

  #read(piece: Buffer): void {
    const skipped = Math.min(this.#skip, piece.length)
    this.#skip -= skipped
    let bytes = Buffer.concat([this.#rest, piece.subarray(skipped)])
    while (bytes.length >= frameHeaderSize) {
      const end = frameHeaderSize + bytes.readUIntBE(0, 3)
      if (bytes.length < end) break
      this.#take(
        bytes[3] as number,
        bytes[4] as number,
        bytes.readUInt32BE(5),
        bytes.subarray(frameHeaderSize, end),
      )
      bytes = bytes.subarray(end)
    }
    this.#rest = bytes
    this.#note()
  }

  #take(type: number, flags: number, id: number, payload: Buffer): void {
    const whole = type === frameType.headers && (flags & flag.endHeaders) !== 0
    const fields = whole ? this.decoder.decode(payload, 0, payload.length).fields : undefined
    this.frames.push({ type, flags, id, payload, ...(fields === undefined ? {} : { fields }) })
    if (!this.answers || (flags & flag.ack) !== 0) return
    if (type === frameType.settings) this.send(frame(frameType.settings, flag.ack, 0))
    if (type === frameType.ping) this.send(frame(frameType.ping, flag.ack, 0, payload))
  }

  #note(): void {
    const wake = this.#wake
    this.#wake = []
    for (const run of wake) run()
  }

  send(...pieces: Buffer[]): this {
    if (!this.stream.destroyed && this.stream.writable) this.stream.write(Buffer.concat(pieces))
    return this
  }

  /** What a client begins with. */
  preface(...settings: number[]): this {
    return this.send(clientPreface, frame(frameType.settings, 0, 0, settingsPayload(...settings)))
  }

  settings(...pairs: number[]): this {
    return this.send(frame(frameType.settings, 0, 0, settingsPayload(...pairs)))
  }

  /** A header block's bytes. */
  block(fields: readonly string[]): Buffer {
    const bytes = Buffer.alloc(this.encoder.bound(fields))
    return bytes.subarray(0, this.encoder.encode(fields, bytes, 0))
  }

  headers(id: number, fields: readonly string[], ends = true): this {
    const flags = flag.endHeaders | (ends ? flag.endStream : 0)
    return this.send(frame(frameType.headers, flags, id, this.block(fields)))
  }

  data(id: number, payload: Buffer | string, ends = true): this {
    return this.send(frame(frameType.data, ends ? flag.endStream : 0, id, Buffer.from(payload)))
  }

  reset(id: number, code = 8): this {
    return this.send(frame(frameType.rstStream, 0, id, uint32(code)))
  }

  windowUpdate(id: number, increment: number): this {
    return this.send(frame(frameType.windowUpdate, 0, id, uint32(increment)))
  }

  ping(data = 'pingpong'): this {
    return this.send(frame(frameType.ping, 0, 0, Buffer.from(data, 'latin1')))
  }

  goaway(lastId: number, code = 0, debug = ''): this {
    return this.send(frame(frameType.goaway, 0, 0, Buffer.concat([uint32(lastId, code), Buffer.from(debug)])))
  }

  /** Waits for the first frame that satisfies, from those on that came already. */
  async until(
    satisfies: (frame: RawFrame) => boolean,
    what = 'the frame that is waited for',
  ): Promise<RawFrame> {
    for (let seen = 0; ;) {
      for (; seen < this.frames.length; seen++) {
        const found = this.frames[seen] as RawFrame
        if (satisfies(found)) return found
      }
      if (this.ended) throw new Error(`the connection ended without ${what}: ${this.summary()}`)
      await this.#change()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve))
  }

  /** The answer to a PING: everything that was sent before it has been dealt with. */
  async settled(mark = 'settled!'): Promise<void> {
    this.ping(mark)
    await this.until(
      ({ type, flags, payload }) =>
        type === frameType.ping && (flags & flag.ack) !== 0 && payload.toString('latin1') === mark,
      'the answer to a PING',
    )
  }

  async untilEnded(): Promise<void> {
    while (!this.ended) await this.#change()
  }

  /** Waits for the connection's end, and says with which code and message. */
  async goawayReceived(): Promise<{ lastId: number; code: number; debug: string }> {
    const { payload } = await this.until(({ type }) => type === frameType.goaway, 'GOAWAY')
    return {
      lastId: payload.readUInt32BE(0),
      code: payload.readUInt32BE(4),
      debug: payload.toString('utf8', 8),
    }
  }

  /** Waits for the RST_STREAM of a stream, and says with which code. */
  async resetReceived(id: number): Promise<number> {
    const found = await this.until(
      (received) => received.type === frameType.rstStream && received.id === id,
      `RST_STREAM of ${id}`,
    )
    return found.payload.readUInt32BE(0)
  }

  /** All DATA of a stream. */
  body(id: number): Buffer {
    return Buffer.concat(
      this.frames.filter((one) => one.type === frameType.data && one.id === id).map((one) => one.payload),
    )
  }

  /** Waits for END_STREAM of a stream: its answer's fields, body and trailers. */
  async answer(
    id: number,
  ): Promise<{ fields: readonly string[]; body: string; trailers: readonly string[] | undefined }> {
    await this.until(
      (one) => one.id === id && one.type <= 1 && (one.flags & flag.endStream) !== 0,
      `an answer on ${id}`,
    )
    const heads = this.frames.filter((one) => one.type === frameType.headers && one.id === id)
    const final = heads.findIndex((one) => !one.fields?.[1]?.startsWith('1'))
    return {
      fields: heads[final]?.fields ?? [],
      body: this.body(id).toString('latin1'),
      trailers: heads[final + 1]?.fields,
    }
  }

  /** What came, in short. */
  summary(): string {
    return this.frames.map(({ type, id, payload }) => `${type}@${id}(${payload.length})`).join(' ')
  }

  async close(): Promise<void> {
    if (this.stream.closed) return
    this.stream.destroy()
    await once(this.stream, 'close')
  }
}
