/**
 * HOT PATH. Cuts a byte stream into frames, whatever pieces it comes in. Pure. Frames that lie within a piece are handed
 * over where they lie; DATA is handed over as it comes and never gathered; others are gathered when they are cut.
 * Guarded by `bench/scenarios/grpc`.
 *
 *     header → payload → header …
 *            └ DATA: [pad-length] → data → padding → header …
 */
import { ConnectionError } from './connection-error.ts'
import { errorCode, flag, frameHeaderSize, frameType, get31 } from './frames.ts'

/** Bytes are borrowed: valid during the call only. */
export interface FrameSink {
  /** A frame that is not DATA. */
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void
  /** A DATA frame begins; `length` is what it takes from the windows, its padding included. */
  dataBegins(flags: number, id: number, length: number, padding: number): void
  /** A part of its data. */
  data(bytes: Buffer, start: number, end: number): void
  /** The DATA frame is complete. */
  dataEnds(): void
}

export class FrameReader {
  /** Frames begun so far, and so the name of the one that is incomplete. */
  begun = 0
  /** Set to end reading in the midst of a piece. */
  stopped = false
  readonly #sink: FrameSink
  readonly #maxSize: number
  readonly #header = Buffer.allocUnsafeSlow(frameHeaderSize)
  #headerRead = 0
  #type = 0
  #flags = 0
  #id = 0
  /** Of the payload, what has not come yet; below 0: between frames. */
  #missing = -1
  #gathered: Buffer | undefined
  /** Of a DATA frame. */
  #padding = 0
  #padLengthRead = true

  /**
   * @param maxSize The largest payload, in bytes.
   */
  constructor(sink: FrameSink, maxSize: number) {
    this.#sink = sink
    this.#maxSize = maxSize
  }

  /** Whether a frame that is not DATA was begun and is not complete. */
  get partialHead(): boolean {
    return this.#headerRead > 0 || (this.#missing >= 0 && this.#type !== frameType.data)
  }

  /** Reads a piece to its end. Throws ConnectionError; and nothing can be read after that. */
  read(bytes: Buffer, from: number): void {
    const { length } = bytes
    let at = from
    while (at < length && !this.stopped) {
      if (this.#missing >= 0) at = this.#readRest(bytes, at)
      else if (this.#headerRead > 0 || length - at < frameHeaderSize) at = this.#gatherHeader(bytes, at)
      else at = this.#readFrame(bytes, at)
    }
  }

  #readFrame(bytes: Buffer, at: number): number {
    const payload = at + frameHeaderSize
    const size = this.#begin(bytes, at)
    const end = payload + size
    if (this.#type === frameType.data || end > bytes.length) {
      this.#missing = size
      return this.#readRest(bytes, payload)
    }
    this.#sink.frame(this.#type, this.#flags, this.#id, bytes, payload, end)
    return end
  }

  /** Takes a header apart; returns the payload's size. */
  #begin(bytes: Buffer, at: number): number {
    const size = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    this.begun++
    this.#type = bytes[at + 3] as number
    this.#flags = bytes[at + 4] as number
    this.#id = get31(bytes, at + 5)
    if (size > this.#maxSize) {
      throw new ConnectionError(
        errorCode.frameSizeError,
        `a frame of ${size} bytes; SETTINGS_MAX_FRAME_SIZE is ${this.#maxSize}`,
      )
    }
    if (this.#type === frameType.data) this.#beginData(size)
    return size
  }

  #gatherHeader(bytes: Buffer, at: number): number {
    const taken = Math.min(frameHeaderSize - this.#headerRead, bytes.length - at)
    bytes.copy(this.#header, this.#headerRead, at, at + taken)
    this.#headerRead += taken
    if (this.#headerRead === frameHeaderSize) {
      this.#headerRead = 0
      this.#missing = this.#begin(this.#header, 0)
      if (this.#missing === 0) this.#readRest(bytes, at + taken)
    }
    return at + taken
  }

  #readRest(bytes: Buffer, at: number): number {
    if (this.#type === frameType.data) return this.#readData(bytes, at)
    const missing = this.#missing
    const taken = Math.min(missing, bytes.length - at)
    const end = at + taken

    if (this.#gathered === undefined && taken === missing) {
      this.#missing = -1
      this.#sink.frame(this.#type, this.#flags, this.#id, bytes, at, end)
      return end
    }
    this.#gathered ??= Buffer.allocUnsafe(missing)
    const gathered = this.#gathered
    bytes.copy(gathered, gathered.length - missing, at, end)
    this.#missing = missing - taken
    if (this.#missing === 0) {
      this.#missing = -1
      this.#gathered = undefined
      this.#sink.frame(this.#type, this.#flags, this.#id, gathered, 0, gathered.length)
    }
    return end
  }

  #beginData(size: number): void {
    this.#padding = 0
    this.#padLengthRead = (this.#flags & flag.padded) === 0
    if (this.#padLengthRead) this.#sink.dataBegins(this.#flags, this.#id, size, 0)
    else if (size === 0) {
      throw new ConnectionError(errorCode.frameSizeError, 'a padded DATA frame without room for its padding')
    }
  }

  #readData(bytes: Buffer, from: number): number {
    let at = from
    if (!this.#padLengthRead) {
      if (at === bytes.length) return at
      const padding = bytes[at++] as number
      const size = this.#missing
      if (padding >= size) {
        throw new ConnectionError(
          errorCode.protocolError,
          `a DATA frame of ${size} bytes with ${padding} of padding`,
        )
      }
      this.#padLengthRead = true
      this.#padding = padding
      this.#missing = size - 1
      this.#sink.dataBegins(this.#flags, this.#id, size, padding + 1)
    }
    // What the frame's beginning led to may have ended the connection.
    if (this.stopped) return bytes.length

    const available = bytes.length - at
    const data = Math.min(this.#missing - this.#padding, available)
    if (data > 0) {
      this.#missing -= data
      this.#sink.data(bytes, at, at + data)
      at += data
    }
    if (this.#missing <= this.#padding) {
      const padding = Math.min(this.#missing, bytes.length - at)
      this.#missing -= padding
      this.#padding = this.#missing
      at += padding
    }
    if (this.#missing === 0) {
      this.#missing = -1
      this.#sink.dataEnds()
    }
    return at
  }
}
