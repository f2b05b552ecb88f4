/** gRPC-Web on a client: gRPC, with the trailers as the last message of the body. */
import { type ClientDialect, endingOf, grpcClientDialect } from '../grpc-family/client-dialect.ts'
import { acceptedEncodings, compressionNamed } from '../grpc-family/compression.ts'
import { readHeadOf } from '../grpc-family/response-head.ts'
import { statusNumber } from '../grpc-family/status.ts'
import { isWebNoise } from '../grpc-family/web-noise.ts'
import { isText, webContentType, webFormat } from './content-type.ts'
import { parseTrailers, trailerFlag } from './trailers.ts'

export const webClientDialect: ClientDialect = {
  fields(format, compression) {
    const type = webContentType(format, false)
    const fields = [
      'content-type',
      type,
      'accept',
      type,
      'x-grpc-web',
      '1',
      'user-agent',
      'grpc-web-trunkline',
    ]
    fields.push('grpc-accept-encoding', acceptedEncodings)
    if (compression !== undefined) fields.push('grpc-encoding', compression)
    return fields
  },
  timeout: grpcClientDialect.timeout,
  encodingField: 'grpc-encoding',
  readHead(head) {
    const { status, headers } = head
    const contentType = headers.get('content-type')
    const isOwn = status === 200 && webFormat(contentType) !== undefined && !isText(contentType as string)
    const isTrailers = statusNumber(headers) !== undefined
    return readHeadOf(head, isOwn, isTrailers, compressionNamed(headers.get('grpc-encoding')), isWebNoise)
  },
  lastFlag: trailerFlag,
  ending: (head, _, last) =>
    last === undefined ? endingOf(head.isTrailers ? head.headers : undefined) : endingOf(parseTrailers(last)),
  missingEnd: 'trailers that say how the call went',
}
