/**
 * Which requests and answers are gRPC's, by their content type.
 *
 *     content-type = "application/grpc" [ "+proto" / "+json" / "+" custom ] *( ";" parameter )
 *
 * `application/grpc-web` is another protocol. Follows gRPC's "Protocol over HTTP2".
 */

/** How messages are written: protobuf, or ProtoJSON. */
export type MessageFormat = 'proto' | 'json'

const essence = 'application/grpc'
const plus = 0x2b
const semicolon = 0x3b
const space = 0x20

/** The format of the messages; `unknown` for one that is not spoken here; `undefined` when it is not gRPC at all. */
export function messageFormat(contentType: string | undefined): MessageFormat | 'unknown' | undefined {
  if (contentType === essence || contentType === 'application/grpc+proto') return 'proto'
  if (contentType === undefined) return undefined

  const lower = contentType.toLowerCase()
  if (!lower.startsWith(essence)) return undefined
  const next = lower.charCodeAt(essence.length)
  if (Number.isNaN(next) || next === semicolon || next === space) return 'proto'
  if (next !== plus) return undefined

  const end = /[; ]/.exec(lower)?.index ?? lower.length
  const subtype = lower.slice(essence.length + 1, end)
  return subtype === 'proto' || subtype === 'json' ? subtype : 'unknown'
}
