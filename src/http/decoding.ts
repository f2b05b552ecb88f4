/**
 * Decompression of a body that is streamed: a sink before a sink. The total is bounded, and the compressed side waits
 * while the decompressor has its hands full.
 */
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import type { BodyFlow } from './body.ts'
import { type ContentCoding, decodingFailure, isZlib, tooLarge, zstdOptions } from './content-coding.ts'
import type { BodySink, HttpAbort } from './exchange.ts'
import { Gathered } from './gathered.ts'
import type { HttpHeaders } from './headers.ts'

/** A body that is being decompressed: give it to `receive` as the sink, and to the reader as the flow. */
export interface DecodingSink extends BodySink, BodyFlow {}

/**
 * Undoes `codings`, the last first, and passes at most `limit` bytes on to `sink`; `flow` is paused while the
 * decompressor is busy. The sink hears `too_large` past the limit, and `protocol` for bytes that are not in the coding.
 */
export function decoding(
  codings: readonly ContentCoding[],
  limit: number,
  sink: BodySink,
  flow: BodyFlow,
): DecodingSink {
  if (codings.length === 0)
    throw new RangeError('decoding() needs a coding; without one, use the sink itself')
  let next: BodySink = sink
  let last: Stage | undefined
  const stages = codings.map((coding, index) => {
    // Pausing travels towards the peer: each stage holds up the one before it, the outermost the exchange.
    const stage: Stage = new Stage(coding, limit, next, index === codings.length - 1 ? flow : undefined)
    if (last !== undefined) last.flow = stage
    last = stage
    next = stage
    return stage
  })
  const outer = stages.at(-1) as Stage
  const inner = stages[0] as Stage
  return {
    data: (bytes, start, end) => outer.data(bytes, start, end),
    end: (trailers) => outer.end(trailers),
    abort: (why) => outer.abort(why),
    pause: () => inner.pause(),
    resume: () => inner.resume(),
  }
}

/** Compressed bytes that may wait for the decompressor. */
const highWater = 16 * 1024

class Stage implements DecodingSink {
  flow: BodyFlow | undefined
  readonly #coding: ContentCoding
  readonly #limit: number
  readonly #sink: BodySink
  #transform: Transform | undefined
  /** What came while the decompressor was at work: small pieces are not given to it one by one. */
  readonly #pending = new Gathered()
  #working = false
  #flowPaused = false
  #ended = false
  #trailers: HttpHeaders | undefined
  #size = 0
  #over = false
  #paused = false

  constructor(coding: ContentCoding, limit: number, sink: BodySink, flow: BodyFlow | undefined) {
    this.#coding = coding
    this.#limit = limit
    this.#sink = sink
    this.flow = flow
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#over || start === end) return
    if (!this.#working) return this.#write(Buffer.from(bytes.subarray(start, end)))
    this.#pending.add(bytes, start, end)
    if (this.#pending.size <= highWater || this.#flowPaused) return
    this.#flowPaused = true
    this.flow?.pause()
  }

  #write(bytes: Buffer): void {
    const transform = this.#transform ?? this.#open(bytes)
    this.#working = true
    transform.write(bytes, () => this.#written())
  }

  #written(): void {
    this.#working = false
    if (this.#over) return
    if (this.#pending.size > 0) this.#write(this.#pending.take())
    else if (this.#ended) this.#transform?.end()
    this.#goOn()
  }

  #goOn(): void {
    if (!this.#flowPaused) return
    this.#flowPaused = false
    this.flow?.resume()
  }

  #open(first: Buffer): Transform {
    const transform = decompressor(this.#coding, first)
    this.#transform = transform
    transform.on('data', (piece: Buffer) => this.#forward(piece))
    transform.on('end', () => this.#finish(undefined))
    transform.on('error', (error) => this.#finish(decodingFailure(this.#coding, error, this.#limit)))
    if (this.#paused) transform.pause()
    return transform
  }

  #forward(piece: Buffer): void {
    if (this.#over) return
    this.#size += piece.length
    if (this.#size > this.#limit) this.#finish(tooLarge(this.#limit))
    else this.#sink.data(piece, 0, piece.length)
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    this.#trailers = trailers
    this.#ended = true
    if (this.#transform === undefined) this.#finish(undefined)
    else if (!this.#working) this.#transform.end()
  }

  abort(why: HttpAbort): void {
    this.#finish(why)
  }

  #finish(why: HttpAbort | undefined): void {
    if (this.#over) return
    this.#over = true
    if (why === undefined) return this.#sink.end(this.#trailers)
    this.#transform?.destroy()
    this.#pending.clear()
    this.#goOn()
    this.#sink.abort(why)
  }

  pause(): void {
    this.#paused = true
    this.#transform?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#transform?.resume()
  }
}

function decompressor(coding: ContentCoding, first: Buffer): Transform {
  if (coding === 'gzip') return zlib.createGunzip()
  if (coding === 'zstd') return zlib.createZstdDecompress(zstdOptions)
  if (coding === 'br') return zlib.createBrotliDecompress()
  return isZlib(first) ? zlib.createInflate() : zlib.createInflateRaw()
}
