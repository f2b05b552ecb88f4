/**
 * HOT PATH. Heads as text: start line and fields, without framing, Date and the empty line. What a frozen object says is
 * encoded once and kept with it. Guarded by `bench/systems/http1-raw-server.ts`.
 *
 *     status-line  = HTTP-version SP status-code SP [ reason-phrase ] CRLF          RFC 9112 section 4
 *     request-line = method SP request-target SP HTTP-version CRLF                  section 3
 *     field-line   = field-name ":" OWS field-value OWS CRLF                        section 5
 */
import { isAuthority } from '../http/authority.ts'
import type { HttpRequestHead, HttpResponseHead } from '../http/exchange.ts'
import { isFieldValue, isToken, lowerName } from '../http/field.ts'
import type { HttpHeaders } from '../http/headers.ts'
import { reasonPhrase } from '../http/reason.ts'

/** Fields that are the engine's to write. */
const ours = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive'])

/** Names that were checked; programs have few, and not without end. */
const sendable = new Set<string>()
const mostNames = 1024
const longestName = 64

const responses = new WeakMap<HttpResponseHead, string>()
const fields = new WeakMap<HttpHeaders, string>()

/** The status line and fields of an answer. Throws TypeError for what cannot be a field. */
export function encodeResponseHead(head: HttpResponseHead): string {
  const known = responses.get(head)
  if (known !== undefined) return known
  const { status } = head
  if (!(Number.isInteger(status) && status >= 100 && status <= 999)) {
    throw new RangeError(`the status of an answer is a number from 100 to 999, not ${status}`)
  }
  const text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${encodeFields(head.headers)}`
  if (Object.isFrozen(head)) responses.set(head, flat(text))
  return text
}

/** The request line, Host and fields of a request. Throws TypeError for what cannot be in one. */
export function encodeRequestHead(head: HttpRequestHead): string {
  const { method, target, authority, headers, more } = head
  if (method !== knownMethod) {
    if (!isToken(method)) throw new TypeError(`${JSON.stringify(method)} is no HTTP method`)
    knownMethod = method
  }
  if (!targetShape.test(target)) {
    throw new TypeError(`${JSON.stringify(target)} is no request target: percent-encode it`)
  }
  if (authority !== knownAuthority) {
    if (!isAuthority(authority)) throw new TypeError(`${JSON.stringify(authority)} is no host[:port]`)
    knownAuthority = authority
  }
  let text = fields.get(headers)
  if (text === undefined) {
    text = encodeFields(headers)
    if (Object.isFrozen(headers)) fields.set(headers, flat(text))
  }
  const start = `${method} ${target} HTTP/1.1\r\nhost: ${authority}\r\n${text}`
  return more === undefined ? start : start + encodeFields(more)
}

const targetShape = /^[\x21\x22\x24-\x7e]+$/
let knownMethod = 'GET'
let knownAuthority = ''

/** Field lines. */
export function encodeFields(headers: HttpHeaders): string {
  const { list } = headers
  let text = ''
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string
    if (!sendable.has(name)) checkName(name)
    if (!isFieldValue(value)) {
      throw new TypeError(
        `the field ${name} has a character that no field can carry: ${JSON.stringify(value)}`,
      )
    }
    text += `${name}: ${value}\r\n`
  }
  return text
}

function checkName(name: string): void {
  const checked = lowerName(name)
  if (checked !== name) throw new TypeError(`${JSON.stringify(name)} is no field name in lower case`)
  if (ours.has(name)) throw new TypeError(`the field ${name} is written by the engine; leave it away`)
  // The checked one is a copy of its own, and keeps nothing else alive.
  if (sendable.size < mostNames && name.length <= longestName) sendable.add(checked)
}

/** A string in one piece instead of a tree of concatenations. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

let dateSecond = 0
let date = ''

/** The Date field's line (RFC 9110 section 6.6.1), made once a second. */
export function dateLine(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    date = flat(`date: ${new Date(second * 1000).toUTCString()}\r\n`)
  }
  return date
}
