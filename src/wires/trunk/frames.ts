/**
 * HOT PATH. The frames of trunk: their grammar, how one is written, and how bytes become frames again.
 * Guarded by `bench/scenarios/trunk`. The whole protocol is described in docs/trunk-protocol.md.
 *
 *     connection  = magic *frame                      ; from the client; the server sends frames only
 *     magic       = %xF5 "trunk" CR LF                ; no HTTP method, no "PRI", no TLS record begins with F5
 *     frame       = length type flags stream body
 *     length      = 3 OCTET                           ; of body, big-endian
 *     type        = OCTET
 *     flags       = OCTET                             ; a bit that the type does not define must be zero
 *     stream      = generation slot | 4 %x00          ; zero: the connection itself
 *     generation  = 2 OCTET                           ; 1 to 65535, then 1 again; one more for each use of a slot
 *     slot        = 2 OCTET
 *
 *     open        = method timeout [ metadata ] [ message ]
 *     data        = [ metadata ] [ trailers ] [ message ]
 *     credit      = 4 OCTET                           ; bytes, big-endian, at least 1; see frameCost
 *     ping, pong  = 8 OCTET
 *     cancel      = code text
 *     goaway      = code opens text
 *     hello, error, describe, description: see hello.ts, error-frame.ts
 */
import type { Writer } from '../../codec/writer.ts'
import { ProtocolError } from './protocol-error.ts'

export const magic: Buffer = Buffer.from([0xf5, 0x74, 0x72, 0x75, 0x6e, 0x6b, 0x0d, 0x0a])

export const protocolVersion = 1

export const frameType = {
  hello: 1,
  open: 2,
  data: 3,
  error: 4,
  cancel: 5,
  credit: 6,
  ping: 7,
  pong: 8,
  goaway: 9,
  describe: 10,
  description: 11,
} as const

export const flag = {
  /** OPEN, DATA: nothing follows in this direction. GOAWAY: the connection closes now. */
  end: 0x01,
  /** OPEN, DATA, DESCRIPTION: the message goes on in the next frame of this stream. */
  more: 0x02,
  /** OPEN, DATA: the body ends with a message or a part of one. */
  message: 0x04,
  metadata: 0x08,
  trailers: 0x10,
  /** Reserved for compression; must be zero in this version. */
  compressed: 0x80,
} as const

export const frameHeader = 9

/** The longest part of a message in one frame, so that a large message lets others pass. */
export const fragmentSize = 32 * 1024

/** What a frame with a message, or a part of one, costs beside its bytes: about what a receiver keeps for it. */
export const messageOverhead = 32

/**
 * What a frame with `size` bytes of a message takes from the credit of its stream and of the connection. It may be sent
 * when both are more than 0 and at least `size`, and so may leave them below 0 by as much as the overhead: a window of
 * any size lets a message through.
 */
export function frameCost(size: number): number {
  return size + messageOverhead
}

/** What a peer may put into one frame unless it was told otherwise. */
export const defaultFrameSize = 64 * 1024

/** The flags each type defines, by type; `undefined`: no such type. */
const allowedFlags: readonly (number | undefined)[] = [
  undefined,
  0,
  flag.end | flag.more | flag.message | flag.metadata,
  flag.end | flag.more | flag.message | flag.metadata | flag.trailers,
  0,
  0,
  0,
  0,
  0,
  flag.end,
  0,
  flag.more,
]

/** Types that belong to the connection, and so must name stream 0; the others must name one. CREDIT may do either. */
const connectionTypes: readonly boolean[] = [
  false,
  true,
  false,
  false,
  false,
  false,
  false,
  true,
  true,
  true,
  true,
  true,
]

/** Who receives frames. The bytes are borrowed: valid until the method returns, unless they are kept on purpose. */
export interface FrameSink {
  /** True once no more frames are wanted. */
  readonly closed: boolean
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void
}

/**
 * Cuts a stream of bytes into frames. A frame that lies in one chunk is handed on where it is; one that is spread over
 * several is gathered first, in a buffer of exactly its size.
 */
export class FrameReader {
  #limit: number
  /** The frame that is being gathered, or its header. */
  #held: Buffer | undefined
  #have = 0
  /** Frames that were spread over several chunks; tells one such frame from the next. */
  begun = 0

  /**
   * @param limit The largest body that is accepted, in bytes.
   */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Changes the largest body that is accepted, from the next frame on. */
  set limit(limit: number) {
    this.#limit = limit
  }

  /** Whether a frame has begun and is not complete. */
  get partial(): boolean {
    return this.#have > 0
  }

  /**
   * Reads a chunk.
   * @throws ProtocolError when the bytes are no frames.
   */
  read(chunk: Buffer, sink: FrameSink): void {
    let at = this.#have > 0 ? this.#gather(chunk, 0, sink) : 0
    const length = chunk.length

    while (length - at >= frameHeader) {
      if (sink.closed) return
      const size = this.#size(chunk, at)
      const end = at + frameHeader + size
      if (end > length) break
      dispatch(chunk, at, end, sink)
      at = end
    }

    if (at < length && !sink.closed) this.#gather(chunk, at, sink)
  }

  /** Adds to the frame that is being gathered; returns how far the chunk was used. */
  #gather(chunk: Buffer, from: number, sink: FrameSink): number {
    let at = from
    if (this.#have === 0) this.begun++

    if (this.#have < frameHeader) {
      this.#held ??= Buffer.allocUnsafe(frameHeader)
      const taken = chunk.copy(this.#held, this.#have, at, at + frameHeader - this.#have)
      this.#have += taken
      at += taken
      if (this.#have < frameHeader) return at

      const whole = Buffer.allocUnsafe(frameHeader + this.#size(this.#held, 0))
      this.#held.copy(whole)
      this.#held = whole
    }

    const held = this.#held as Buffer
    const taken = chunk.copy(held, this.#have, at, at + held.length - this.#have)
    this.#have += taken
    at += taken
    if (this.#have < held.length) return at

    this.#held = undefined
    this.#have = 0
    dispatch(held, 0, held.length, sink)
    return at
  }

  /** The size of the body; refuses what cannot be the head of a frame before any of the body is waited for. */
  #size(bytes: Buffer, at: number): number {
    const size = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    const type = bytes[at + 3] as number
    if (allowedFlags[type] === undefined) throw new ProtocolError(`unknown frame type ${type}`)
    if (size > this.#limit) {
      throw new ProtocolError(`a frame of ${size} bytes is longer than the ${this.#limit} that were agreed`)
    }
    return size
  }
}

function dispatch(bytes: Buffer, at: number, end: number, sink: FrameSink): void {
  const type = bytes[at + 3] as number
  const flags = bytes[at + 4] as number
  const id =
    (((bytes[at + 5] as number) << 24) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 8) |
      (bytes[at + 8] as number)) >>>
    0

  if ((flags & ~(allowedFlags[type] as number)) !== 0) {
    throw new ProtocolError(`flags 0x${flags.toString(16)} of frame type ${type} are not defined`)
  }

  if (connectionTypes[type] ? id !== 0 : id === 0 && type !== frameType.credit) {
    throw new ProtocolError(`frame type ${type} on stream ${id}`)
  }

  sink.frame(type, flags, id, bytes, at + frameHeader, end)
}

/** Writes a frame's header, its length to be patched by `finishFrame`; returns where the frame begins. */
export function beginFrame(writer: Writer, type: number, flags: number, id: number): number {
  writer.reserve(frameHeader)
  const bytes = writer.bytes
  const at = writer.position
  bytes[at + 3] = type
  bytes[at + 4] = flags
  bytes[at + 5] = id >>> 24
  bytes[at + 6] = id >>> 16
  bytes[at + 7] = id >>> 8
  bytes[at + 8] = id
  writer.position = at + frameHeader
  return at
}

/** Patches the length of the frame that begins at `start`. */
export function finishFrame(writer: Writer, start: number): void {
  const bytes = writer.bytes
  const size = writer.position - start - frameHeader
  bytes[start] = size >>> 16
  bytes[start + 1] = size >>> 8
  bytes[start + 2] = size
}

/** Replaces the flags of the frame that begins at `start`. */
export function patchFlags(writer: Writer, start: number, flags: number): void {
  writer.bytes[start + 4] = flags
}
