/**
 * Which requests and answers are Connect's, by their content type.
 *
 *     unary  = "application/proto" / "application/json" *( ";" parameter )
 *     stream = "application/connect+proto" / "application/connect+json" *( ";" parameter )
 *
 * Follows the "Connect Protocol".
 */
import type { MessageFormat } from '../grpc-family/content-type.ts'

const unary = /^application\/(?<format>proto|json)[ \t]*(?:;[ \t]*charset=(?:utf-?8|"utf-?8")[ \t]*)?$/
const stream = /^application\/connect\+(?<format>[!#$%&'*+\-.^_`|~0-9a-z]+)[ \t]*(?:;|$)/

export interface ConnectType {
  readonly kind: 'unary' | 'stream'
  readonly format: MessageFormat | 'unknown'
}

const types: Readonly<Record<string, ConnectType>> = {
  'application/proto': { kind: 'unary', format: 'proto' },
  'application/json': { kind: 'unary', format: 'json' },
  'application/connect+proto': { kind: 'stream', format: 'proto' },
  'application/connect+json': { kind: 'stream', format: 'json' },
}

/** `undefined` for a content type that is not Connect's. */
export function connectType(contentType: string | undefined): ConnectType | undefined {
  if (contentType === undefined) return undefined
  if (Object.hasOwn(types, contentType)) return types[contentType]

  const lower = contentType.toLowerCase()
  const single = unary.exec(lower)?.groups?.['format']
  if (single !== undefined) return types[`application/${single}`]
  const streamed = stream.exec(lower)?.groups?.['format']
  if (streamed === undefined) return undefined
  return types[`application/connect+${streamed}`] ?? { kind: 'stream', format: 'unknown' }
}

export function unaryType(format: MessageFormat): string {
  return `application/${format}`
}

export function streamType(format: MessageFormat): string {
  return `application/connect+${format}`
}
