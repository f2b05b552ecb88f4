/**
 * HOT PATH. Call metadata, deadlines and trailers as HTTP header fields. Guarded by `bench/scenarios/rest-server`.
 *
 *     trunkline-timeout = 1*9DIGIT ( "ms" / "s" / "m" / "h" )      how long the caller will wait
 *     x-tenant          = text                                     metadata, either way; traceparent and the like too
 *     x-signature-bin   = base64 *( "," base64 )                   bytes
 *     trailer-x-count   = text                                     trailers of a unary answer, which has no others
 *
 * Header fields that describe the hop or the browser are no metadata, see `noise`.
 */
import { Metadata, isMetadataName } from '../../call/metadata.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { parseBase64 } from '../../codec/json/base64.ts'

/** What a server needs of a request's header fields, found in one pass. */
export interface RequestHeaders {
  accept: string | undefined
  acceptEncoding: string | undefined
  contentType: string | undefined
  contentEncoding: string | undefined
  /** Whether Content-Length or Transfer-Encoding announce a body. */
  announced: boolean
  /** Milliseconds; `undefined` without the header; NaN when it is malformed. */
  timeout: number | undefined
  /** Whether the peer reads HTTP trailers. */
  trailers: boolean
  metadata: Metadata | undefined
  /** A `-bin` header that is no base64. */
  malformed: string | undefined
}

/** Fields of requests that no handler needs: about the hop, the agent, caches and browsers. */
const noise = new Set([
  'accept-charset',
  'accept-language',
  'cache-control',
  'cookie',
  'date',
  'dnt',
  'from',
  'max-forwards',
  'origin',
  'pragma',
  'priority',
  'range',
  'referer',
  'upgrade-insecure-requests',
  'user-agent',
  'via',
  'warning',
])

/** Fields of answers that a server or proxy adds for itself. */
const serverNoise = new Set([
  'accept-ranges',
  'age',
  'alt-svc',
  'date',
  'server',
  'vary',
  'via',
  'x-powered-by',
])

const trailerPrefix = 'trailer-'

/** Reads a request's header fields; those in `taken` are fields of the input and no metadata. */
export function readRequestHeaders(
  headers: HttpHeaders,
  taken: ReadonlySet<string> | undefined,
): RequestHeaders {
  const read: RequestHeaders = {
    accept: undefined,
    acceptEncoding: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    announced: false,
    timeout: undefined,
    trailers: false,
    metadata: undefined,
    malformed: undefined,
  }

  const { list } = headers
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string

    switch (name) {
      case 'host':
      case 'connection':
      case 'user-agent':
        break
      case 'accept':
        read.accept = join(read.accept, value)
        break
      case 'accept-encoding':
        read.acceptEncoding = join(read.acceptEncoding, value)
        break
      case 'content-type':
        read.contentType = value
        break
      case 'content-encoding':
        read.contentEncoding = join(read.contentEncoding, value)
        break
      case 'content-length':
        read.announced ||= value !== '0'
        break
      case 'transfer-encoding':
        read.announced = true
        break
      case 'trunkline-timeout':
        read.timeout = parseTimeout(value)
        break
      case 'te':
        read.trailers = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value)
        break
      default:
        if (noise.has(name) || name.startsWith('sec-') || name.startsWith('if-')) break
        if (!isMetadataName(name) || taken?.has(name) === true) break
        read.metadata ??= new Metadata()
        if (!receive(read.metadata, name, value)) read.malformed = name
    }
  }

  return read
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`
}

/** Adds a field as it came; false when it should be base64 and is not. */
function receive(metadata: Metadata, name: string, value: string): boolean {
  if (!name.endsWith('-bin')) {
    metadata.received(name, value)
    return true
  }

  for (const part of value.split(',')) {
    const bytes = parseBase64(part.trim())
    if (bytes === undefined) return false
    metadata.received(name, bytes)
  }
  return true
}

const timeoutGrammar = /^(\d{1,9})(ms|s|m|h)$/
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Milliseconds of `trunkline-timeout`; NaN when it is malformed. */
export function parseTimeout(text: string): number {
  const parts = timeoutGrammar.exec(text)
  if (parts === null) return Number.NaN
  return Number(parts[1]) * (units[parts[2] as string] as number)
}

/** The longest time the header can say. */
const longest = 999_999_999

/** The header's value for a rest of time in milliseconds, rounded up. */
export function formatTimeout(milliseconds: number): string {
  return `${Math.min(longest, Math.max(0, Math.ceil(milliseconds)))}ms`
}

/** What an application can put into a field without breaking the message; RFC 9110, 5.5. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Appends metadata to a list of header fields. What no header can carry is left out. */
export function writeMetadata(list: string[], metadata: Metadata | undefined, prefix = ''): void {
  if (metadata === undefined || metadata.size === 0) return
  const { flat } = metadata

  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string
    const value = flat[i + 1]
    if (!isMetadataName(name)) continue
    if (typeof value === 'string') {
      if (fieldValue.test(value)) list.push(prefix + name, value)
    } else {
      list.push(
        prefix + name,
        Buffer.from(value as Uint8Array)
          .toString('base64')
          .replace(/=+$/, ''),
      )
    }
  }
}

/** Trailers of an answer that has no others: header fields with a prefix. */
export function writeTrailersAsHeaders(list: string[], trailers: Metadata | undefined): void {
  writeMetadata(list, trailers, trailerPrefix)
}

/** Real HTTP trailers; `undefined` when there are none. */
export function httpTrailers(trailers: Metadata | undefined): HttpHeaders | undefined {
  if (trailers === undefined || trailers.size === 0) return undefined
  const list: string[] = []
  writeMetadata(list, trailers)
  return new HttpHeaders(list)
}

/** Metadata and trailers of an answer. */
export interface ReplyMetadata {
  readonly metadata: Metadata | undefined
  readonly trailers: Metadata | undefined
}

/** Reads an answer's header fields. */
export function readReplyHeaders(headers: HttpHeaders): ReplyMetadata {
  let metadata: Metadata | undefined
  let trailers: Metadata | undefined
  const { list } = headers

  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string
    if (serverNoise.has(name)) continue
    if (name.startsWith(trailerPrefix)) {
      const own = name.slice(trailerPrefix.length)
      if (isMetadataName(own)) receive((trailers ??= new Metadata()), own, value)
    } else if (isMetadataName(name)) {
      receive((metadata ??= new Metadata()), name, value)
    }
  }

  return { metadata, trailers }
}

/** Adds real HTTP trailers to those that came as header fields. */
export function readTrailers(
  trailers: HttpHeaders | undefined,
  into: Metadata | undefined,
): Metadata | undefined {
  if (trailers === undefined) return into
  let metadata = into
  for (const [name, value] of trailers) {
    if (isMetadataName(name)) receive((metadata ??= new Metadata()), name, value)
  }
  return metadata
}
