/** What a server reads of a request's header fields. */
import { Metadata } from '../../call/metadata.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { MalformedBinary, readMetadata } from '../grpc-family/call-metadata.ts'
import { type Compression, compressionNamed } from '../grpc-family/compression.ts'
import type { RequestHeaders } from '../grpc-family/request-headers.ts'
import { isWebNoise } from '../grpc-family/web-noise.ts'
import { type ConnectType, connectType } from './content-type.ts'
import { parseTimeout } from './timeout.ts'

/** The codings of messages in streams, and of whole bodies of unary calls. */
export const codings: readonly Compression[] = ['gzip', 'br']
export const acceptedCodings = codings.join(', ')

export interface ConnectHeaders extends RequestHeaders {
  /** `undefined`: not Connect's. */
  readonly type: ConnectType | undefined
  /** `Connect-Protocol-Version` */
  readonly version: string | undefined
}

export function readConnectHeaders({ list }: HttpHeaders): ConnectHeaders {
  let contentType: string | undefined
  let timeout: number | undefined
  let version: string | undefined
  let streamEncoding: string | undefined
  let streamAccepted: string | undefined
  let unaryEncoding: string | undefined
  let unaryAccepted: string | undefined

  for (let i = 0; i < list.length; i += 2) {
    const value = list[i + 1] as string
    switch (list[i]) {
      case 'content-type':
        contentType = value
        break
      case 'connect-timeout-ms':
        timeout = parseTimeout(value)
        break
      case 'connect-protocol-version':
        version = value
        break
      case 'connect-content-encoding':
        streamEncoding = value
        break
      case 'connect-accept-encoding':
        streamAccepted = joined(streamAccepted, value)
        break
      case 'content-encoding':
        unaryEncoding = joined(unaryEncoding, value)
        break
      case 'accept-encoding':
        unaryAccepted = joined(unaryAccepted, value)
    }
  }

  const type = connectType(contentType)
  const streamed = type?.kind === 'stream'
  let metadata: Metadata | undefined
  let malformed: string | undefined
  try {
    metadata = readMetadata(list, undefined, isWebNoise)
  } catch (error) {
    if (!(error instanceof MalformedBinary)) throw error
    malformed = error.message
  }

  return {
    type,
    version,
    format: type?.format,
    timeout,
    coding: compressionNamed(streamed ? streamEncoding : unaryEncoding, codings),
    acceptEncoding: streamed ? streamAccepted : unaryAccepted,
    malformed,
    metadata: () => metadata && new Metadata(metadata),
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`
}
