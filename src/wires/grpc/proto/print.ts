/**
 * Descriptors as a .proto file: proto3, or edition 2023 where proto3 has no word. Pure.
 *
 * Lines are at most 100 characters long, except for names that are longer.
 */
import { lowerCamelCase } from '../../../schema/names.ts'
import type {
  EnumDescriptor,
  FieldDescriptor,
  FieldType,
  FileDescriptor,
  HttpRule,
  MessageDescriptor,
  MethodDescriptor,
  Reserved,
  ServiceDescriptor,
} from './descriptor.ts'

const width = 100

/** The text of a file. `known`: the full names of all types and packages, so that short names mean what they should. */
export function printProto(file: FileDescriptor, known: ReadonlySet<string>): string {
  const editions = file.syntax === 'editions'
  const context: Context = { editions, known, ownPackage: file.package }
  const declarations = [
    ...file.services.map((service) => serviceLines(service, context)),
    ...file.messages.map((message) => messageLines(message, context)),
    ...file.enums.map((one) => enumLines(one, context)),
  ]

  const sections = [
    [
      ...commentLines(file.doc),
      editions ? `edition = ${quote(file.edition)};` : `syntax = ${quote(file.syntax)};`,
    ],
    file.package === '' ? [] : [`package ${file.package};`],
    file.imports.map(({ path, kind }) => `import ${kind === 'plain' ? '' : `${kind} `}${quote(path)};`),
    editions ? ['option features.field_presence = IMPLICIT;'] : [],
    ...declarations,
  ]
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

interface Context {
  readonly editions: boolean
  readonly known: ReadonlySet<string>
  readonly ownPackage: string
}

/** The names of all types and packages of some files. */
export function knownNames(files: Iterable<FileDescriptor>): Set<string> {
  const names = new Set<string>(['google', 'google.protobuf', 'google.api'])
  const add = (message: MessageDescriptor): void => {
    names.add(message.name)
    for (const one of message.enums) names.add(one.name)
    for (const nested of message.messages) add(nested)
  }

  for (const file of files) {
    const parts = file.package.split('.')
    for (const index of parts.keys()) names.add(parts.slice(0, index + 1).join('.'))
    for (const message of file.messages) add(message)
    for (const one of file.enums) names.add(one.name)
    for (const { name, methods } of file.services) {
      names.add(name)
      // Compilers find a method before a message of the same name.
      for (const method of methods) names.add(`${name}.${method.name}`)
    }
  }
  return names
}

/**
 * The name of a type from within a scope: short in its own package, whole in others, and with a dot in front where
 * protobuf, which decides by the first part of a name, would find something else.
 */
function nameWithin(name: string, scope: string, { known, ownPackage }: Context): string {
  const isInside = (around: string): boolean =>
    around.length >= ownPackage.length && name.startsWith(`${around}.`) && around !== ''

  for (let around = scope; isInside(ownPackage) && around !== ''; around = outer(around)) {
    if (!isInside(around)) continue
    const short = name.slice(around.length + 1)
    if (meaning(short, scope, known) === name) return short
  }
  return meaning(name, scope, known) === name ? name : `.${name}`
}

function outer(scope: string): string {
  return scope.slice(0, Math.max(0, scope.lastIndexOf('.')))
}

function meaning(short: string, scope: string, known: ReadonlySet<string>): string {
  const first = short.split('.')[0] as string
  for (let around = scope; ; around = outer(around)) {
    const prefix = around === '' ? '' : `${around}.`
    if (around === '' || known.has(`${prefix}${first}`)) return `${prefix}${short}`
  }
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`
}

/** Documentation as line comments, its long lines broken. */
function commentLines(doc: string | undefined, indent = 0): string[] {
  if (doc === undefined) return []
  const room = width - indent - 3

  return doc.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).flatMap((line) => {
    const lines: string[] = []
    const lead = /^\s*/.exec(line)?.[0] ?? ''
    let current = ''
    for (const word of line.trim().split(/\s+/)) {
      if (current !== '' && lead.length + current.length + 1 + word.length > room) {
        lines.push(`// ${lead}${current}`)
        current = word
      } else current = current === '' ? word : `${current} ${word}`
    }
    return [...lines, `// ${lead}${current}`.trimEnd()]
  })
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}

function block(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [`${head} {}`] : [`${head} {`, ...indented(lines), '}']
}

function messageLines(message: MessageDescriptor, context: Context): string[] {
  const { fields, oneofs, name } = message
  const done = new Set<string>()
  const members: string[][] = []
  const line = (field: FieldDescriptor): string[] => fieldLines(field, name, context)

  for (const field of fields) {
    if (field.oneof === undefined) {
      members.push(line(field))
    } else if (!done.has(field.oneof)) {
      done.add(field.oneof)
      const own = fields.filter(({ oneof }) => oneof === field.oneof)
      const doc = oneofs.find((oneof) => oneof.name === field.oneof)?.doc
      members.push([...commentLines(doc), ...block(`oneof ${field.oneof}`, joined(own.map(line)))])
    }
  }

  const lines = sections([
    [
      ...(message.deprecated === true ? ['option deprecated = true;'] : []),
      ...reservedLines(message.reserved, context),
    ],
    joined(members),
    ...message.messages.map((one) => messageLines(one, context)),
    ...message.enums.map((one) => enumLines(one, context)),
  ])
  return [...commentLines(message.doc), ...block(`message ${message.local}`, lines)]
}

/** Those with comments or a body stand apart. */
function joined(members: readonly (readonly string[])[]): string[] {
  return members.flatMap((lines, index) => {
    const apart = index > 0 && (lines.length > 1 || (members[index - 1]?.length ?? 0) > 1)
    return apart ? ['', ...lines] : lines
  })
}

function sections(parts: readonly (readonly string[])[]): string[] {
  return parts
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

function reservedLines({ ranges, names }: Reserved, { editions }: Context): string[] {
  const numbers = ranges.map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`))
  return [...listLines('reserved', numbers), ...listLines('reserved', editions ? names : names.map(quote))]
}

function listLines(word: string, items: readonly string[]): string[] {
  const lines: string[] = []
  let current = ''
  for (const item of items) {
    if (current !== '' && word.length + current.length + item.length + 8 > width) {
      lines.push(`${word} ${current};`)
      current = item
    } else current = current === '' ? item : `${current}, ${item}`
  }
  return current === '' ? lines : [...lines, `${word} ${current};`]
}

function fieldLines(field: FieldDescriptor, scope: string, context: Context): string[] {
  const { name, number, shape, presence, oneof } = field
  const type = typeName(field.type, scope, context)
  const whole = shape === 'map' ? `map<${field.key}, ${type}>` : type
  const optional =
    shape === 'single' && presence === 'explicit' && field.type.kind !== 'message' && oneof === undefined
  const label = shape === 'repeated' ? 'repeated ' : optional && !context.editions ? 'optional ' : ''

  const options: string[] = []
  if (context.editions && optional) options.push('features.field_presence = EXPLICIT')
  if (presence === 'required') options.push('features.field_presence = LEGACY_REQUIRED')
  if (field.packed === false)
    options.push(context.editions ? 'features.repeated_field_encoding = EXPANDED' : 'packed = false')
  if (field.delimited === true) options.push('features.message_encoding = DELIMITED')
  if (field.jsonName !== lowerCamelCase(name)) options.push(`json_name = ${quote(field.jsonName)}`)
  if (field.deprecated === true) options.push('deprecated = true')

  const said = options.length === 0 ? '' : ` [${options.join(', ')}]`
  return [...commentLines(field.doc, 2), `${label}${whole} ${name} = ${number}${said};`]
}

function typeName(type: FieldType, scope: string, context: Context): string {
  return type.kind === 'scalar' ? type.scalar : nameWithin(type.name, scope, context)
}

function enumLines({ doc, deprecated, local, values, reserved }: EnumDescriptor, context: Context): string[] {
  const numbers = new Set(values.map(({ number }) => number))
  const lines = sections([
    [
      ...(numbers.size < values.length ? ['option allow_alias = true;'] : []),
      ...(deprecated === true ? ['option deprecated = true;'] : []),
      ...reservedLines(reserved, context),
    ],
    joined(
      values.map((value) => [
        ...commentLines(value.doc, 2),
        `${value.name} = ${value.number}${value.deprecated === true ? ' [deprecated = true]' : ''};`,
      ]),
    ),
  ])
  return [...commentLines(doc), ...block(`enum ${local}`, lines)]
}

// ── Services ──

function serviceLines(
  { doc, deprecated, local, name, methods }: ServiceDescriptor,
  context: Context,
): string[] {
  const lines = sections([
    deprecated === true ? ['option deprecated = true;'] : [],
    ...methods.map((method) => methodLines(method, name, context)),
  ])
  return [...commentLines(doc), ...block(`service ${local}`, lines)]
}

function methodLines(method: MethodDescriptor, scope: string, context: Context): string[] {
  const type = (name: string, stream: boolean): string =>
    `(${stream ? 'stream ' : ''}${nameWithin(name, scope, context)})`
  const head = `rpc ${method.name}${type(method.input, method.clientStreaming)} returns ${type(method.output, method.serverStreaming)}`
  const options = [
    ...(method.deprecated === true ? ['option deprecated = true;'] : []),
    ...(method.idempotency === undefined ? [] : [`option idempotency_level = ${method.idempotency};`]),
    ...(method.http === undefined ? [] : httpLines(method.http)),
  ]
  return [...commentLines(method.doc, 2), ...(options.length === 0 ? [`${head};`] : block(head, options))]
}

function httpLines({ method, path, body, responseBody }: HttpRule): string[] {
  const verb = method.toLowerCase()
  const pattern = ['get', 'put', 'post', 'delete', 'patch'].includes(verb)
    ? `${verb}: ${quote(path)}`
    : `custom: { kind: ${quote(method)} path: ${quote(path)} }`
  return [
    'option (google.api.http) = {',
    `  ${pattern}`,
    ...(body === undefined ? [] : [`  body: ${quote(body)}`]),
    ...(responseBody === undefined ? [] : [`  response_body: ${quote(responseBody)}`]),
    '};',
  ]
}
