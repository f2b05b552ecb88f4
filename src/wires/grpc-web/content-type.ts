/**
 * Which requests and answers are gRPC-Web's, by their content type.
 *
 *     content-type = "application/grpc-web" [ "-text" ] [ "+proto" / "+json" / "+" custom ] *( ";" parameter )
 *
 * `-text`: the whole body is base64, for browsers that read a stream as text only.
 * Follows gRPC's "gRPC-Web".
 */
import type { MessageFormat } from '../grpc-family/content-type.ts'

const shape = /^application\/grpc-web(?<text>-text)?(?:\+(?<format>[!#$%&'*+\-.^_`|~0-9a-z]+))?[ \t]*(?:;|$)/

/** The format of the messages; `unknown` for one that is not spoken here; `undefined` when it is not gRPC-Web. */
export function webFormat(contentType: string | undefined): MessageFormat | 'unknown' | undefined {
  if (contentType === undefined) return undefined
  const groups = shape.exec(contentType.toLowerCase())?.groups
  if (groups === undefined) return undefined
  const { format = 'proto' } = groups
  return format === 'proto' || format === 'json' ? format : 'unknown'
}

/** Whether the body is base64. */
export function isText(contentType: string): boolean {
  return shape.exec(contentType.toLowerCase())?.groups?.['text'] !== undefined
}

export function webContentType(format: MessageFormat, text: boolean): string {
  return `application/grpc-web${text ? '-text' : ''}+${format}`
}
