/**
 * Types as zod writes them. A table of kinds; pure. What no import gives (unions, tuples, checks) has no case here.
 */
import { lowerCamelCase, snakeCase, upperSnakeCase } from '../../../../schema/names.ts'
import type { EnumType, Field, Json, ObjectType, Slot, Type } from '../../../../schema/type.ts'
import { jsonLiteral, key, quoted, textLines, width } from './literal.ts'
import { slotReferences } from './references.ts'

export interface SchemaContext {
  /** Constants by the names of types. */
  readonly constOf: (type: string) => string
  /** Types that are declared together with the one at hand: they are referred to by getters. */
  readonly together: ReadonlySet<string>
  /** Documentation of an enum's values. */
  readonly valueDocs: ReadonlyMap<string, string>
}

/** `export const Order = z.object({ … }).meta({ id: 'Order' })` */
export function objectLines(name: string, type: ObjectType, context: SchemaContext): string[] {
  const fields = type.fields.flatMap((field) => fieldLines(field, context))
  const head = `export const ${context.constOf(name)} = z`
  const meta = metaOf({ id: name, ...documentation(type) })

  if (fields.length === 0) return withMeta(`${head}.object({})`, meta, 0)
  return [head, '  .object({', ...fields.map((line) => `    ${line}`), '  })', ...metaCall(meta, 2)]
}

/** `export const Status = z.enum([…]).meta({ id: 'Status' })` */
export function enumLines(name: string, type: EnumType, context: SchemaContext): string[] {
  const values = type.values.map(({ value }) => String(value))
  const odd = type.values.filter((value) => upperSnakeCase(String(value.value)) !== value.name)
  const enumNames = Object.fromEntries(odd.map((value) => [String(value.value), value.name]))
  const meta = metaOf({ id: name, ...(odd.length === 0 ? {} : { enumNames }), ...documentation(type) })
  const head = `export const ${context.constOf(name)} = z`
  const short = `${head}.enum([${values.map(quoted).join(', ')}])`

  if (context.valueDocs.size === 0 && short.length <= 70) return withMeta(short, meta, 0)
  return [
    head,
    '  .enum([',
    ...values.flatMap((value) => [
      ...commentLines(context.valueDocs.get(value)).map((line) => `    ${line}`),
      `    ${quoted(value)},`,
    ]),
    '  ])',
    ...metaCall(meta, 2),
  ]
}

function commentLines(doc: string | undefined): string[] {
  if (doc === undefined) return []
  const lines: string[] = []
  for (const paragraph of doc.split('\n')) {
    let current = ''
    for (const word of paragraph.split(' ')) {
      if (current !== '' && current.length + word.length > width - 10) {
        lines.push(`// ${current}`)
        current = word
      } else current = current === '' ? word : `${current} ${word}`
    }
    lines.push(`// ${current}`.trimEnd())
  }
  return lines
}

function documentation({ doc, deprecated }: { readonly doc?: string; readonly deprecated?: true }): Meta {
  return {
    ...(doc === undefined ? {} : { description: doc }),
    ...(deprecated === true ? { deprecated: true } : {}),
  }
}

type Meta = Readonly<Record<string, Json>>

function metaOf(meta: Meta): Meta {
  return meta
}

/** A field, or a getter when its type is still being declared. */
function fieldLines(field: Field, context: SchemaContext): string[] {
  const meta = fieldMeta(field)
  const base = `${slotExpression(field, context)}${modifier(field)}`
  const recursive = slotReferences(field).some((name) => context.together.has(name))
  const { description, ...rest } = meta

  if (!recursive) {
    const lines = withMeta(`${key(field.name)}: ${base}`, meta, 4)
    return [...lines.slice(0, -1), `${lines.at(-1)},`]
  }

  const said = description === undefined && Object.keys(rest).length === 0 ? [] : withMeta(base, meta, 6)
  return [
    `get ${key(field.name)}(): ${fieldTypeExpression(field, context)} {`,
    ...(said.length === 0
      ? [`  return ${base}`]
      : said.map((line, index) => (index === 0 ? `  return ${line}` : `  ${line}`))),
    '},',
  ]
}

function fieldMeta(field: Field): Meta {
  // On a list or a map `protobuf` belongs to the whole of it; elements have their own.
  return {
    ...(field.protobuf === undefined ? {} : { protobuf: field.protobuf }),
    ...(field.proto === undefined || field.proto === snakeCase(field.name) ? {} : { proto: field.proto }),
    ...(field.json === undefined || field.json === lowerCamelCase(field.proto ?? snakeCase(field.name))
      ? {}
      : { json: field.json }),
    ...(field.oneof === undefined ? {} : { oneof: field.oneof }),
    ...(field.presence === undefined ? {} : { presence: field.presence }),
    ...(field.packed === undefined ? {} : { packed: field.packed }),
    ...documentation(field),
  }
}

/** The expression with `.describe()` or `.meta()` behind it. */
function withMeta(expression: string, meta: Meta, indent: number): string[] {
  const [first, ...rest] = metaCall(meta, 0, indent + expression.length)
  if (first === undefined) return [expression]
  return [`${expression}${first}`, ...rest]
}

function metaCall(meta: Meta, indent: number, used = indent): string[] {
  const { description, ...rest } = meta
  const pad = ' '.repeat(indent)
  const others = Object.entries(rest).map(([name, value]) => `${key(name)}: ${jsonLiteral(value)}`)

  if (description === undefined) return others.length === 0 ? [] : [`${pad}.meta({ ${others.join(', ')} })`]

  const text = String(description)
  if (others.length === 0) {
    const lines = textLines(text, used, '.describe(),'.length)
    if (lines.length === 1) return [`${pad}.describe(${lines[0]})`]
    const broken = textLines(text, indent + 8, 0)
    return [
      `${pad}.describe(`,
      ...broken.map((line, index) => `${pad}  ${line}${index === broken.length - 1 ? ',' : ''}`),
      `${pad})`,
    ]
  }

  const whole = `.meta({ ${[...others, `description: ${quoted(text)}`].join(', ')} })`
  if (used + whole.length < width) return [`${pad}${whole}`]
  const broken = textLines(text, indent + 10, 'description: '.length)
  const said =
    broken.length === 1
      ? [`${pad}  description: ${broken[0]},`]
      : [
          `${pad}  description:`,
          ...broken.map((line, index) => `${pad}    ${line}${index === broken.length - 1 ? ',' : ''}`),
        ]
  return [`${pad}.meta({`, ...others.map((one) => `${pad}  ${one},`), ...said, `${pad}})`]
}

/** A whole message's schema: `Order`, or what stands for a well-known one. */
export function rootExpression(slot: Slot, context: SchemaContext): string {
  return elementExpression(slot, context)
}

function elementExpression(slot: Slot, context: SchemaContext): string {
  const base = slotExpression(slot, context)
  return slot.protobuf === undefined ? base : `${base}.meta({ protobuf: ${quoted(slot.protobuf)} })`
}

/** Without what the slot's `protobuf` says. */
function slotExpression({ type }: Slot, context: SchemaContext): string {
  switch (type.kind) {
    case 'string':
      return 'z.string()'
    case 'bool':
      return 'z.boolean()'
    case 'bytes':
      return 'z.instanceof(Uint8Array)'
    case 'instant':
      return 'z.date()'
    case 'json':
      return 'z.json()'
    case 'int':
      return `z.${type.signed ? '' : 'u'}int${type.bits}()`
    case 'float':
      return type.bits === 32 ? 'z.float32()' : 'z.number()'
    case 'ref':
      return context.constOf(type.to)
    case 'list':
      return `z.array(${elementExpression(type.of, context)})`
    case 'map':
      return `z.${type.js}(${slotExpression({ type: type.key }, context)}, ${elementExpression(type.of, context)})`
    default:
      throw new Error(`no import gives a ${type.kind}`)
  }
}

function modifier(field: Field): string {
  if (field.default !== undefined) return `.default(${defaultExpression(field.type, field.default)})`
  return field.optional === true ? '.optional()' : ''
}

/** From our JSON to what TypeScript has. */
function defaultExpression(type: Type, value: Json): string {
  if (type.kind === 'int' && type.js === 'bigint') return `${String(value)}n`
  if (type.kind === 'map' && type.js === 'map') return '() => new Map()'
  if (type.kind !== 'bytes') return jsonLiteral(value)

  const bytes = [...Buffer.from(String(value), 'base64')]
  return bytes.length === 0 ? '() => new Uint8Array()' : `() => Uint8Array.of(${bytes.join(', ')})`
}

// ── Types of getters, which TypeScript cannot infer where types refer to each other ──

function fieldTypeExpression(field: Field, context: SchemaContext): string {
  const base = typeExpression(field.type, context)
  if (field.default !== undefined) return `z.ZodDefault<${base}>`
  return field.optional === true ? `z.ZodOptional<${base}>` : base
}

function typeExpression(type: Type, context: SchemaContext): string {
  switch (type.kind) {
    case 'ref':
      return `typeof ${context.constOf(type.to)}`
    case 'list':
      return `z.ZodArray<${typeExpression(type.of.type, context)}>`
    case 'map': {
      const name = type.js === 'record' ? 'ZodRecord' : 'ZodMap'
      return `z.${name}<${keyTypes[slotExpression({ type: type.key }, context)]}, ${typeExpression(type.of.type, context)}>`
    }
    default:
      throw new Error(`a ${type.kind} refers to nothing`)
  }
}

const keyTypes: Readonly<Record<string, string>> = {
  'z.string()': 'z.ZodString',
  'z.boolean()': 'z.ZodBoolean',
  'z.int32()': 'z.ZodInt32',
  'z.uint32()': 'z.ZodUInt32',
  'z.int64()': 'z.ZodInt64',
  'z.uint64()': 'z.ZodUInt64',
}
