/**
 * What `.meta({ … })` of a schema may say, checked. Fields take what stands on the field or inside its wrappers;
 * `id`, `numbers` and `enumNames` belong to the type.
 */
import type { Place } from './place.ts'
import type { Documented, Field, Json } from './type.ts'
import { Undeclarable } from './undeclarable.ts'

/** What the metadata of a schema says about the field that holds it. */
export type FieldMeta = Pick<
  Field,
  | 'doc'
  | 'deprecated'
  | 'protobuf'
  | 'proto'
  | 'json'
  | 'xml'
  | 'sensitive'
  | 'header'
  | 'examples'
  | 'oneof'
  | 'presence'
  | 'packed'
>

export interface Meta extends FieldMeta {
  readonly id?: string
  /** An enum's numbers by value: `{ new: 0, paid: 1 }`. */
  readonly numbers?: Readonly<Record<string, number>>
  /** An enum's names in documents by value: `{ new: 'NEW' }`. */
  readonly enumNames?: Readonly<Record<string, string>>
}

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string' && value !== ''
const flag: Check = (value) => typeof value === 'boolean'
const identifier: Check = (value) => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value)
const object: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const recordOf =
  (each: Check): Check =>
  (value) =>
    object(value) && Object.values(value as object).every(each)
const int32: Check = (value) => typeof value === 'number' && (value | 0) === value

const xml: Check = (value) =>
  object(value) &&
  Object.entries(value as object).every(([key, member]) =>
    key === 'name'
      ? text(member)
      : key === 'as' && ['element', 'attribute', 'text'].includes(member as string),
  )

const rules: readonly (readonly [key: string, fits: Check, expected: string])[] = [
  ['id', text, 'a name'],
  ['description', (value) => typeof value === 'string', 'a string'],
  ['deprecated', flag, 'a boolean'],
  ['examples', Array.isArray, 'a list of examples'],
  ['protobuf', text, "the name of a protobuf type, such as 'sint32'"],
  ['proto', identifier, 'a field name of letters, digits and _'],
  ['json', text, 'a field name'],
  ['sensitive', flag, 'a boolean'],
  [
    'header',
    (value) => typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value),
    'the name of a header',
  ],
  ['xml', xml, "{ name?: string, as?: 'element' | 'attribute' | 'text' }"],
  ['oneof', identifier, 'the name of a oneof, of letters, digits and _'],
  ['presence', (value) => value === 'explicit' || value === 'required', "'explicit' or 'required'"],
  ['packed', (value) => value === false, 'false'],
  ['numbers', recordOf(int32), 'a 32-bit integer for each value of the enum'],
  ['enumNames', recordOf(identifier), 'a name of letters, digits and _ for each value of the enum'],
]

/** Checks raw metadata; keys that mean nothing here are somebody else's. */
export function readMeta(raw: Readonly<Record<string, unknown>>, place: Place): Meta {
  for (const [key, fits, expected] of rules) {
    const value = raw[key]

    if (value !== undefined && !fits(value)) {
      throw new Undeclarable(
        'schema_meta',
        place,
        `.meta({ ${key} }) expects ${expected}, got ${show(value)}`,
      )
    }
  }

  const examples = raw.examples === undefined ? undefined : jsonOnly(raw.examples as unknown[])

  return defined({
    id: raw.id as string | undefined,
    doc: raw.description as string | undefined,
    deprecated: raw.deprecated === true ? true : undefined,
    protobuf: raw.protobuf as string | undefined,
    proto: raw.proto as string | undefined,
    json: raw.json as string | undefined,
    xml: raw.xml as Meta['xml'],
    sensitive: raw.sensitive === true ? true : undefined,
    header: (raw.header as string | undefined)?.toLowerCase(),
    examples: examples === undefined || examples.length === 0 ? undefined : examples,
    oneof: raw.oneof as string | undefined,
    presence: raw.presence as Meta['presence'],
    packed: raw.packed as Meta['packed'],
    numbers: raw.numbers as Meta['numbers'],
    enumNames: raw.enumNames as Meta['enumNames'],
  })
}

/** What is said of the type: its name, and an enum's numbers and names. */
export function typeMeta({ id, numbers, enumNames }: Meta): Meta {
  return defined({ id, numbers, enumNames })
}

/** What is said of the field that holds it. */
export function fieldMeta({ id: _id, numbers: _numbers, enumNames: _enumNames, ...said }: Meta): FieldMeta {
  return said
}

/** The same object without the keys that hold `undefined`, so that the model stays plain JSON. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}

/** What of some metadata is said about a named type rather than about the field that holds it. */
export function documentation(meta: Meta): Documented {
  return defined({ doc: meta.doc, deprecated: meta.deprecated })
}

/** Examples are documentation: one that is no JSON (a Date, a bigint) is left out. */
function jsonOnly(examples: readonly unknown[]): Json[] {
  return examples.filter(isJson)
}

export function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  if (typeof value !== 'object') return false

  const prototype: unknown = Object.getPrototypeOf(value)

  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson)
}

function show(value: unknown): string {
  return isJson(value) ? JSON.stringify(value) : typeof value
}
