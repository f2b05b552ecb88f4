/**
 * Writes docs/types.md from the code: every row's Type is what the reader of schemas makes of the schema beside it, and
 * every refusal is the message that it gives. `--check` only compares, and exits 1 when the page is not current.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as z from 'zod'
import { layout } from '../src/codec/protobuf/layout.ts'
import { protoTypeOf, type ValueLayout } from '../src/codec/protobuf/message-layout.ts'
import { tableBuilder } from '../src/schema/from-standard.ts'
import { declarationOrder } from '../src/schema/numbers.ts'
import type { Field, Schema, Slot, StringType, Type, Types } from '../src/schema/type.ts'
import { Undeclarable } from '../src/schema/undeclarable.ts'

export const page = 'docs/types.md'

/** The source text of each function is what the page shows. */
const carried: readonly (() => z.ZodType)[] = [
  () => z.string(),
  () => z.uuid(),
  () => z.email(),
  () => z.url(),
  () => z.iso.date(),
  () => z.iso.time(),
  () => z.iso.datetime(),
  () => z.iso.duration(),
  () => z.ipv4(),
  () => z.boolean(),
  () => z.int32(),
  () => z.uint32(),
  () => z.int(),
  () => z.number().int(),
  () => z.int64(),
  () => z.uint64(),
  () => z.bigint(),
  () => z.float32(),
  () => z.number(),
  () => z.date(),
  () => z.instanceof(Uint8Array),
  () => z.json(),
  () => z.literal('card'),
  () => z.literal([1, 2]),
  () => z.literal([0.5, 1]),
  () => z.enum(['new', 'paid']),
  () => z.enum({ Low: 0, High: 10 }),
  () => z.object({ sku: z.string() }),
  () => z.strictObject({ sku: z.string() }),
  () => z.discriminatedUnion('type', [z.object({ type: z.literal('card') })]),
  () => z.array(z.string()),
  () => z.set(z.string()),
  () => z.tuple([z.string(), z.boolean()]),
  () => z.tuple([z.string()], z.boolean()),
  () => z.record(z.string(), z.boolean()),
  () => z.record(z.enum(['a', 'b']), z.boolean()),
  () => z.map(z.int32(), z.string()),
]

const refused: readonly (() => z.ZodType)[] = [
  () => z.string().transform(Number),
  () => z.preprocess(Number, z.number()),
  () => z.coerce.number(),
  () => z.string().catch(''),
  () => z.any(),
  () => z.unknown(),
  () => z.union([z.string(), z.number()]),
  () => z.intersection(z.object({}), z.object({})),
  () => z.looseObject({}),
  () => z.array(z.string().optional()),
  () => z.string().default(() => String(Math.random())),
  () => z.instanceof(Map),
  () => z.file(),
  () => z.literal(null),
  () => z.null(),
  () => z.undefined(),
  () => z.void(),
  () => z.never(),
  () => z.nan(),
  () => z.symbol(),
  () => z.promise(z.string()),
  () => z.templateLiteral(['a', z.string()]),
  () => z.map(z.number(), z.string()),
]

const sourceOf = (make: () => z.ZodType): string =>
  make
    .toString()
    .replace(/^\(\)\s*=>\s*/, '')
    .replace(/\s+/g, ' ')

function read(schema: StandardSchemaV1): { slot: Slot; types: Types } {
  const builder = tableBuilder(declarationOrder())
  const { slot } = builder.read(z.object({ x: schema as z.ZodType }), 'Order', 'acme.orders.v1/place input')
  const order = builder.types.Order

  if (slot.type.kind !== 'ref' || order?.kind !== 'object' || order.fields[0] === undefined)
    throw new Error('no field')

  return { slot: order.fields[0], types: builder.types }
}

// --- one column each

function modelOf(type: Type, types: Types): string {
  if (type.kind === 'ref') return types[type.to]?.kind ?? 'ref'
  if (type.kind === 'list' || type.kind === 'map')
    return `${type.kind}, ${type.js}${'keys' in type ? ', all keys' : ''}`
  if (type.kind === 'int') return `int, ${type.bits} bits, ${type.signed ? 'signed' : 'unsigned'}, ${type.js}`
  if (type.kind === 'float') return `float, ${type.bits} bits`
  if (type.kind === 'string' && type.format !== undefined) return `string, format ${type.format}`

  return type.kind
}

function typescriptOf(type: Type, types: Types): string {
  switch (type.kind) {
    case 'string':
      return 'string'
    case 'bool':
      return 'boolean'
    case 'int':
      return type.js
    case 'float':
      return 'number'
    case 'bytes':
      return 'Uint8Array'
    case 'instant':
      return 'Date'
    case 'json':
      return 'any JSON value'
    case 'literal':
      return type.values.map((value) => JSON.stringify(value)).join(' | ')
    case 'list':
      return type.js === 'set'
        ? `Set<${typescriptOf(type.of.type, types)}>`
        : `${typescriptOf(type.of.type, types)}[]`
    case 'tuple': {
      const items = type.items.map((item) => typescriptOf(item.type, types))
      const rest = type.rest === undefined ? [] : [`...${typescriptOf(type.rest.type, types)}[]`]

      return `[${[...items, ...rest].join(', ')}]`
    }
    case 'map':
      return `${type.js === 'map' ? 'Map' : 'Record'}<${typescriptOf(type.key, types)}, ${typescriptOf(type.of.type, types)}>`
    case 'ref': {
      const named = types[type.to]

      return named?.kind === 'enum'
        ? named.values.map(({ value }) => JSON.stringify(value)).join(' | ')
        : 'object'
    }
  }
}

/** What the codec's own layout makes of a field of the type. */
function protobufOf(type: Type, types: Types): string {
  const field: Field = { name: 'field', number: 1, type }
  const schema: Schema = {
    root: { type: { kind: 'ref', to: 'Doc' } },
    types: { ...types, Doc: { kind: 'object', fields: [field], unknown: 'strip' } },
  }
  const [made] = layout(schema).root.fields
  if (made === undefined) throw new Error('the layout has lost the field')

  const { shape, key, value } = made
  if (shape === 'map' && key !== undefined) return `map<${protoTypeOf(key)}, ${valueInWords(value)}>`
  return shape === 'repeated' ? `repeated ${valueInWords(value)}` : valueInWords(value)
}

function valueInWords(value: ValueLayout): string {
  if (value.kind === 'enum') return 'an enum'
  if (value.kind !== 'message') return protoTypeOf(value)
  if (value.of.kind === 'union') return 'a message with one oneof'
  if (value.of.tuple === undefined) return 'a message'
  return `a message with the fields 1 to n${value.of.tuple.rest === undefined ? '' : '; the rest is repeated field n + 1'}`
}

function jsonOf(type: Type, types: Types, dialect: 'ours' | 'ProtoJSON'): string {
  switch (type.kind) {
    case 'string':
      return 'string'
    case 'bool':
      return 'boolean'
    case 'int':
      if (type.bits === 32) return 'number'
      if (dialect === 'ProtoJSON') return 'decimal string'

      return type.js === 'bigint' ? 'decimal string; a number is read too within ±(2^53 − 1)' : 'number'
    case 'float':
      return dialect === 'ours' ? 'number, always finite' : 'number, or "NaN", "Infinity", "-Infinity"'
    case 'bytes':
      return 'base64 string'
    case 'instant':
      return dialect === 'ours' ? 'RFC 3339 string with milliseconds and Z' : 'RFC 3339 string'
    case 'json':
      return 'the value itself'
    case 'literal':
      return 'the value'
    case 'list':
    case 'tuple':
      return type.kind === 'tuple' && dialect === 'ProtoJSON' ? 'object of the message' : 'array'
    case 'map':
      return 'object, its keys as strings'
    case 'ref': {
      const kind = types[type.to]?.kind

      if (kind === 'enum') return dialect === 'ours' ? 'the value' : 'the name in the document'
      if (kind === 'union')
        return dialect === 'ours' ? 'object of the variant' : 'object with one member, the variant'

      return dialect === 'ours' ? 'object' : 'object, lowerCamelCase names'
    }
  }
}

const xsdFormats: Readonly<Record<string, string>> = {
  date: 'xs:date',
  time: 'xs:time',
  'date-time': 'xs:dateTime',
  duration: 'xs:duration',
  uri: 'xs:anyURI',
}

function xsdOf(type: Type, types: Types): string {
  switch (type.kind) {
    case 'string':
      return xsdFormats[(type as StringType).format ?? ''] ?? 'xs:string'
    case 'bool':
      return 'xs:boolean'
    case 'int':
      return `xs:${type.bits === 32 ? (type.signed ? 'int' : 'unsignedInt') : type.signed ? 'long' : 'unsignedLong'}`
    case 'float':
      return type.bits === 32 ? 'xs:float' : 'xs:double'
    case 'bytes':
      return 'xs:base64Binary'
    case 'instant':
      return 'xs:dateTime'
    case 'json':
      return 'xs:string that holds JSON'
    case 'literal':
      return 'a restriction with enumeration'
    case 'list':
      return `${xsdOf(type.of.type, types)}, maxOccurs="unbounded"`
    case 'tuple':
      return 'a sequence of item1 … itemN'
    case 'map':
      return 'a sequence of entry (key, value)'
    case 'ref': {
      const kind = types[type.to]?.kind

      return kind === 'enum'
        ? 'a restriction with enumeration'
        : kind === 'union'
          ? 'a choice'
          : 'a complexType'
    }
  }
}

// --- the page

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function kinds(): string {
  return table(
    ['in zod', 'Type', 'TypeScript', 'protobuf', 'JSON (ours)', 'ProtoJSON', 'XSD'],
    carried.map((make) => {
      const {
        slot: { type },
        types,
      } = read(make())

      return [
        `\`${sourceOf(make)}\``,
        modelOf(type, types),
        `\`${typescriptOf(type, types)}\``,
        protobufOf(type, types),
        jsonOf(type, types, 'ours'),
        jsonOf(type, types, 'ProtoJSON'),
        xsdOf(type, types),
      ]
    }),
  )
}

function refusals(): string {
  return table(
    ['in zod', 'code', 'why, and what to use instead'],
    refused.map((make) => {
      try {
        read(make())
      } catch (error) {
        if (!(error instanceof Undeclarable)) throw error

        const [, message = error.message] = /^[^:]+: (.*)$/s.exec(error.message) ?? []

        return [`\`${sourceOf(make)}\``, `\`${error.code}\``, message]
      }

      throw new Error(`${sourceOf(make)} is carried, but listed as refused`)
    }),
  )
}

export default function render(): string {
  return `<!-- Written by scripts/types-doc.ts from the code. Do not edit: run \`node scripts/types-doc.ts\`. -->

# Types

A contract's schemas are read once, when it is declared, into one Type model: plain JSON data from which every codec and
every document is compiled. zod 4 (classic and mini) is read directly. Any other library with Standard JSON Schema
(ArkType; Valibot through \`toStandardJsonSchema()\` of \`@valibot/to-json-schema\`) is read from the JSON Schema that it
gives, and its own \`validate\` runs on every decoded value. What cannot be carried is refused by \`contract()\`, with the
operation, the path and what to use instead.

## Kinds

${kinds()}

\`z.lazy()\` and getters may be recursive as long as the recursion passes through an object. \`.brand()\` and \`.readonly()\`
change nothing. \`z.union()\` is carried when it is \`X | null\`, \`X | undefined\` or a choice of literals. A \`z.bigint()\` is an
int64; one that is never negative and may exceed int64 is a uint64.

## Checks

Bounds, lengths, patterns, multiples and formats are validated by every codec, on every wire. A format with a pattern of
the library's own is validated by that pattern. What only the library can check or change (\`.refine()\`, \`.superRefine()\`,
\`.check()\`, \`.trim()\`, \`.toLowerCase()\`, \`.overwrite()\`, \`z.jwt()\`, \`z.url({ hostname })\`) runs in the library on the decoded
value, only for schemas that contain such a thing, and what it returns is used.

Lengths of strings are counted in Unicode code points, as JSON Schema has it and zod since the releases of August 2026.
Earlier releases, 4.1.0 among them, count UTF-16 units, and leave less room for rounding in \`.multipleOf()\` of fractions:
where releases differ, a codec takes what the newest zod takes.

## Optional, nullable, default

| | TypeScript | JSON (ours) | ProtoJSON | protobuf | XSD |
| --- | --- | --- | --- | --- | --- |
| required | \`T\` | must be there | may be absent where protobuf has a zero value | see below | \`minOccurs="1"\` |
| \`.optional()\` | \`T \\| undefined\` | absent | absent, or null | absent | \`minOccurs="0"\` |
| \`.nullable()\` | \`T \\| null\` | null; must be there | null, or absent | absent | \`nillable="true"\` |
| \`.nullish()\` | \`T \\| null \\| undefined\` | null, or absent | as protobuf's box | a box | \`minOccurs="0" nillable="true"\` |
| \`.default(v)\` | \`T\` when read | absent means \`v\` | absent, or null, means \`v\` | absent means \`v\` | \`minOccurs="0"\` |

A default is kept in the form of our own JSON. A function as default is called twice when the contract is declared: when it
gives equal values, that value is the default; otherwise it is refused, since the two sides would not agree on it.
Elements of lists, values of maps and items of tuples can be nullable, but neither optional nor have a default. Neither can
a whole message have a default.

## protobuf

1. **A required scalar, enum or bytes field** has implicit presence: the zero value is not written, and an absent field is
   read as the zero value, which is then validated. An enum or literal without a zero value that is absent is "missing". A
   literal with a single value that is absent reads as that value.
2. **A required object, instant, union, json or box** that is absent is "missing".
3. **An optional or nullable scalar**, and one whose default is not its zero value, has explicit presence (\`optional\`): absent is
   undefined, null or the default. A default that is the zero value needs no presence, since absent says it.
4. **Lists and maps** are repeated and map fields: absent is empty.
5. **A box**, a generated message with the one field 1 (\`value\`, or repeated \`values\`), stands wherever protobuf has no form:
   - a nullable element of a list, and a nullable value of a map;
   - a list in a list, and a list or map in a map or list;
   - an optional or nullable list or map field, and a defaulted one unless its default is empty;
   - a nullish field: no box is undefined, an empty box is null, a box with a value is the value;
   - a root that is not just an object or union: a scalar, a list, a nullable object.

   A JSON value needs none to be null, since \`google.protobuf.Value\` has a null of its own; neither does a field whose
   default is null, since absent says it.
6. **A tuple** is a message with the fields 1 to n; its rest is the repeated field n + 1. **A set** is repeated, and an element
   that comes twice is refused. **A map's key** that is neither string, integer nor bool (an enum, a literal) is a string.
7. **A moment** is a \`google.protobuf.Timestamp\`: milliseconds are kept, finer parts are cut off.
8. **Enums** of strings number from 1, and 0 is left to the generated \`…_UNSPECIFIED\`; \`.meta({ numbers: { none: 0, … } })\` says
   otherwise. Numeric enums are their own numbers.
9. \`.meta({ protobuf })\` takes another type for a field or element: \`sint32\`, \`sint64\`, \`fixed32\`, \`fixed64\`, \`sfixed32\`,
   \`sfixed64\`, \`int32\`, \`int64\`, \`uint32\`, \`uint64\`, \`float\`, \`double\` for numbers, \`google.protobuf.Duration\` for ISO 8601
   durations, the wrappers (\`google.protobuf.StringValue\`, …) for nullable or optional scalars, \`google.protobuf.Struct\` for a
   record of JSON, \`google.protobuf.ListValue\` for a list of JSON. \`google.protobuf.Any\` is refused.

## JSON

Ours (REST, WebSocket): only declared fields are written. 64-bit integers that are a \`number\` are JSON numbers; a bigint is
written as a decimal string, always exact, and read from a string or from a number within ±(2^53 − 1). NaN and Infinity are
refused. A map whose keys are not strings has them as strings; a set is an array without duplicates; an enum is its value.

ProtoJSON (gRPC, Connect): protobuf's own mapping. int64 and uint64 are decimal strings, enums go by name, NaN and Infinity
are strings, names are \`.meta({ json })\` or the lowerCamelCase of the name in .proto (both are read), and null counts as absent.

## Names and metadata

\`.meta({ id: 'Order' })\` names a type (\`google.rpc.Status\` is possible). Without an id a type is named by its position: the
operation and its role, then the fields that lead to it (\`PlaceRequestAddress\`). An id that names two different types is
refused, as are two fields with one name on a wire. A clone by \`.describe()\` or \`.meta()\` is still the type whose id it had; what
it adds is said of the field. (In early 4.1 releases \`.refine()\` forgets the id: put \`.meta({ id })\` last. In zod/mini of those
releases metadata cannot be found at all.)

${table(
  ['`.meta({ … })`', 'on', 'what it does'],
  [
    ['`id`', 'object, enum, union', 'names the type'],
    ['`description`, `deprecated`', 'types and fields', 'in every document'],
    ['`examples`', 'fields', 'in OpenAPI; only those that are JSON'],
    ['`protobuf`', 'fields, elements', 'the protobuf type to use instead'],
    [
      '`proto`',
      'fields, objects of a union',
      'the name in .proto; else the snake_case of the name, of a variant that of its tag',
    ],
    [
      '`json`',
      'fields, objects of a union',
      'the name in JSON; of a variant in ProtoJSON alone, since ours has no name for it',
    ],
    ['`header`', 'fields of an input', 'the header that carries it in REST'],
    [
      '`xml: { name, as }`',
      'fields, objects of a union',
      "the element's or attribute's name; `as: 'attribute'` or `'text'` for fields",
    ],
    ['`sensitive`', 'fields', 'kept out of logs and the console'],
    [
      '`oneof`',
      'optional fields',
      'the `oneof` of foreign protobuf that it is in: at most one of them is there',
    ],
    [
      '`presence`',
      'fields',
      "`'required'`: written even when it is zero, as proto2 demands; `'explicit'`: a zero is not the absent default",
    ],
    ['`packed: false`', 'lists of numbers', 'written one by one, for foreign readers that demand it'],
    ['`numbers`', 'enums', "protobuf's numbers by value"],
    ['`enumNames`', 'enums', 'names in documents by value; else UPPER_SNAKE_CASE'],
  ],
)}

## Refused

${refusals()}

Codes: \`schema_transforms\` (input and output differ), \`schema_kind\` (no form on the wires), \`schema_place\` (not in this place),
\`schema_conflict\` (one name or number for two things), \`schema_recursion\` (no object in between, or no end),
\`schema_default\` (no JSON form, or another value each time), \`schema_meta\` (\`.meta()\` that makes no sense there),
\`schema_library\` (neither zod 4 nor Standard JSON Schema).
`
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', page)
  const text = render()

  if (!process.argv.includes('--check')) {
    await writeFile(path, text)
  } else if (text !== (await readFile(path, 'utf8').catch(() => ''))) {
    console.error(`${page} is not current; run: node scripts/types-doc.ts`)
    process.exitCode = 1
  }
}
