/**
 * HOT PATH. Header blocks, from HEADERS and as many CONTINUATION frames as it takes (RFC 9113 sections 4.3, 6.2, 6.10). Pure.
 * Neither bytes nor frames of a block come without end (CVE-2024-27316). Guarded by `bench/scenarios/grpc`.
 *
 *     HEADERS = [pad-length:8] [dependency:32 weight:8] block-fragment padding
 */
import { ConnectionError } from './connection-error.ts'
import { errorCode, flag, get31 } from './frames.ts'
import type { DecodedBlock, HpackDecoder } from './hpack/decoder.ts'

/** A head may come in so many bytes for each that it may have decoded, and then in so many frames. */
const mostFactor = 4
const mostFrames = 64

export class HeadAssembly {
  /** The stream of the block that is incomplete; 0: there is none. */
  openId = 0
  /** Of the block begun last: whether its stream ends with it, and whether it depends on itself. */
  ends = false
  selfDependent = false
  readonly #decoder: HpackDecoder
  readonly #most: number
  #pieces: Buffer[] = []
  #size = 0

  /**
   * @param headerSize The largest field list, in bytes.
   */
  constructor(decoder: HpackDecoder, headerSize: number) {
    this.#decoder = decoder
    this.#most = headerSize * mostFactor
  }

  /** HEADERS. Returns the block if it is complete. Throws ConnectionError, and HpackError. */
  begin(flags: number, id: number, bytes: Buffer, from: number, to: number): DecodedBlock | undefined {
    let start = from
    let end = to
    if (id === 0) throw new ConnectionError(errorCode.protocolError, 'HEADERS on stream 0')
    if ((flags & flag.padded) !== 0) {
      if (start === end) throw noRoom('padding')
      const padding = bytes[start++] as number
      if (padding > end - start) {
        throw new ConnectionError(errorCode.protocolError, 'HEADERS with too much padding')
      }
      end -= padding
    }
    this.selfDependent = false
    if ((flags & flag.priority) !== 0) {
      if (end - start < 5) throw noRoom('priority')
      this.selfDependent = get31(bytes, start) === id
      start += 5
    }
    this.ends = (flags & flag.endStream) !== 0
    if ((flags & flag.endHeaders) !== 0) return this.#decoder.decode(bytes, start, end)

    this.openId = id
    this.#pieces = [Buffer.from(bytes.subarray(start, end))]
    this.#size = end - start
    return undefined
  }

  /** CONTINUATION. Returns the block if it is complete. Throws ConnectionError, and HpackError. */
  continue(flags: number, bytes: Buffer, start: number, end: number): DecodedBlock | undefined {
    const pieces = this.#pieces
    if (this.openId === 0) {
      throw new ConnectionError(errorCode.protocolError, 'CONTINUATION without a header block to continue')
    }
    this.#size += end - start
    if (this.#size > this.#most || pieces.length > mostFrames) {
      throw new ConnectionError(
        errorCode.enhanceYourCalm,
        `a header block of ${this.#size} bytes in ${pieces.length} frames and more`,
      )
    }
    pieces.push(Buffer.from(bytes.subarray(start, end)))
    if ((flags & flag.endHeaders) === 0) return undefined
    this.openId = 0
    this.#pieces = []
    const whole = Buffer.concat(pieces)
    return this.#decoder.decode(whole, 0, whole.length)
  }
}

function noRoom(what: string): ConnectionError {
  return new ConnectionError(errorCode.frameSizeError, `HEADERS without room for ${what}`)
}
