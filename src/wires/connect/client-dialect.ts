/** Connect's streams on a client. */
import { CallError } from '../../call/error.ts'
import { readMetadata } from '../grpc-family/call-metadata.ts'
import type { ClientDialect, Ending } from '../grpc-family/client-dialect.ts'
import { compressionNamed } from '../grpc-family/compression.ts'
import { readHeadOf } from '../grpc-family/response-head.ts'
import { isWebNoise } from '../grpc-family/web-noise.ts'
import { connectType, streamType } from './content-type.ts'
import { type StreamEnd, lenientMetadata, parseEnd, readError } from './error-json.ts'
import { acceptedCodings, codings } from './request-headers.ts'
import { endFlag } from './stream-end.ts'
import { formatTimeout } from './timeout.ts'

/** How clients name themselves. */
export const userAgent = 'connect-trunkline'

export const streamClientDialect: ClientDialect = {
  fields(format, compression) {
    const fields = ['content-type', streamType(format), 'connect-protocol-version', '1']
    fields.push('user-agent', userAgent, 'connect-accept-encoding', acceptedCodings)
    if (compression !== undefined) fields.push('connect-content-encoding', compression)
    return fields
  },
  timeout: (milliseconds) => ['connect-timeout-ms', formatTimeout(milliseconds)],
  encodingField: 'connect-content-encoding',
  readHead(head) {
    const { status, headers } = head
    const isOwn = status === 200 && connectType(headers.get('content-type'))?.kind === 'stream'
    const coding = compressionNamed(headers.get('connect-content-encoding'), codings)
    return readHeadOf(head, isOwn, false, coding, isWebNoise)
  },
  lastFlag: endFlag,
  ending(_head, _trailers, last) {
    if (last === undefined) return undefined
    const end = parseEnd(last)
    return end === undefined ? malformed : endingOf(end)
  },
  missingEnd: 'an EndStreamResponse',
}

function endingOf({ error, fields }: StreamEnd): Ending {
  return {
    failed: error !== undefined,
    error: (codecs) => readError(error, 'unknown', lenientMetadata(fields), codecs),
    trailers: (into) => readMetadata(fields, into),
  }
}

const malformed: Ending = {
  failed: true,
  error: () =>
    new CallError('internal', 'the server sent a malformed answer: its EndStreamResponse is not one', {
      origin: 'downstream',
    }),
  trailers: (into) => into,
}
