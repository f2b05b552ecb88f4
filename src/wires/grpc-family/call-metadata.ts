/**
 * HOT PATH. Call metadata as HTTP/2 header fields. Guarded by `bench/scenarios/grpc`.
 *
 *     x-tenant        = printable ASCII
 *     x-signature-bin = base64 *( "," base64 )        padded or not
 *
 * Names that begin with `grpc-`, and those that say how a message travels, are no metadata.
 * Follows gRPC's "Protocol over HTTP2".
 */
import { Metadata, isMetadataName } from '../../call/metadata.ts'
import { parseBase64 } from '../../codec/json/base64.ts'
import { isFieldValue } from '../../http/field.ts'

/** Fields that proxies, agents and servers add for themselves. */
const noise = new Set(['date', 'server', 'user-agent', 'via'])

/** What a field is: no metadata, such as is sent but not read, text, or bytes. */
type Kind = 'none' | 'noise' | 'text' | 'bytes'

/** By name; peers have few, and not without end. */
const kinds = new Map<string, Kind>()
const mostNames = 1024
const longestName = 64

function kindOf(name: string): Kind {
  const known = kinds.get(name)
  if (known !== undefined) return known
  let kind: Kind = 'none'
  if (noise.has(name)) kind = 'noise'
  else if (isMetadataName(name)) kind = name.endsWith('-bin') ? 'bytes' : 'text'
  if (kinds.size < mostNames && name.length <= longestName) kinds.set(name, kind)
  return kind
}

/** Field of which the value should be base64 and is not. */
export class MalformedBinary extends Error {
  constructor(name: string) {
    super(`${name}: the value of a header whose name ends in -bin is base64`)
  }
}

/**
 * The metadata among header fields; `undefined` when there is none. Throws MalformedBinary.
 *
 * @param isNoise Fields that are none, besides those of every protocol.
 */
export function readMetadata(
  list: readonly string[],
  into?: Metadata,
  isNoise?: (name: string) => boolean,
): Metadata | undefined {
  let metadata = into
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    const kind = kindOf(name)
    if (kind === 'none' || kind === 'noise' || isNoise?.(name) === true) continue
    metadata ??= new Metadata()
    if (kind === 'text') metadata.received(name, list[i + 1] as string)
    else receiveBytes(metadata, name, list[i + 1] as string)
  }
  return metadata
}

function receiveBytes(metadata: Metadata, name: string, value: string): void {
  for (const part of value.split(',')) {
    const bytes = parseBase64(part.trim())
    if (bytes === undefined) throw new MalformedBinary(name)
    metadata.received(name, bytes)
  }
}

/** What an application can put into a field without breaking the message: RFC 9113 section 8.2.1. */
function isSendable(value: string): boolean {
  return isFieldValue(value) && !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(value.length - 1))
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Appends metadata to a list of header fields. What no header can carry is left out. */
export function writeMetadata(list: string[], metadata: Metadata | undefined): void {
  if (metadata === undefined || metadata.size === 0) return
  const { flat } = metadata

  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string
    const value = flat[i + 1]
    if (kindOf(name) === 'none') continue
    if (typeof value !== 'string') list.push(name, base64(value as Uint8Array))
    else if (isSendable(value)) list.push(name, value)
  }
}

/** Without padding, as gRPC has it. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replace(/=+$/, '')
}
