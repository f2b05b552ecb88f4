/**
 * The parser of .proto files: proto2, proto3, editions 2023 and 2024. A table of statements, so longer than other files;
 * pure: names are looked up by `link.ts`.
 *
 *   https://protobuf.dev/reference/protobuf/proto2-spec, proto3-spec, edition-2023-spec, edition-2024-spec
 *
 *   proto      = [ syntax | edition ] { import | package | option | message | enum | extend | service | ";" }
 *   syntax     = "syntax" "=" ( "proto2" | "proto3" in quotes ) ";"
 *   edition    = "edition" "=" ( "2023" | "2024" in quotes ) ";"
 *   import     = "import" [ "weak" | "public" | "option" ] strLit ";"
 *   package    = "package" fullIdent ";"
 *   message    = [ "export" | "local" ] "message" ident "{" { field | group | oneof | message | enum | extend
 *              | extensions | reserved | option | ";" } "}"
 *   field      = [ "required" | "optional" | "repeated" ] type ident "=" intLit [ fieldOptions ] ";"
 *   type       = scalar | "map" "<" keyType "," type ">" | [ "." ] fullIdent
 *   group      = [ label ] "group" ident "=" intLit [ fieldOptions ] "{" … "}"
 *   oneof      = "oneof" ident "{" { option | field | group | ";" } "}"
 *   extensions = "extensions" range { "," range } [ fieldOptions ] ";"
 *   reserved   = "reserved" ( range { "," range } | strLit { "," strLit } | ident { "," ident } ) ";"
 *   range      = intLit [ "to" ( intLit | "max" ) ]
 *   enum       = [ "export" | "local" ] "enum" ident "{" { option | value | reserved | ";" } "}"
 *   value      = ident "=" [ "-" ] intLit [ fieldOptions ] ";"
 *   extend     = "extend" [ "." ] fullIdent "{" { field | group | ";" } "}"
 *   service    = "service" ident "{" { option | rpc | ";" } "}"
 *   rpc        = "rpc" ident "(" [ "stream" ] name ")" "returns" "(" [ "stream" ] name ")" ( "{" { option | ";" } "}" | ";" )
 */
import {
  type EnumNode,
  type EnumValueNode,
  type ExtendNode,
  type FieldNode,
  type FileNode,
  type ImportNode,
  type MessageNode,
  type MethodNode,
  type OneofNode,
  type OptionNode,
  type RangeNode,
  type Scalar,
  type ServiceNode,
  scalars,
} from './ast.ts'
import { type Cursor, cursorOf, shown } from './cursor.ts'
import { type Token, tokenize } from './lexer.ts'
import { parseFieldOptions, parseOption } from './parse-option.ts'

/** protobuf's largest field number: 2^29 − 1. */
export const largestField = 536_870_911
const largestEnum = 2_147_483_647
const deepest = 64

const editions: readonly string[] = ['2023', '2024']

/** Reads a .proto file. Throws ProtoError at the first thing that is wrong. */
export function parseProtoFile(path: string, text: string): FileNode {
  const cursor = cursorOf(tokenize(path, text))
  const first = cursor.peek()
  const { syntax, edition } = parseSyntax(cursor)
  const doc = syntax.explicit ? cursor.docOf(first, first) : undefined

  const file: Mutable<FileNode> = {
    path,
    syntax: syntax.name,
    edition,
    package: '',
    imports: [],
    messages: [],
    enums: [],
    services: [],
    extensions: [],
    options: [],
    doc,
  }
  let hasPackage = false

  while (cursor.peek().kind !== 'end') {
    if (cursor.takeIf(';')) continue
    const start = cursor.peek()

    switch (start.text) {
      case 'import':
        file.imports.push(parseImport(cursor))
        continue
      case 'package': {
        cursor.take()
        if (hasPackage) cursor.fail('the package is declared twice', 'leave one of them', start)
        hasPackage = true
        file.package = cursor.name('a package').text
        if (file.package.startsWith('.')) cursor.fail('a package does not begin with a dot', undefined, start)
        cursor.expect(';', 'behind the package')
        continue
      }
      case 'option':
        cursor.take()
        file.options.push(parseOption(cursor))
        continue
      case 'service':
        file.services.push(parseService(cursor))
        continue
      case 'extend': {
        const { extend, groups } = parseExtend(cursor, file.syntax, 0)
        file.extensions.push(extend)
        for (const group of groups) file.messages.push(group)
        continue
      }
    }

    if (parseType(cursor, file, 0)) continue
    cursor.fail(
      `expected import, package, option, message, enum, extend or service, found ${shown(start)}`,
      start.text === '}' ? 'there is one more } than {' : undefined,
    )
  }
  return file
}

/** Lists that grow while they are parsed. */
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }

type Syntax = FileNode['syntax']

function parseSyntax(cursor: Cursor): { syntax: { name: Syntax; explicit: boolean }; edition: string } {
  const word = cursor.peek()
  const assigned = cursor.peek(1).text === '='

  if (word.text === 'syntax' && assigned) {
    cursor.take()
    cursor.take()
    const at = cursor.peek()
    const name = cursor.string('the syntax')
    if (name !== 'proto2' && name !== 'proto3')
      cursor.fail(`there is no syntax ${JSON.stringify(name)}`, 'write "proto3" or "proto2"', at)
    cursor.expect(';', 'behind the syntax')
    return { syntax: { name: name as Syntax, explicit: true }, edition: '' }
  }

  if (word.text === 'edition' && assigned) {
    cursor.take()
    cursor.take()
    const at = cursor.peek()
    const edition = cursor.string('the edition')
    if (!editions.includes(edition)) {
      const hint = `the editions that are read are ${editions.map((one) => `"${one}"`).join(' and ')}`
      cursor.fail(`edition ${JSON.stringify(edition)} is not known here`, hint, at)
    }
    cursor.expect(';', 'behind the edition')
    return { syntax: { name: 'editions', explicit: true }, edition }
  }

  return { syntax: { name: 'proto2', explicit: false }, edition: '' }
}

function parseImport(cursor: Cursor): ImportNode {
  const at = cursor.at(cursor.take())
  const word = cursor.peek()
  const modifier = word.kind === 'identifier' && /^(?:public|weak|option)$/.test(word.text)
  if (modifier) cursor.take()
  const path = cursor.string("the imported file's path")
  cursor.expect(';', 'behind the import')
  return { path, kind: modifier ? (word.text as ImportNode['kind']) : 'plain', at }
}

interface Types {
  readonly messages: MessageNode[]
  readonly enums: EnumNode[]
}

/** A message or an enum, exported or local; `false` when there is none. */
function parseType(cursor: Cursor, into: Types & { readonly syntax: Syntax }, depth: number): boolean {
  const first = cursor.peek()
  const visible = first.text === 'export' || first.text === 'local'
  const word = visible ? cursor.peek(1) : first
  const named = cursor.peek(visible ? 2 : 1).kind === 'identifier'
  if (word.kind !== 'identifier' || !named || (word.text !== 'message' && word.text !== 'enum')) return false

  if (visible) cursor.take()
  if (word.text === 'message') into.messages.push(parseMessage(cursor, first, into.syntax, depth))
  else into.enums.push(parseEnum(cursor, first))
  return true
}

function parseMessage(cursor: Cursor, first: Token, syntax: Syntax, depth: number): MessageNode {
  cursor.take()
  const name = cursor.identifier("the message's name")
  return parseBody(cursor, first, name.text, syntax, depth)
}

function parseBody(cursor: Cursor, first: Token, name: string, syntax: Syntax, depth: number): MessageNode {
  if (depth > deepest) cursor.fail(`messages are nested more than ${deepest} deep here`)
  const opened = cursor.expect('{', `behind message ${name}`)
  const message: Mutable<MessageNode> & { readonly syntax: Syntax } = {
    syntax,
    name,
    fields: [],
    oneofs: [],
    messages: [],
    enums: [],
    extensions: [],
    extensionRanges: [],
    reserved: [],
    reservedNames: [],
    options: [],
    at: cursor.at(first),
    doc: cursor.docOf(first, opened),
  }

  while (!cursor.takeIf('}')) {
    if (cursor.peek().kind === 'end')
      cursor.fail(`message ${name} never ends`, `it begins on line ${message.at.line}; close it with }`)
    if (cursor.takeIf(';')) continue
    parseMember(cursor, message, depth)
  }
  return message
}

function parseMember(
  cursor: Cursor,
  message: Mutable<MessageNode> & { readonly syntax: Syntax },
  depth: number,
): void {
  const word = cursor.peek()
  const next = cursor.peek(1)

  switch (word.text) {
    case 'option':
      cursor.take()
      message.options.push(parseOption(cursor))
      return
    case 'oneof':
      if (next.kind !== 'identifier' || cursor.peek(2).text !== '{') break
      parseOneof(cursor, message, depth)
      return
    case 'extensions':
      if (next.kind !== 'integer') break
      cursor.take()
      for (const range of parseRanges(cursor, largestField)) message.extensionRanges.push(range)
      parseFieldOptions(cursor)
      cursor.expect(';', 'behind the extension ranges')
      return
    case 'reserved':
      if (next.kind === 'identifier' && cursor.peek(2).text === '=') break
      parseReserved(cursor, message, largestField)
      return
    case 'extend': {
      const { extend, groups } = parseExtend(cursor, message.syntax, depth)
      message.extensions.push(extend)
      for (const group of groups) message.messages.push(group)
      return
    }
  }

  if (parseType(cursor, message, depth + 1)) return
  const { field, group } = parseField(cursor, message.syntax, depth, undefined)
  message.fields.push(field)
  if (group !== undefined) message.messages.push(group)
}

function parseOneof(
  cursor: Cursor,
  message: Mutable<MessageNode> & { readonly syntax: Syntax },
  depth: number,
): void {
  const first = cursor.take()
  const name = cursor.identifier("the oneof's name").text
  const opened = cursor.expect('{', `behind oneof ${name}`)
  const options: OptionNode[] = []
  const oneof: OneofNode = { name, options, at: cursor.at(first), doc: cursor.docOf(first, opened) }
  const before = message.fields.length

  while (!cursor.takeIf('}')) {
    if (cursor.peek().kind === 'end') cursor.fail(`oneof ${name} never ends`, 'close it with }')
    if (cursor.takeIf(';')) continue

    if (cursor.takeIf('option')) {
      options.push(parseOption(cursor))
      continue
    }

    const { field, group } = parseField(cursor, message.syntax, depth, name)
    message.fields.push(field)
    if (group !== undefined) message.messages.push(group)
  }

  if (message.fields.length === before)
    cursor.fail(`oneof ${name} has no fields`, 'give it one, or take it away', first)
  message.oneofs.push(oneof)
}

const labels: ReadonlySet<string> = new Set(['optional', 'required', 'repeated'])

function parseField(
  cursor: Cursor,
  syntax: Syntax,
  depth: number,
  oneof: string | undefined,
): { field: FieldNode; group?: MessageNode } {
  const first = cursor.peek()
  let label: FieldNode['label'] = 'none'

  if (labels.has(first.text) && first.kind === 'identifier' && cursor.peek(1).text !== '=') {
    label = first.text as FieldNode['label']
    cursor.take()
    refuseLabel(cursor, syntax, label, oneof, first)
  }

  const typeToken = cursor.peek()
  if (typeToken.text === 'group' && cursor.peek(1).kind === 'identifier' && cursor.peek(2).text === '=')
    return parseGroup(cursor, syntax, depth, { first, label, oneof })

  const typeAt = cursor.at()
  const key = parseMapKey(cursor, label, oneof)
  const { text: type } = cursor.name(
    typeToken === first ? 'a field, a nested type, an option or }' : "the field's type",
  )
  if (key !== undefined) cursor.expect('>', "behind the type of the map's values")

  if (label === 'none' && key === undefined && oneof === undefined && syntax === 'proto2') {
    cursor.fail(
      `a field of proto2 needs a label in front of its type '${type}'`,
      'write optional, required or repeated, or syntax = "proto3" at the top of the file',
      typeToken,
    )
  }

  const { name, number, options, end } = parseNumbered(cursor, "the field's name")
  const semicolon = cursor.expect(';', `behind the field ${name}`)
  return {
    field: {
      name,
      number,
      label,
      type,
      typeAt,
      options,
      at: cursor.at(first),
      doc: cursor.docOf(first, semicolon ?? end),
      ...(key === undefined ? {} : { key }),
      ...(oneof === undefined ? {} : { oneof }),
    },
  }
}

function refuseLabel(
  cursor: Cursor,
  syntax: Syntax,
  label: FieldNode['label'],
  oneof: string | undefined,
  at: Token,
): void {
  if (oneof !== undefined) cursor.fail(`a field of a oneof has no label`, `take '${label}' away`, at)
  if (syntax === 'proto3' && label === 'required')
    cursor.fail("proto3 has no 'required'", 'take it away: whoever reads can check it', at)
  if (syntax !== 'editions' || label === 'repeated') return

  const better =
    label === 'optional'
      ? 'take it away: presence is explicit there'
      : 'write [features.field_presence = LEGACY_REQUIRED]'
  cursor.fail(`editions have no '${label}'`, better, at)
}

/** `map<key,` if that is what comes. */
function parseMapKey(
  cursor: Cursor,
  label: FieldNode['label'],
  oneof: string | undefined,
): Scalar | undefined {
  const word = cursor.peek()
  if (word.text !== 'map' || cursor.peek(1).text !== '<') return undefined
  if (label !== 'none') cursor.fail(`a map has no label`, `take '${label}' away`)
  if (oneof !== undefined) cursor.fail('a map cannot be in a oneof', 'put it into a message of its own')

  cursor.take()
  cursor.take()
  const key = cursor.peek()
  const { text } = cursor.name("the type of the map's keys")
  if (!scalars.has(text) || text === 'double' || text === 'float' || text === 'bytes')
    cursor.fail(`'${text}' cannot be a map's key`, 'keys are integers, bool or string', key)
  cursor.expect(',', "behind the type of the map's keys")
  return text as Scalar
}

/** `name = 1 [options]` */
function parseNumbered(
  cursor: Cursor,
  what: string,
): { name: string; number: number; options: OptionNode[]; end: Token } {
  const name = cursor.identifier(what).text
  cursor.expect('=', `and a number behind ${name}`)
  const end = cursor.peek()
  const number = parseFieldNumber(cursor)
  return { name, number, options: parseFieldOptions(cursor), end }
}

function parseFieldNumber(cursor: Cursor): number {
  const token = cursor.peek()
  const number = parseInteger(cursor, 'a field number')
  if (number < 1 || number > largestField)
    cursor.fail(`${token.text} is no field number`, `they go from 1 to ${largestField}`, token)
  if (number >= 19_000 && number <= 19_999)
    cursor.fail(`${number} is no field number`, '19000 to 19999 belong to protobuf itself', token)
  return number
}

function parseInteger(cursor: Cursor, what: string): number {
  const negative = cursor.takeIf('-')
  const token = cursor.peek()
  if (token.kind !== 'integer') cursor.fail(`expected ${what}, found ${shown(token)}`)
  const value = integerOf(cursor.take().text)
  return negative ? -value : value
}

/** Of `10`, `0x1F` and `017`. */
export function integerOf(text: string): number {
  return /^0\d/.test(text) ? Number.parseInt(text, 8) : Number(text)
}

function parseGroup(
  cursor: Cursor,
  syntax: Syntax,
  depth: number,
  begun: { first: Token; label: FieldNode['label']; oneof: string | undefined },
): { field: FieldNode; group: MessageNode } {
  const { first, label, oneof } = begun
  const word = cursor.take()
  if (syntax !== 'proto2') {
    const better =
      syntax === 'editions'
        ? 'write a message and a field of its type with [features.message_encoding = DELIMITED]'
        : 'write a message and a field of its type'
    cursor.fail(`${syntax} has no groups`, better, word)
  }
  if (label === 'none' && oneof === undefined)
    cursor.fail('a group needs a label', 'write optional, required or repeated', word)

  const typeAt = cursor.at()
  const nameToken = cursor.peek()
  const { name, number, options } = parseNumbered(cursor, "the group's name")
  if (!/^[A-Z]/.test(name))
    cursor.fail(`a group's name begins with a capital letter, '${name}' does not`, undefined, nameToken)

  const group = parseBody(cursor, first, name, syntax, depth + 1)
  return {
    group,
    field: {
      name: name.toLowerCase(),
      number,
      label,
      type: name,
      typeAt,
      group: true,
      options,
      at: cursor.at(first),
      doc: undefined,
      ...(oneof === undefined ? {} : { oneof }),
    },
  }
}

function parseRanges(cursor: Cursor, largest: number): RangeNode[] {
  const ranges: RangeNode[] = []

  do {
    const at = cursor.at()
    const start = cursor.peek()
    const from = parseInteger(cursor, 'a number')
    const to = !cursor.takeIf('to')
      ? from
      : cursor.takeIf('max')
        ? largest
        : parseInteger(cursor, "a number or 'max'")
    if (to < from) cursor.fail(`the range ${from} to ${to} is empty`, `write ${to} to ${from}`, start)
    ranges.push({ from, to, at })
  } while (cursor.takeIf(','))
  return ranges
}

function parseReserved(
  cursor: Cursor,
  into: { readonly reserved: RangeNode[]; readonly reservedNames: string[] },
  largest: number,
): void {
  cursor.take()
  const { kind } = cursor.peek()

  if (kind === 'string') {
    do into.reservedNames.push(cursor.string('a name'))
    while (cursor.takeIf(','))
  } else if (kind === 'identifier') {
    do into.reservedNames.push(cursor.identifier('a name').text)
    while (cursor.takeIf(','))
  } else {
    for (const range of parseRanges(cursor, largest)) into.reserved.push(range)
  }
  cursor.expect(';', 'behind what is reserved')
}

function parseEnum(cursor: Cursor, first: Token): EnumNode {
  cursor.take()
  const { text: name } = cursor.identifier("the enum's name")
  const opened = cursor.expect('{', `behind enum ${name}`)
  const made: Mutable<EnumNode> = {
    name,
    values: [],
    reserved: [],
    reservedNames: [],
    options: [],
    at: cursor.at(first),
    doc: cursor.docOf(first, opened),
  }

  while (!cursor.takeIf('}')) {
    const word = cursor.peek()
    if (word.kind === 'end')
      cursor.fail(`enum ${name} never ends`, `it begins on line ${made.at.line}; close it with }`)
    if (cursor.takeIf(';')) continue

    const assigned = cursor.peek(1).text === '='
    if (word.text === 'option' && !assigned) {
      cursor.take()
      made.options.push(parseOption(cursor))
    } else if (word.text === 'reserved' && !assigned) {
      parseReserved(cursor, made, largestEnum)
    } else {
      made.values.push(parseEnumValue(cursor))
    }
  }

  if (made.values.length === 0)
    cursor.fail(`enum ${name} has no values`, 'give it one whose number is 0', first)
  return made
}

function parseEnumValue(cursor: Cursor): EnumValueNode {
  const first = cursor.peek()
  const name = cursor.identifier('a value, an option or }').text
  cursor.expect('=', `and a number behind ${name}`)
  const at = cursor.peek()
  const number = parseInteger(cursor, "the value's number")
  if (number < -2_147_483_648 || number > largestEnum)
    cursor.fail(`${number} does not fit into 32 bits, as numbers of enums must`, undefined, at)

  const options = parseFieldOptions(cursor)
  const end = cursor.expect(';', `behind the value ${name}`)
  return { name, number, options, at: cursor.at(first), doc: cursor.docOf(first, end) }
}

function parseExtend(
  cursor: Cursor,
  syntax: Syntax,
  depth: number,
): { extend: ExtendNode; groups: MessageNode[] } {
  const first = cursor.take()
  const { text: extendee } = cursor.name('the extended message')
  const groups: MessageNode[] = []
  const fields: FieldNode[] = []
  cursor.expect('{', `behind extend ${extendee}`)

  while (!cursor.takeIf('}')) {
    if (cursor.peek().kind === 'end') cursor.fail(`extend ${extendee} never ends`, 'close it with }')
    if (cursor.takeIf(';')) continue
    const { field, group } = parseField(cursor, syntax, depth, undefined)
    fields.push(field)
    if (group !== undefined) groups.push(group)
  }
  return { extend: { extendee, fields, at: cursor.at(first) }, groups }
}

function parseService(cursor: Cursor): ServiceNode {
  const first = cursor.take()
  const { text: name } = cursor.identifier("the service's name")
  const opened = cursor.expect('{', `behind service ${name}`)
  const service: Mutable<ServiceNode> = {
    name,
    methods: [],
    options: [],
    at: cursor.at(first),
    doc: cursor.docOf(first, opened),
  }

  while (!cursor.takeIf('}')) {
    const word = cursor.peek()
    if (cursor.takeIf(';')) continue
    if (word.text === 'option') {
      cursor.take()
      service.options.push(parseOption(cursor))
    } else if (word.text === 'rpc') {
      service.methods.push(parseMethod(cursor))
    } else if (word.kind === 'end') {
      cursor.fail(`service ${name} never ends`, `it begins on line ${service.at.line}; close it with }`)
    } else {
      cursor.fail(`expected rpc, option or }, found ${shown(word)}`)
    }
  }
  return service
}

function parseMethod(cursor: Cursor): MethodNode {
  const first = cursor.take()
  const { text: name } = cursor.identifier("the method's name")
  const input = parseMessageType(cursor, name)
  cursor.expect('returns', `behind the input of ${name}`)
  const output = parseMessageType(cursor, name)
  const options: OptionNode[] = []
  const end = cursor.peek()

  if (cursor.takeIf('{')) {
    while (!cursor.takeIf('}')) {
      if (cursor.takeIf(';')) continue
      if (cursor.peek().kind === 'end') cursor.fail(`rpc ${name} never ends`, 'close it with }')
      cursor.expect('option', `or } in rpc ${name}`)
      options.push(parseOption(cursor))
    }
  } else {
    cursor.expect(';', `or { behind rpc ${name}`)
  }

  return {
    name,
    input: input.type,
    inputAt: input.at,
    clientStreaming: input.stream,
    output: output.type,
    outputAt: output.at,
    serverStreaming: output.stream,
    options,
    at: cursor.at(first),
    doc: cursor.docOf(first, end),
  }
}

function parseMessageType(
  cursor: Cursor,
  method: string,
): { type: string; at: FieldNode['at']; stream: boolean } {
  cursor.expect('(', `and a message in rpc ${method}`)
  const next = cursor.peek(1)
  const stream = cursor.peek().text === 'stream' && (next.kind === 'identifier' || next.text === '.')
  if (stream) cursor.take()
  const { text, at } = cursor.name(`a message in rpc ${method}`)
  cursor.expect(')', `behind ${text}`)
  return { type: text, at, stream }
}
