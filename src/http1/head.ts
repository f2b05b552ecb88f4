/**
 * HOT PATH. The heads of requests and responses, from one Latin-1 string without its last empty line. Strict where
 * leniency lets two readers disagree about where a message ends. Guarded by `bench/systems/http1-raw-server.ts`.
 *
 *     HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]          RFC 9112 section 2.1
 *     request-line = method SP request-target SP HTTP-version                             section 3
 *     status-line  = HTTP-version SP status-code SP [ reason-phrase ]                     section 4
 *     field-line   = field-name ":" OWS field-value OWS                                   section 5
 *     request-target = origin-form / absolute-form / authority-form / asterisk-form       section 3.2
 *
 * obs-fold, bare CR, bare LF and white space before the colon are refused (sections 2.2, 5.1, 5.2).
 */
import { isAuthority, parseAbsoluteTarget } from '../http/authority.ts'
import { isFieldValue, isToken, lowerName } from '../http/field.ts'
import { HttpHeaders } from '../http/headers.ts'
import { failure, type MessageFailure } from './failure.ts'
import type { MessageLimits } from './limits.ts'

/** How long a body is: bytes, or one of these. */
export const chunked = -1
export const untilClose = -2

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly version: '1.0' | '1.1'
  readonly headers: HttpHeaders
  /** Bytes, or `chunked`. */
  readonly length: number
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
  /** Whether an upgrade was asked for (RFC 9110 section 7.8). */
  readonly upgrade: boolean
}

export interface ResponseHead {
  readonly status: number
  readonly headers: HttpHeaders
  /** Bytes, `chunked` or `untilClose`. */
  readonly length: number
  readonly keepAlive: boolean
}

/** What the fields say about the message itself; one is filled anew for each head. */
class Framing {
  host: string | undefined
  length = 0
  hasLength = false
  isChunked = false
  close = false
  keepAlive = false
  upgrade = false
  upgradeNamed = false
  expect: string | undefined
  /** Servers repeat Content-Length now and then; for requests that is a smuggling attempt. */
  readonly lenientLength: boolean

  constructor(lenientLength: boolean) {
    this.lenientLength = lenientLength
  }
}

const methods = new Set(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'TRACE'])
const longestMethod = 32
const targetShape = /^[\x21\x22\x24-\x7e]+$/
const decimal = /^[0-9]{1,15}$/

/** The last authority that was valid: peers repeat themselves. */
let knownAuthority = ''

/** Reads a request's head. */
export function parseRequestHead(text: string, limits: MessageLimits): RequestHead | MessageFailure {
  const newline = text.indexOf('\r\n')
  const lineEnd = newline < 0 ? text.length : newline
  if (lineEnd > limits.startLine) {
    return failure(414, `the request line is longer than ${limits.startLine} bytes`)
  }

  const space = text.indexOf(' ')
  const targetEnd = lineEnd - 9
  if (space <= 0 || targetEnd <= space) {
    return failure(400, 'the request line is not "method SP target SP HTTP-version"')
  }
  const method = text.slice(0, space)
  if (!methods.has(method) && (method.length > longestMethod || !isToken(method))) {
    return failure(400, 'the method is not a token')
  }
  if (!text.startsWith(' HTTP/', targetEnd)) {
    return failure(400, 'the request line does not end with SP and an HTTP version')
  }
  const version = text.slice(targetEnd + 6, lineEnd)
  if (version !== '1.1' && version !== '1.0') {
    if (!/^[0-9]\.[0-9]$/.test(version)) return failure(400, 'the HTTP version is malformed')
    return failure(505, `HTTP/${version} is not served on this connection; use HTTP/1.1`)
  }
  const target = text.slice(space + 1, targetEnd)
  if (!targetShape.test(target)) {
    return failure(400, 'the request target has a character that must be percent-encoded')
  }

  const list: string[] = []
  const framing = new Framing(false)
  const wrong = parseFields(text, lineEnd + 2, limits.headerCount, list, framing)
  if (wrong !== undefined) return wrong
  return finishRequest(method, target, version, list, framing)
}

function finishRequest(
  method: string,
  target: string,
  version: '1.0' | '1.1',
  list: string[],
  framing: Framing,
): RequestHead | MessageFailure {
  const { host, isChunked } = framing
  const modern = version === '1.1'
  if (host === undefined) {
    if (modern) return failure(400, 'the Host field is missing')
  } else if (host !== knownAuthority) {
    if (!isAuthority(host)) return failure(400, 'the Host field is not host[:port]')
    knownAuthority = host
  }
  if (isChunked && framing.hasLength) {
    return failure(400, 'both Transfer-Encoding and Content-Length are given')
  }
  if (isChunked && !modern) return failure(400, 'Transfer-Encoding is not part of HTTP/1.0')

  let authority = host ?? ''
  let path = target
  if (target.charCodeAt(0) !== 0x2f) {
    if (method === 'CONNECT') return failure(400, 'CONNECT is not served: this is no proxy')
    if (target === '*') {
      if (method !== 'OPTIONS') return failure(400, 'the target * is for OPTIONS only')
    } else {
      const absolute = parseAbsoluteTarget(target)
      if (absolute === undefined) return failure(400, 'the request target is neither a path nor an http URL')
      if (host !== undefined && host.toLowerCase() !== absolute.authority.toLowerCase()) {
        return failure(400, 'the Host field differs from the authority of the request target')
      }
      authority = absolute.authority
      path = absolute.target
    }
  } else if (method === 'CONNECT') return failure(400, 'CONNECT is not served: this is no proxy')

  let expectsContinue = false
  if (framing.expect !== undefined && modern) {
    if (framing.expect.toLowerCase() !== '100-continue') {
      return failure(417, 'the only expectation that can be met is 100-continue')
    }
    expectsContinue = isChunked || framing.length > 0
  }

  return {
    method,
    target: path,
    authority,
    version,
    headers: new HttpHeaders(list),
    length: isChunked ? chunked : framing.length,
    keepAlive: modern ? !framing.close : framing.keepAlive && !framing.close,
    expectsContinue,
    upgrade: framing.upgrade && framing.upgradeNamed && modern,
  }
}

const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/

/** Reads a response's head. `bodiless`: it answers HEAD, so that what it says of its length does not count. */
export function parseResponseHead(
  text: string,
  limits: MessageLimits,
  bodiless: boolean,
): ResponseHead | MessageFailure {
  const newline = text.indexOf('\r\n')
  const lineEnd = newline < 0 ? text.length : newline
  if (lineEnd > limits.startLine) {
    return failure(431, `the status line is longer than ${limits.startLine} bytes`)
  }
  const line = statusLine.exec(text.slice(0, lineEnd))
  if (line === null) return failure(400, 'the status line is not "HTTP/1.1 SP status SP reason"')
  const modern = line[1] === '1'
  const status = Number(line[2])

  const list: string[] = []
  const framing = new Framing(true)
  const wrong = parseFields(text, lineEnd + 2, limits.headerCount, list, framing)
  if (wrong !== undefined) return wrong
  const { isChunked } = framing
  if (isChunked && framing.hasLength) {
    return failure(400, 'both Transfer-Encoding and Content-Length are given')
  }
  if (isChunked && !modern) return failure(400, 'Transfer-Encoding is not part of HTTP/1.0')

  let length = isChunked ? chunked : framing.hasLength ? framing.length : untilClose
  if (bodiless || status < 200 || status === 204 || status === 304) length = 0
  const keepAlive = modern ? !framing.close : framing.keepAlive && !framing.close
  return { status, headers: new HttpHeaders(list), length, keepAlive: keepAlive && length !== untilClose }
}

const framingFields = new Set(['content-length', 'transfer-encoding'])

/** Fields that trailers must not change (RFC 9110 section 6.5.1); they are dropped, framing is refused. */
const notInTrailers = new Set([
  'host',
  'connection',
  'trailer',
  'te',
  'expect',
  'upgrade',
  'content-encoding',
  'content-type',
  'content-range',
  'authorization',
  'set-cookie',
])

/** Reads a trailer section without its last empty line. */
export function parseTrailers(text: string, limits: MessageLimits): HttpHeaders | MessageFailure {
  const list: string[] = []
  const wrong = parseFields(text, 0, limits.headerCount, list, undefined)
  if (wrong !== undefined) return wrong
  const kept: string[] = []
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    if (framingFields.has(name)) return failure(400, `the trailers have the field ${name}`)
    if (!notInTrailers.has(name)) kept.push(name, list[i + 1] as string)
  }
  return new HttpHeaders(kept)
}

export function isFailure(result: object): result is MessageFailure {
  return 'message' in result
}

/** Reads field lines from `at` to the end of the text. */
function parseFields(
  text: string,
  at: number,
  most: number,
  list: string[],
  framing: Framing | undefined,
): MessageFailure | undefined {
  const { length } = text
  let from = at
  while (from < length) {
    let end = text.indexOf('\r\n', from)
    if (end < 0) end = length
    if (list.length >= most * 2) return failure(431, `there are more than ${most} header fields`)

    const first = text.charCodeAt(from)
    if (first === 0x20 || first === 0x09) {
      return failure(400, 'a header field is folded over two lines (obs-fold)')
    }
    const colon = text.indexOf(':', from)
    if (colon < 0 || colon >= end) {
      return failure(400, `header line ${list.length / 2 + 1} has no colon`)
    }
    const name = lowerName(text.slice(from, colon))
    if (name === undefined) {
      return failure(
        400,
        `the name of header field ${list.length / 2 + 1} is not a token followed by a colon`,
      )
    }

    let start = colon + 1
    let stop = end
    while (start < stop && isBlank(text.charCodeAt(start))) start++
    while (stop > start && isBlank(text.charCodeAt(stop - 1))) stop--
    const value = text.slice(start, stop)
    if (!isFieldValue(value)) {
      return failure(400, `the header field ${name} has a control character, a bare CR or a bare LF`)
    }
    list.push(name, value)
    if (framing !== undefined) {
      const wrong = noteFraming(framing, name, value)
      if (wrong !== undefined) return wrong
      // Allowed by the grammar, and read differently by too many.
      if (framingFields.has(name) && text.slice(colon, end).includes('\t')) {
        return failure(400, `there is a tab around the value of ${name}`)
      }
    }
    from = end + 2
  }
  return undefined
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** What a field says about the message itself. */
function noteFraming(framing: Framing, name: string, value: string): MessageFailure | undefined {
  switch (name) {
    case 'host':
      if (framing.host !== undefined) return failure(400, 'the Host field is repeated')
      framing.host = value
      return undefined
    case 'content-length':
      return noteLength(framing, value)
    case 'transfer-encoding':
      if (framing.isChunked) return failure(400, 'Transfer-Encoding is repeated')
      if (value !== 'chunked' && value.toLowerCase() !== 'chunked') {
        return failure(400, 'Transfer-Encoding is not exactly "chunked"')
      }
      framing.isChunked = true
      return undefined
    case 'connection':
      noteConnection(framing, value)
      return undefined
    case 'upgrade':
      framing.upgradeNamed = true
      return undefined
    case 'expect':
      framing.expect = value
      return undefined
    default:
      return undefined
  }
}

function noteLength(framing: Framing, value: string): MessageFailure | undefined {
  let text = value
  if (framing.lenientLength && value.includes(',')) {
    const parts = value.split(',').map((part) => part.trim())
    if (parts.some((part) => part !== parts[0])) return failure(400, 'Content-Length has differing values')
    text = parts[0] as string
  }
  if (!decimal.test(text)) {
    return failure(400, 'Content-Length is not a decimal number of at most 15 digits')
  }
  const length = Number(text)
  if (framing.hasLength && !(framing.lenientLength && framing.length === length)) {
    return failure(400, 'Content-Length is repeated')
  }
  framing.hasLength = true
  framing.length = length
  return undefined
}

function noteConnection(framing: Framing, value: string): void {
  if (value === 'keep-alive') framing.keepAlive = true
  else if (value === 'close') framing.close = true
  else {
    for (const part of value.split(',')) {
      const option = part.trim().toLowerCase()
      if (option === 'close') framing.close = true
      else if (option === 'keep-alive') framing.keepAlive = true
      else if (option === 'upgrade') framing.upgrade = true
    }
  }
}
