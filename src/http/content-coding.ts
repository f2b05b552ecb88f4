/**
 * Content codings (RFC 9110 sections 8.4, 12.5.3; br: RFC 7932, zstd: RFC 8878): the choice by Accept-Encoding, and
 * compression of complete bodies. Everything that is decompressed has a bound, so that no small body becomes a large one.
 */
import zlib from 'node:zlib'
import type { HttpAbort } from './exchange.ts'
import { parseWeighted, splitList } from './quality.ts'

export type ContentCoding = 'zstd' | 'br' | 'gzip' | 'deflate'

/** In the order of preference among equals: what costs least for what it saves. */
export const contentCodings: readonly ContentCoding[] = ['zstd', 'br', 'gzip', 'deflate']

/** Codings one behind the other that are undone; nobody honest sends more than one. */
const mostLayers = 2

const aliases: ReadonlyMap<string, ContentCoding> = new Map([
  ['zstd', 'zstd'],
  ['br', 'br'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
])

/**
 * The coding for an answer: the client's favourite among `offers`, of equals the first offer; `identity` when none is
 * wanted or no Accept-Encoding came; `undefined` when the client refuses identity too (`identity;q=0`, `*;q=0`) and
 * nothing is left.
 */
export function negotiateEncoding(
  acceptEncoding: string | undefined,
  offers: readonly ContentCoding[] = contentCodings,
): ContentCoding | 'identity' | undefined {
  if (acceptEncoding === undefined) return 'identity'
  const weights = new Map<string, number>()
  for (const { value, weight } of parseWeighted(acceptEncoding)) {
    const name = value.toLowerCase()
    weights.set(aliases.get(name) ?? name, weight)
  }

  const any = weights.get('*') ?? 0
  let best: ContentCoding | undefined
  let most = 0
  for (const offer of offers) {
    const weight = weights.get(offer) ?? any
    if (weight > most) {
      best = offer
      most = weight
    }
  }

  const identity = weights.get('identity') ?? (weights.get('*') === 0 ? 0 : undefined)
  if (best !== undefined && most >= (identity ?? 0)) return best
  return identity === 0 ? undefined : 'identity'
}

/**
 * The codings of a Content-Encoding field, in the order they were applied; empty for none. `undefined` when one is
 * unknown (415, with Accept-Encoding naming `contentCodings`).
 */
export function parseContentEncoding(text: string | undefined): readonly ContentCoding[] | undefined {
  if (text === undefined) return []
  const codings: ContentCoding[] = []
  for (const part of splitList(text)) {
    const name = part.toLowerCase()
    if (name === 'identity') continue
    const coding = aliases.get(name)
    if (coding === undefined || codings.length === mostLayers) return undefined
    codings.push(coding)
  }
  return codings
}

/** Compresses a complete body, off the event loop's thread. */
export function encode(
  coding: ContentCoding,
  body: Buffer | string,
  done: (encoded: Buffer | undefined, error: Error | undefined) => void,
): void {
  const finish = (error: Error | null, result: Buffer) =>
    error === null ? done(result, undefined) : done(undefined, error)
  if (coding === 'gzip') zlib.gzip(body, { level: 5 }, finish)
  else if (coding === 'deflate') zlib.deflate(body, { level: 5 }, finish)
  else if (coding === 'zstd') zlib.zstdCompress(body, finish)
  else {
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants
    zlib.brotliCompress(
      body,
      { params: { [BROTLI_PARAM_QUALITY]: 4, [BROTLI_PARAM_SIZE_HINT]: size } },
      finish,
    )
  }
}

/**
 * Undoes the codings of a complete body, the last first, each result bounded by `limit` bytes. Calls back with the
 * body, or with `too_large`, or with `protocol` when the bytes are not what the coding says.
 */
export function decode(
  codings: readonly ContentCoding[],
  body: Buffer,
  limit: number,
  done: (decoded: Buffer | undefined, why: HttpAbort | undefined) => void,
): void {
  const coding = codings.at(-1)
  if (coding === undefined) return done(body, undefined)
  decompress(coding, body, limit, (error, result) => {
    if (error !== null) done(undefined, decodingFailure(coding, error, limit))
    else decode(codings.slice(0, -1), result, limit, done)
  })
}

/**
 * A window of at most 8 MiB, as RFC 9659 has it for HTTP: a few bytes could demand 128 MiB.
 */
export const zstdOptions = { params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } }

function decompress(
  coding: ContentCoding,
  body: Buffer,
  limit: number,
  done: (error: Error | null, result: Buffer) => void,
): void {
  const options = { maxOutputLength: limit }
  if (coding === 'gzip') zlib.gunzip(body, options, done)
  else if (coding === 'zstd') zlib.zstdDecompress(body, { ...zstdOptions, ...options }, done)
  else if (coding === 'br') zlib.brotliDecompress(body, options, done)
  else if (isZlib(body)) zlib.inflate(body, options, done)
  else zlib.inflateRaw(body, options, done)
}

/** `deflate` means the zlib format (RFC 1950); some peers leave its header away. */
export function isZlib(body: Buffer): boolean {
  if (body.length < 2) return true
  return ((body[0] as number) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0
}

/** What an error of zlib means to the exchange. */
export function decodingFailure(coding: ContentCoding, error: Error, limit: number): HttpAbort {
  if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(limit)
  return {
    reason: 'protocol',
    message: `the body is not valid ${coding}: ${error.message}`,
    processed: 'maybe',
  }
}

/** A body that passes its bound. */
export function tooLarge(limit: number): HttpAbort {
  return { reason: 'too_large', message: `the body is larger than ${limit} bytes`, processed: 'maybe' }
}
