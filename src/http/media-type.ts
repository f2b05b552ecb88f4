/**
 * Media types (RFC 9110 section 8.3.1).
 *
 *     media-type      = type "/" subtype parameters
 *     parameters      = *( OWS ";" OWS [ parameter ] )
 *     parameter       = token "=" ( token / quoted-string )
 */

export interface MediaType {
  /** `application/json`, in lower case, without parameters. */
  readonly essence: string
  /** Names in lower case; of two with one name the first counts. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const essence = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*(?=;|$)`)
const parameter = new RegExp(
  `[ \\t]*;[ \\t]*(?:(${token})=(?:(${token})|"((?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\uffff]|\\\\[\\t\\x20-\\x7e\\x80-\\uffff])*)"))?[ \\t]*`,
  'y',
)

const none: ReadonlyMap<string, string> = new Map()

/** Takes a Content-Type, or one element of Accept, apart; `undefined` when it is no media type. */
export function parseMediaType(text: string): MediaType | undefined {
  const head = essence.exec(text)
  if (head === null) return undefined
  const name = (head[1] as string).toLowerCase()
  if (head[0].length === text.length) return { essence: name, parameters: none }

  const parameters = new Map<string, string>()
  parameter.lastIndex = head[0].length
  while (parameter.lastIndex < text.length) {
    const match = parameter.exec(text)
    if (match === null) return undefined
    const [, key, plain, quoted] = match
    if (key === undefined) continue
    const value = plain ?? (quoted as string).replace(/\\([^])/g, '$1')
    if (!parameters.has(key.toLowerCase())) parameters.set(key.toLowerCase(), value)
  }
  return { essence: name, parameters }
}

/** Whether a type is JSON: `application/json`, or any with the suffix `+json` (RFC 6839). */
export function isJsonType(essence: string): boolean {
  return essence === 'application/json' || essence.endsWith('+json')
}
