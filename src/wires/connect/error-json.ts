/**
 * Errors, and the message that ends a stream, as JSON.
 *
 *     error  = { "code": "not_found", "message"?: text, "details"?: [ { "type": "google.rpc.RetryInfo", "value": base64 } ] }
 *     end    = { "error"?: error, "metadata"?: { name: [ value ] } }
 *
 * Details are those of google.rpc.Status, see grpc-family/status-details.ts. What is not understood is passed over: an
 * error is told even when something beside it is malformed. Follows the "Connect Protocol".
 */
import { CallError, type CallErrorOptions } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import { parseBase64 } from '../../codec/json/base64.ts'
import { type StatusCode, isStatusCode } from '../../contract/status.ts'
import { base64, readMetadata, writeMetadata } from '../grpc-family/call-metadata.ts'
import type { FaultCodecs } from '../grpc-family/fault-codecs.ts'
import type { AnyMessage } from '../grpc-family/rpc-messages.ts'
import { detailsOf, hasDetails, readDetails } from '../grpc-family/status-details.ts'

const longestMessage = 16 * 1024
const mostDetails = 256
const prefix = 'type.googleapis.com/'

export interface ErrorJson {
  readonly code: string
  readonly message?: string
  readonly details?: readonly { readonly type: string; readonly value: string }[]
}

/** The JSON of an error. Throws `Invalid` when the fault's detail does not fit its declaration. */
export function errorJson(error: CallError, codecs: FaultCodecs | undefined): ErrorJson {
  const { code, message } = error
  const details = hasDetails(error) ? detailsOf(error, codecs) : []
  return {
    code,
    ...(message === '' ? {} : { message: message.slice(0, longestMessage).toWellFormed() }),
    ...(details.length === 0 ? {} : { details: details.map(detailJson) }),
  }
}

function detailJson({ typeUrl, value }: AnyMessage): { type: string; value: string } {
  return { type: typeUrl.startsWith(prefix) ? typeUrl.slice(prefix.length) : typeUrl, value: base64(value) }
}

/**
 * Reads the JSON of an error.
 *
 * @param fallback The code of an error that names none.
 * @param metadata What came beside it.
 */
export function readError(
  json: unknown,
  fallback: StatusCode,
  metadata: Metadata,
  codecs: FaultCodecs | undefined,
): CallError {
  const { code, message, details } = objectOf(json)
  const known: CallErrorOptions = Array.isArray(details)
    ? readDetails(details.slice(0, mostDetails).flatMap(anyOf), codecs)
    : {}
  return new CallError(
    typeof code === 'string' && isStatusCode(code) ? code : fallback,
    typeof message === 'string' ? message.slice(0, longestMessage) : '',
    { ...known, metadata, origin: 'downstream' },
  )
}

function anyOf(json: unknown): AnyMessage[] {
  const { type, value } = objectOf(json)
  const bytes = typeof value === 'string' ? parseBase64(value) : undefined
  if (typeof type !== 'string' || bytes === undefined) return []
  return [{ typeUrl: type.includes('/') ? type : prefix + type, value: bytes }]
}

/** The JSON of the end of a stream. */
export function endJson(error: ErrorJson | undefined, metadata: Metadata | undefined): string {
  const list: string[] = []
  writeMetadata(list, metadata)
  if (error === undefined && list.length === 0) return '{}'

  const values = new Map<string, string[]>()
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const those = values.get(name)
    if (those === undefined) values.set(name, [list[i + 1] as string])
    else those.push(list[i + 1] as string)
  }
  return JSON.stringify({
    ...(error === undefined ? {} : { error }),
    ...(values.size === 0 ? {} : { metadata: Object.fromEntries(values) }),
  })
}

export interface StreamEnd {
  /** Its JSON; `undefined`: the call went well. */
  readonly error: object | undefined
  /** The metadata as a list of header fields: name, value, name, value … */
  readonly fields: readonly string[]
}

/** The end of a stream; `undefined` when it is malformed. */
export function parseEnd(bytes: Buffer): StreamEnd | undefined {
  const json = parseJson(bytes)
  if (!isObject(json)) return undefined
  const { error, metadata } = json
  if (error !== undefined && error !== null && !isObject(error)) return undefined
  if (metadata !== undefined && metadata !== null && !isObject(metadata)) return undefined

  const fields: string[] = []
  for (const [name, values] of Object.entries(metadata ?? {})) {
    if (!Array.isArray(values)) return undefined
    for (const value of values) {
      if (typeof value !== 'string') return undefined
      fields.push(name.toLowerCase(), value)
    }
  }
  return { error: error ?? undefined, fields }
}

/** Metadata beside an error, whatever of it can be read. */
export function lenientMetadata(fields: readonly string[], isNoise?: (name: string) => boolean): Metadata {
  const metadata = new Metadata()
  for (let i = 0; i < fields.length; i += 2) {
    try {
      readMetadata([fields[i] as string, fields[i + 1] as string], metadata, isNoise)
    } catch {
      // A -bin field that is no base64.
    }
  }
  return metadata
}

/** `undefined` when it is no JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function objectOf(json: unknown): Record<string, unknown> {
  return isObject(json) ? json : {}
}
