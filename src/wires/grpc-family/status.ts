/**
 * How a call ended, as trailers, and back.
 *
 *     trailers                = grpc-status [ grpc-message ] [ grpc-status-details-bin ] *metadata
 *     grpc-status             = 1*DIGIT
 *     grpc-message            = percent-encoded (status-message.ts)
 *     grpc-status-details-bin = base64 of google.rpc.Status (status-details.ts)
 *
 * What comes without a grpc-status was answered by somebody else: an HTTP status or an HTTP/2 error code then says what
 * it may. Follows gRPC's "Protocol over HTTP2" and "HTTP to gRPC Status Code Mapping".
 */
import { CallError } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import { parseBase64 } from '../../codec/json/base64.ts'
import { type StatusCode, statusFromNumber, statusTable } from '../../contract/status.ts'
import type { HttpAbort } from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { MalformedBinary, base64, readMetadata, writeMetadata } from './call-metadata.ts'
import type { FaultCodecs } from './fault-codecs.ts'
import { decodeDetails, encodeDetails, hasDetails } from './status-details.ts'
import { decodeStatusMessage, encodeStatusMessage } from './status-message.ts'

/** Characters of a message that go into a header. */
const longestMessage = 2_048

/** Bytes of a status with all its details: peers take heads of 8 KiB at the very least. */
const longestDetails = 4 * 1024

/**
 * The trailers of an error. Throws `Invalid` when the fault's detail does not fit its declaration; without `codecs`
 * there is no fault to send. Details that are too large for a header are left out, which `onLeftOut` hears.
 */
export function errorTrailers(
  error: CallError,
  codecs: FaultCodecs | undefined,
  onLeftOut: () => void,
): string[] {
  const { code, message, metadata } = error
  const list = ['grpc-status', String(statusTable[code].number)]
  if (message !== '') {
    const shown = message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`
    list.push('grpc-message', encodeStatusMessage(shown))
  }

  if (hasDetails(error)) {
    const details = encodeDetails(error, codecs)
    if (details.length <= longestDetails) list.push('grpc-status-details-bin', base64(details))
    else onLeftOut()
  }
  writeMetadata(list, metadata)
  return list
}

/** The number in `grpc-status`; `undefined` when there is none. */
export function statusNumber(headers: HttpHeaders): number | undefined {
  const text = headers.get('grpc-status')
  if (text === '0') return 0
  if (text === undefined || text === '0') return text === undefined ? undefined : 0
  return /^\d{1,10}$/.test(text) ? Number(text) : statusTable.unknown.number
}

/** The error that trailers tell of. `number` is their status, which is not 0. */
export function readStatus(number: number, headers: HttpHeaders, codecs: FaultCodecs | undefined): CallError {
  const code = statusFromNumber(number)
  const message = decodeStatusMessage(headers.get('grpc-message') ?? '')
  const encoded = headers.get('grpc-status-details-bin')
  const details = encoded === undefined ? undefined : parseBase64(encoded.split(',')[0] as string)

  return new CallError(code, message, {
    ...(details === undefined ? {} : decodeDetails(details, codecs)),
    metadata: metadataOf(headers),
    origin: 'downstream',
  })
}

/** An error is told even when something beside it is malformed. */
function metadataOf({ list }: HttpHeaders): Metadata {
  const metadata = new Metadata()
  try {
    readMetadata(list, metadata)
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error
  }
  return metadata
}

/** The code of an answer that is not gRPC's. */
export function codeFromHttp(status: number): StatusCode {
  switch (status) {
    case 400:
    case 431:
      return 'internal'
    case 401:
      return 'unauthenticated'
    case 403:
      return 'permission_denied'
    case 404:
      return 'unimplemented'
    case 429:
    case 502:
    case 503:
    case 504:
      return 'unavailable'
    default:
      return 'unknown'
  }
}

/** The code of an answer that ended before its time. */
export function codeFromAbort({ reason, code }: HttpAbort): StatusCode {
  if (reason === 'too_large' || reason === 'no_room') return 'resource_exhausted'
  if (reason === 'reset') {
    switch (code) {
      case 8:
        return 'canceled'
      case 11:
        return 'resource_exhausted'
      case 12:
        return 'permission_denied'
      default:
        return code === undefined ? 'unavailable' : 'internal'
    }
  }
  return reason === 'protocol' ? 'internal' : 'unavailable'
}
