/** Values as TypeScript writes them, in the style of this project's formatter. */
import type { Json } from '../../../../schema/type.ts'

export const width = 110

/** `'text'` */
export function quoted(text: string): string {
  const inner = text.replace(
    /[\\'\u2028\u2029]|\p{Cc}/gu,
    (character) => escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return text.includes("'") && !text.includes('"') ? `"${inner.replaceAll("\\'", "'")}"` : `'${inner}'`
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** A property's name, in quotes where it must be. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name)
}

export function jsonLiteral(value: Json): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (Array.isArray(value)) return `[${value.map(jsonLiteral).join(', ')}]`
  const members = Object.entries(value as Readonly<Record<string, Json>>)
  if (members.length === 0) return '{}'
  return `{ ${members.map(([name, one]) => `${key(name)}: ${jsonLiteral(one)}`).join(', ')} }`
}

/** Text on several lines that are joined by `+` when it does not fit behind `used` characters. */
export function textLines(text: string, indent: number, used: number): string[] {
  const whole = quoted(text)
  if (indent + used + whole.length <= width) return [whole]

  const room = width - indent - 6
  const lines: string[] = []
  let current = ''
  for (const word of text.split(/(?<=[ \n])/)) {
    const next = current + word
    if (current !== '' && (quoted(next).length > room || current.endsWith('\n'))) {
      lines.push(current)
      current = word
    } else current = next
  }
  lines.push(current)
  return lines.map((line, index) => `${quoted(line)}${index < lines.length - 1 ? ' +' : ''}`)
}
