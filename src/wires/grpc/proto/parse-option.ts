/**
 * Options and their values.
 *
 *   option       = "option" optionName "=" constant ";"
 *   fieldOptions = "[" optionName "=" constant { "," optionName "=" constant } "]"
 *   optionName   = part { "." part }
 *   part         = ident | "(" [ "." ] fullIdent ")"
 *   constant     = fullIdent | [ "-" | "+" ] ( intLit | floatLit | "inf" | "nan" ) | strLit { strLit } | "{" message "}"
 *
 *   message      = { field [ "," | ";" ] }                  text format (protobuf.dev/reference/protobuf/textformat-spec)
 *   field        = fieldName ( ":" value | [ ":" ] message value )
 *   fieldName    = ident | "[" fullIdent [ "/" fullIdent ] "]"
 *   value        = scalar | "{" message "}" | "<" message ">" | "[" [ value { "," value } ] "]"
 */
import type { OptionNode, OptionValue } from './ast.ts'
import { type Cursor, shown } from './cursor.ts'

const deepest = 100

/** Behind the word `option`, up to its semicolon. */
export function parseOption(cursor: Cursor): OptionNode {
  const option = parseAssignment(cursor)
  cursor.expect(';', `behind the option ${option.name}`)
  return option
}

/** `[deprecated = true, …]`, if there is one. */
export function parseFieldOptions(cursor: Cursor): OptionNode[] {
  if (!cursor.takeIf('[')) return []

  const options: OptionNode[] = []
  do options.push(parseAssignment(cursor))
  while (cursor.takeIf(','))
  cursor.expect(']', 'behind the options')
  return options
}

function parseAssignment(cursor: Cursor): OptionNode {
  const at = cursor.at()
  const name = parseOptionName(cursor)
  cursor.expect('=', `behind the option's name ${name}`)
  return { name, value: parseConstant(cursor, name), at }
}

function parseOptionName(cursor: Cursor): string {
  let name = parsePart(cursor)
  while (cursor.takeIf('.')) name += `.${parsePart(cursor)}`
  return name
}

function parsePart(cursor: Cursor): string {
  if (!cursor.takeIf('(')) return cursor.identifier("an option's name").text

  const { text } = cursor.name("an extension's name")
  cursor.expect(')', "behind the extension's name")
  return `(${text})`
}

function parseConstant(cursor: Cursor, name: string): OptionValue {
  if (!cursor.takeIf('{')) return parseScalar(cursor, `a value for ${name}`)

  const value = parseMessage(cursor, '}', 0)
  return value
}

function parseScalar(cursor: Cursor, what: string): OptionValue {
  const token = cursor.peek()

  if (token.kind === 'string') return { kind: 'text', ...cursor.text(what) }

  if (token.text === '-' || token.text === '+') {
    cursor.take()
    const number = cursor.peek()
    const special = number.kind === 'identifier' && /^(?:inf|infinity|nan)$/i.test(number.text)
    if (number.kind !== 'integer' && number.kind !== 'float' && !special)
      cursor.fail(`expected a number behind '${token.text}', found ${shown(number)}`)
    return { kind: 'number', text: `${token.text === '-' ? '-' : ''}${cursor.take().text}` }
  }

  if (token.kind === 'integer' || token.kind === 'float') return { kind: 'number', text: cursor.take().text }
  if (token.kind === 'identifier') return { kind: 'word', text: cursor.name(what).text }
  return cursor.fail(`expected ${what}, found ${shown(token)}`)
}

function parseMessage(cursor: Cursor, close: string, depth: number): OptionValue {
  if (depth > deepest) cursor.fail(`values are nested more than ${deepest} deep here`)
  const fields: { name: string; value: OptionValue }[] = []

  while (!cursor.takeIf(close)) {
    const name = parseFieldName(cursor, close)
    const colon = cursor.takeIf(':')
    const next = cursor.peek().text
    const isMessage = cursor.peek().kind === 'symbol' && (next === '{' || next === '<')
    if (!colon && !isMessage) cursor.fail(`expected ':' behind ${name}, found ${shown(cursor.peek())}`)

    fields.push({ name, value: parseValue(cursor, name, depth + 1) })
    if (!cursor.takeIf(',')) cursor.takeIf(';')
  }
  return { kind: 'message', fields }
}

function parseFieldName(cursor: Cursor, close: string): string {
  if (!cursor.takeIf('[')) return cursor.identifier(`a field's name or '${close}'`).text

  let name = cursor.name("an extension's name").text
  if (cursor.takeIf('/')) name += `/${cursor.name("a type's name").text}`
  cursor.expect(']', 'behind the name')
  return `[${name}]`
}

function parseValue(cursor: Cursor, name: string, depth: number): OptionValue {
  if (depth > deepest) cursor.fail(`values are nested more than ${deepest} deep here`)
  if (cursor.takeIf('{')) return parseMessage(cursor, '}', depth)
  if (cursor.takeIf('<')) return parseMessage(cursor, '>', depth)
  if (!cursor.takeIf('[')) return parseScalar(cursor, `a value for ${name}`)

  const values: OptionValue[] = []
  while (!cursor.takeIf(']')) {
    if (values.length > 0) cursor.expect(',', 'between the values of a list')
    values.push(parseValue(cursor, name, depth + 1))
  }
  return { kind: 'list', values }
}
