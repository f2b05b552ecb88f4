/**
 * Errors as application/problem+json (RFC 9457), with what our own clients need as extension members.
 *
 *     {
 *       "type":   "urn:trunkline:fault:acme.orders.v1/place:outOfStock"      or "urn:trunkline:code:not_found"
 *       "title":  "Failed precondition",
 *       "status": 409,
 *       "detail": "only 3 left",                                      the error's message
 *       "code":   "failed_precondition",                              gRPC's status code
 *       "fault":  { "name": "outOfStock", "detail": { "left": 3 } },  a declared fault, its detail as its schema says
 *       "errors": [{ "path": "lines[2].quantity", "message": "expected an integer ≥ 1, got 0" }],
 *       "retryAfter": 1500,                                           milliseconds; Retry-After has whole seconds
 *       "processed": "no"                                             no handler saw the call: it may be repeated
 *     }
 */
import { type JsonCodec, compileJson } from '../../codec/json/compile.ts'
import { CallError, type CallErrorOptions } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { type StatusCode, isStatusCode, statusFromHttp, statusTable } from '../../contract/status.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { Issue } from '../../schema/invalid.ts'
import { readReplyHeaders, writeMetadata } from './call-metadata.ts'

export const problemType = 'application/problem+json'

/** The details of an operation's faults. */
export interface FaultCodecs {
  /** The codec of a fault's detail; `undefined` when it has none or is not declared. */
  detail(name: string): JsonCodec | undefined
}

/** Compiles each detail when it is first met. */
export function faultCodecs({ faults }: CallOperation, depth: number): FaultCodecs {
  const compiled = new Map<string, JsonCodec>()
  return {
    detail(name) {
      const declared = Object.hasOwn(faults, name) ? faults[name]?.detail : undefined
      if (declared === undefined) return undefined
      let codec = compiled.get(name)
      if (codec === undefined) {
        codec = compileJson(declared.schema, 'trunkline', { depth })
        compiled.set(name, codec)
      }
      return codec
    },
  }
}

/** An error of the server, ready to be sent. */
export interface WrittenProblem {
  readonly status: number
  readonly headers: HttpHeaders
  readonly body: string
}

/** The status of an error: its own, the declared fault's, or its code's. */
export function statusOf(error: CallError, operation: CallOperation | undefined): number {
  const fault = error.fault === undefined ? undefined : operation?.faults[error.fault.name]
  return error.http ?? fault?.http ?? error.httpStatus
}

/** The problem as JSON text. Throws Invalid when a fault's detail does not fit its schema. */
export function problemText(
  error: CallError,
  operation: CallOperation | undefined,
  codecs: FaultCodecs | undefined,
): string {
  const { code, fault, issues, retryAfter, processed } = error
  const declared =
    fault !== undefined && operation !== undefined && Object.hasOwn(operation.faults, fault.name)

  return JSON.stringify({
    type: declared ? `urn:trunkline:fault:${operation.id}:${fault.name}` : `urn:trunkline:code:${code}`,
    title: statusTable[code].title,
    status: statusOf(error, operation),
    detail: error.message,
    code,
    fault: declared
      ? { name: fault.name, detail: codecs?.detail(fault.name)?.toJson(fault.detail) }
      : undefined,
    errors: issues.length === 0 ? undefined : issues,
    retryAfter,
    processed: processed === 'no' ? processed : undefined,
  })
}

/** An error as an answer. Throws Invalid when a fault's detail does not fit its schema. */
export function writeProblem(
  error: CallError,
  operation: CallOperation | undefined,
  codecs: FaultCodecs | undefined,
): WrittenProblem {
  const status = statusOf(error, operation)
  const headers = new HttpHeaders(['content-type', problemType])

  if (error.retryAfter !== undefined) headers.add('retry-after', String(Math.ceil(error.retryAfter / 1000)))
  if (status === 401 && !error.metadata.has('www-authenticate')) headers.add('www-authenticate', 'Bearer')
  writeMetadata(headers.list, error.metadata)

  return { status, headers, body: problemText(error, operation, codecs) }
}

/** Characters of a foreign error's text that go into a message. */
const longestMessage = 500

/** The error of an answer that is no success: our problem+json, a foreign one, or any other JSON or text. */
export function readProblem(
  status: number,
  headers: HttpHeaders,
  body: string,
  codecs: FaultCodecs,
): CallError {
  const { metadata, trailers } = readReplyHeaders(headers)
  const all = new Metadata(metadata)
  if (trailers !== undefined) for (const [name, value] of trailers) all.received(name, value)
  return readProblemText(body, status, codecs, { metadata: all, retryAfter: retryAfter(headers) })
}

/** The same from the text alone, as it ends a broken stream. */
export function readProblemText(
  text: string,
  status: number | undefined,
  codecs: FaultCodecs,
  known: CallErrorOptions = {},
): CallError {
  const problem = objectIn(text)
  const options: { -readonly [Key in keyof CallErrorOptions]: CallErrorOptions[Key] } = {
    ...known,
    http: status,
    origin: 'downstream',
  }
  if (problem === undefined) {
    const code = status === undefined ? 'unknown' : statusFromHttp(status)
    return new CallError(code, foreignMessage(status, text), options)
  }

  const { code, retryAfter, processed, fault } = problem
  if (Array.isArray(problem['errors'])) options.issues = problem['errors'].filter(isIssue).slice(0, 100)
  if (Number.isFinite(retryAfter) && (retryAfter as number) >= 0) options.retryAfter = retryAfter as number
  if (processed === 'no') options.processed = processed
  const raised = readFault(fault, codecs)
  if (raised !== undefined) options.fault = raised

  const status2 = typeof problem['status'] === 'number' ? problem['status'] : status
  const known2: StatusCode =
    typeof code === 'string' && isStatusCode(code) ? code : statusFromHttp(status ?? status2 ?? 500)
  return new CallError(known2, messageOf(problem) ?? foreignMessage(status, text), options)
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Where foreign servers put the text for people, in problem+json and in what else is common. */
function messageOf(problem: Record<string, unknown>): string | undefined {
  const { detail, message, title, error, error_description: description } = problem
  for (const each of [detail, message, description, title, error]) {
    if (typeof each === 'string' && each !== '') return cut(each)
  }
  if (typeof error === 'object' && error !== null) {
    const inner = (error as Record<string, unknown>)['message']
    if (typeof inner === 'string' && inner !== '') return cut(inner)
  }
  return undefined
}

function foreignMessage(status: number | undefined, text: string): string {
  const said = text.trim()
  if (said === '') return `the server answered ${status ?? 'an error'} without a body`
  return `the server answered ${status ?? 'an error'}: ${cut(said)}`
}

function cut(text: string): string {
  return text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text
}

function isIssue(value: unknown): value is Issue {
  const { path, message } = (value ?? {}) as Record<string, unknown>
  return typeof path === 'string' && typeof message === 'string'
}

/** A fault that the contract declares; one whose detail does not fit is left out, its code remains. */
function readFault(json: unknown, codecs: FaultCodecs): CallErrorOptions['fault'] {
  const { name, detail } = (json ?? {}) as Record<string, unknown>
  if (typeof name !== 'string') return undefined
  const codec = codecs.detail(name)
  if (codec === undefined) return { name, detail: undefined }
  try {
    return { name, detail: codec.fromJson(detail) }
  } catch {
    return undefined
  }
}

/** Milliseconds of Retry-After: seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(headers: HttpHeaders): number | undefined {
  const value = headers.get('retry-after')
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
