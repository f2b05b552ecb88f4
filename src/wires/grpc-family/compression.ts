/**
 * Compression of single messages, off the event loop's thread. `deflate` is the zlib format (RFC 1950), `gzip` RFC 1952,
 * `br` RFC 7932, which Connect has in place of `deflate`;
 * no state is kept from one message to the next. Whatever is decompressed has a bound.
 * Follows gRPC's "Protocol over HTTP2" and "gRPC Compression".
 *
 *     grpc-encoding        = "identity" / "gzip" / "deflate"
 *     grpc-accept-encoding = encoding *( "," encoding )
 */
import zlib from 'node:zlib'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import { prefixSize, writePrefix } from './framing.ts'

export type GrpcCompression = 'gzip' | 'deflate'
export type Compression = GrpcCompression | 'br'

/** What is understood here, as `grpc-accept-encoding` says it. */
export const acceptedEncodings = 'identity,deflate,gzip'

/** Smaller messages are not worth it. */
export const compressFrom = 1024

const grpcCodings: readonly Compression[] = ['gzip', 'deflate']

/** The coding that a `grpc-encoding` names, or `identity`; `undefined` for one that is not among those `known`. */
export function compressionNamed(
  encoding: string | undefined,
  known: readonly Compression[] = grpcCodings,
): Compression | 'identity' | undefined {
  if (encoding === undefined || encoding === 'identity') return 'identity'
  return known.find((coding) => coding === encoding)
}

/** Whether a `grpc-accept-encoding` has a coding. */
export function accepts(accepted: string | undefined, coding: Compression): boolean {
  return accepted !== undefined && accepted.split(',').some((each) => each.trim() === coding)
}

/** What costs about as much as gzip. */
const brotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }

/** Compresses a message; the same bytes when it fails, which then go out as they are. */
function compress(coding: Compression, message: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const done = (error: Error | null, result: Buffer) => resolve(error === null ? result : message)
    if (coding === 'gzip') zlib.gzip(message, { level: 5 }, done)
    else if (coding === 'br') zlib.brotliCompress(message, brotliOptions, done)
    else zlib.deflate(message, { level: 5 }, done)
  })
}

/** Why a message could not be decompressed. */
export class UndecodableMessage extends Error {
  readonly kind: 'too large' | 'malformed'

  constructor(kind: 'too large' | 'malformed', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Decompresses a message to at most `limit` bytes. Rejects with UndecodableMessage. */
export function decompress(coding: Compression, message: Buffer, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { maxOutputLength: Math.max(1, limit) }
    const done = (error: Error | null, result: Buffer) => {
      if (error === null) return resolve(result)
      const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      reject(
        tooLarge
          ? new UndecodableMessage('too large', `the message is larger than ${limit} bytes when decompressed`)
          : new UndecodableMessage('malformed', `the message is not valid ${coding}: ${error.message}`),
      )
    }
    if (coding === 'gzip') zlib.gunzip(message, options, done)
    else if (coding === 'br') zlib.brotliDecompress(message, options, done)
    else zlib.inflate(message, options, done)
  })
}

/** A message with its prefix, compressed. `body` has room for the prefix in front. */
export async function compressedMessage(coding: Compression, body: BodyBuffer): Promise<Buffer> {
  const plain = Buffer.from(body.bytes.subarray(body.start + prefixSize, body.position))
  const message = await compress(coding, plain)
  const bytes = Buffer.allocUnsafeSlow(prefixSize + message.length)
  writePrefix(bytes, 0, message !== plain, message.length)
  message.copy(bytes, prefixSize)
  return bytes
}
