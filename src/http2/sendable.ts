/**
 * HOT PATH. Heads as they are sent: checked, and, where they are frozen, made once.
 *
 * A frozen answer's head, frozen trailers and the frozen headers of a request become templates, which the encoder of each
 * connection keeps encoded.
 */
import { isAuthority } from '../http/authority.ts'
import type { HttpRequestHead, HttpResponseHead } from '../http/exchange.ts'
import { isFieldValue, isToken, lowerName } from '../http/field.ts'
import type { HttpHeaders } from '../http/headers.ts'
import { HpackTemplate } from './hpack/template.ts'

/** Fields that are the engine's to write, or that HTTP/2 has not (RFC 9113 section 8.2.2). */
const ours = new Set([
  'content-length',
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'host',
])

/** Names that were checked; programs have few, and not without end. */
const sendable = new Set<string>()
const mostNames = 1024
const longestName = 64

/** Long values that were checked lately: a token comes with each request, and looking at its characters took a fifth of it. */
const longValue = 64
const mostLong = 8
const longChecked: string[] = Array.from({ length: mostLong }, () => '')

/** Checks fields. Throws TypeError for what cannot be one. */
export function checkFields(list: readonly string[]): void {
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string
    if (!sendable.has(name)) checkName(name)
    const long = value.length >= longValue
    if (long && value === longChecked[value.length % mostLong]) continue
    if (!isFieldValue(value)) {
      throw new TypeError(
        `the field ${name} has a character that no field can carry: ${JSON.stringify(value)}`,
      )
    }
    if (long) longChecked[value.length % mostLong] = value
  }
}

function checkName(name: string): void {
  const checked = lowerName(name)
  if (checked !== name) throw new TypeError(`${JSON.stringify(name)} is no field name in lower case`)
  if (ours.has(name)) throw new TypeError(`the field ${name} is written by the engine; leave it away`)
  if (sendable.size < mostNames && name.length <= longestName) sendable.add(checked)
}

/** A head to be sent: what comes again and again, and what does not. Either may be missing. */
export interface Sendable {
  template: HpackTemplate | undefined
  fields: readonly string[] | undefined
}

const answers = new WeakMap<HttpResponseHead, HpackTemplate>()
const fieldTemplates = new WeakMap<HttpHeaders, HpackTemplate>()
const statuses = new Map<number, string>()

function statusText(status: number): string {
  const known = statuses.get(status)
  if (known !== undefined) return known
  if (!(Number.isInteger(status) && status >= 100 && status <= 999)) {
    throw new RangeError(`the status of an answer is a number from 100 to 999, not ${status}`)
  }
  const text = String(status)
  statuses.set(status, text)
  return text
}

/** An answer's head into `into`. Throws TypeError for what cannot be a field. */
export function answerFields(head: HttpResponseHead, into: Sendable): void {
  const known = answers.get(head)
  into.fields = undefined
  into.template = known
  if (known !== undefined) return
  const { list } = head.headers
  const status = statusText(head.status)
  checkFields(list)
  if (Object.isFrozen(head)) {
    into.template = new HpackTemplate([':status', status, ...list])
    answers.set(head, into.template)
  } else into.fields = [':status', status, ...list]
}

/** Checks trailers. Throws TypeError for what cannot be a field. */
export function checkTrailers(headers: HttpHeaders): void {
  if (!fieldTemplates.has(headers)) checkFields(headers.list)
}

/** Trailers that were checked into `into`. */
export function trailerFields(headers: HttpHeaders, into: Sendable): void {
  const known = fieldTemplates.get(headers)
  into.fields = undefined
  into.template = known
  if (known !== undefined) return
  if (Object.isFrozen(headers)) {
    into.template = new HpackTemplate([...headers.list])
    fieldTemplates.set(headers, into.template)
  } else into.fields = headers.list
}

/** What was made of frozen headers, for the one target that they were used with; for more targets, of them alone. */
interface RequestTemplate {
  method: string
  target: string
  authority: string
  secure: boolean
  whole: HpackTemplate | undefined
}

const requests = new WeakMap<HttpHeaders, RequestTemplate>()

/** A request's head into `into`. Throws TypeError for what cannot be in one. */
export function requestFields(head: HttpRequestHead, secure: boolean, into: Sendable): void {
  const { method, target, authority, headers, more } = head
  const known = requests.get(headers)
  if (
    known !== undefined &&
    known.whole !== undefined &&
    known.target === target &&
    known.method === method &&
    known.authority === authority &&
    known.secure === secure
  ) {
    into.template = known.whole
    into.fields = more?.list
    if (more !== undefined) checkFields(more.list)
    return
  }

  if (!isToken(method)) throw new TypeError(`${JSON.stringify(method)} is no HTTP method`)
  if (!targetShape.test(target)) {
    throw new TypeError(`${JSON.stringify(target)} is no request target: percent-encode it`)
  }
  if (!isAuthority(authority)) throw new TypeError(`${JSON.stringify(authority)} is no host[:port]`)
  const scheme = secure ? 'https' : 'http'
  const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target]
  if (known === undefined) checkFields(headers.list)
  if (more !== undefined) checkFields(more.list)

  if (known === undefined && Object.isFrozen(headers)) {
    const whole = new HpackTemplate([...pseudo, ...headers.list])
    requests.set(headers, { method, target, authority, secure, whole })
    into.template = whole
    into.fields = more?.list
    return
  }
  // Headers with many targets: none of them is worth a template.
  if (known !== undefined) known.whole = undefined
  into.template = undefined
  into.fields = more === undefined ? [...pseudo, ...headers.list] : [...pseudo, ...headers.list, ...more.list]
}

const targetShape = /^(?:\/[\x21\x22\x24-\x7e]*|\*)$/
