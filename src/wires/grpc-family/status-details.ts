/**
 * What an error says besides its code and message, as google.rpc.Status in `grpc-status-details-bin`.
 *
 *     ErrorInfo   the declared fault's name (OUT_OF_STOCK) and its contract (acme.orders.v1); behind it the fault's detail
 *     BadRequest  what was wrong with the input, field by field
 *     RetryInfo   how long to wait before another try
 *     any other   kept as it came, in `CallError.details`
 *
 * Read from foreign servers too: a detail of a declared fault's type is that fault, even without an ErrorInfo.
 */
import type { CallError, CallErrorOptions, ErrorDetail, RaisedFault } from '../../call/error.ts'
import { statusTable } from '../../contract/status.ts'
import { Invalid, maximumIssues } from '../../schema/invalid.ts'
import type { FaultCodec, FaultCodecs } from './fault-codecs.ts'
import {
  type AnyMessage,
  type ErrorInfo,
  badRequestCodec,
  decodeApart,
  encodeApart,
  errorInfoCodec,
  retryInfoCodec,
  statusCodec,
} from './rpc-messages.ts'

const prefix = 'type.googleapis.com/'
const errorInfoType = 'google.rpc.ErrorInfo'
const badRequestType = 'google.rpc.BadRequest'
const retryInfoType = 'google.rpc.RetryInfo'

/** Whether there is anything to say. */
export function hasDetails({ fault, issues, retryAfter, details }: CallError): boolean {
  return fault !== undefined || issues.length > 0 || retryAfter !== undefined || details.length > 0
}

/** google.rpc.Status of an error. Throws `Invalid` when the fault's detail does not fit its declaration. */
export function encodeDetails(error: CallError, codecs: FaultCodecs | undefined): Uint8Array {
  const { code, message } = error
  const details = detailsOf(error, codecs)
  return statusCodec.encode({ code: statusTable[code].number, message: message.toWellFormed(), details })
}

/** The details of a google.rpc.Status. Throws `Invalid` when the fault's detail does not fit its declaration. */
export function detailsOf(error: CallError, codecs: FaultCodecs | undefined): AnyMessage[] {
  const { issues, retryAfter } = error
  const details: AnyMessage[] = faultDetails(error.fault, codecs)

  if (issues.length > 0) {
    const fieldViolations = issues.map(({ path, message: description }) => ({ field: path, description }))
    details.push(any(badRequestType, badRequestCodec.encode({ fieldViolations })))
  }
  if (retryAfter !== undefined) {
    const whole = Math.ceil(Math.min(retryAfter, Number.MAX_SAFE_INTEGER / 2))
    const retryDelay = { seconds: Math.floor(whole / 1_000), nanos: (whole % 1_000) * 1_000_000 }
    details.push(any(retryInfoType, retryInfoCodec.encode({ retryDelay })))
  }
  for (const { type, value } of error.details) details.push(any(type, value))
  return details
}

function faultDetails(fault: RaisedFault | undefined, codecs: FaultCodecs | undefined): AnyMessage[] {
  const declared = fault && codecs?.faults.find(({ info }) => info.name === fault.name)
  if (fault === undefined || codecs === undefined || declared === undefined) return []

  const { reason, type, detail } = declared
  const info = errorInfoCodec.encode({ reason, domain: codecs.domain, metadata: { fault: fault.name } })
  const details = [any(errorInfoType, info)]
  if (type !== undefined && detail !== undefined) details.push(any(type, encodeApart(detail, fault.detail)))
  return details
}

function any(type: string, value: Uint8Array): AnyMessage {
  return { typeUrl: type.includes('/') ? type : prefix + type, value }
}

/** What a google.rpc.Status says; nothing when it is none. */
export function decodeDetails(bytes: Uint8Array, codecs: FaultCodecs | undefined): CallErrorOptions {
  const status = readable(() => statusCodec.decode(bytes))
  return status === undefined ? {} : readDetails(status.details, codecs)
}

/** What the details of a google.rpc.Status say. */
export function readDetails(
  details: readonly AnyMessage[],
  codecs: FaultCodecs | undefined,
): CallErrorOptions {
  const read = new DetailReader(codecs)
  for (const detail of details) read.add(detail)
  return read.finish()
}

class DetailReader {
  readonly #codecs: FaultCodecs | undefined
  readonly #others: ErrorDetail[] = []
  #issues: { path: string; message: string }[] = []
  #retryAfter: number | undefined
  #info: { readonly said: ErrorInfo; readonly detail: AnyMessage } | undefined

  constructor(codecs: FaultCodecs | undefined) {
    this.#codecs = codecs
  }

  add(detail: AnyMessage): void {
    if (!this.#known(detail)) this.#others.push({ type: detail.typeUrl, value: detail.value })
  }

  /** Takes what has a place of its own in a CallError. */
  #known(detail: AnyMessage): boolean {
    const { value } = detail
    switch (typeOf(detail)) {
      case errorInfoType: {
        const said = readable(() => errorInfoCodec.decode(value))
        if (said === undefined || said.domain !== this.#codecs?.domain || this.#info !== undefined)
          return false
        this.#info = { said, detail }
        return true
      }
      case badRequestType: {
        const request = readable(() => badRequestCodec.decode(value))
        const violations = request?.fieldViolations ?? []
        for (const { field, description } of violations.slice(0, maximumIssues - this.#issues.length)) {
          this.#issues.push({ path: field, message: description })
        }
        return request !== undefined
      }
      case retryInfoType: {
        const delay = readable(() => retryInfoCodec.decode(value))?.retryDelay
        if (delay === undefined) return false
        this.#retryAfter = Math.max(0, delay.seconds * 1_000 + delay.nanos / 1_000_000)
        return true
      }
      default:
        return false
    }
  }

  finish(): CallErrorOptions {
    const fault = this.#fault()
    return {
      issues: this.#issues,
      details: this.#others,
      ...(this.#retryAfter === undefined ? {} : { retryAfter: this.#retryAfter }),
      ...(fault === undefined ? {} : { fault }),
    }
  }

  #fault(): RaisedFault | undefined {
    const { faults = [] } = this.#codecs ?? {}
    const info = this.#info
    if (info === undefined) {
      for (const detail of this.#others) {
        const declared = faults.filter(({ type }) => type !== undefined && type === typeOf(detail))
        const [only] = declared
        if (declared.length === 1 && only !== undefined) return this.#take(only)
      }
      return undefined
    }

    const { said, detail } = info
    const named = said.metadata['fault']
    const declared =
      faults.find((each) => each.info.name === named) ?? faults.find(({ reason }) => reason === said.reason)
    const fault = declared && this.#take(declared)
    if (fault === undefined) this.#others.unshift({ type: detail.typeUrl, value: detail.value })
    return fault
  }

  /** The fault with its detail, which is no other detail any more; `undefined` when that is missing or does not fit. */
  #take({ info, type, detail }: FaultCodec): RaisedFault | undefined {
    if (detail === undefined) return { name: info.name, detail: undefined }
    const at = this.#others.findIndex((each) => typeOf(each) === type)
    const bytes = this.#others[at]?.value
    if (bytes === undefined) return undefined

    const value = readable(() => ({ read: decodeApart(detail, bytes) }))
    if (value === undefined) return undefined
    this.#others.splice(at, 1)
    return { name: info.name, detail: value.read }
  }
}

/** `type.googleapis.com/acme.Order` → `acme.Order` */
function typeOf(detail: AnyMessage | ErrorDetail): string {
  const url = 'typeUrl' in detail ? detail.typeUrl : detail.type
  return url.slice(url.lastIndexOf('/') + 1)
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Invalid) return undefined
    throw error
  }
}
