/** The differences between two named types of one name. */
import type { EnumType, Field, Named, ObjectType, Slot, UnionType } from '../schema/type.ts'
import { type Report, pairs } from './side-by-side.ts'
import { bounds, describeField, describeSlot, mayBeLeftOut, presence } from './type-in-words.ts'

export function compareNamed(name: string, our: Named, their: Named, report: Report): void {
  if (our.kind === 'object' && their.kind === 'object') compareObjects(name, our, their, report)
  else if (our.kind === 'enum' && their.kind === 'enum') compareEnums(name, our, their, report)
  else if (our.kind === 'union' && their.kind === 'union') compareUnions(name, our, their, report)
  else report(name, our.kind, their.kind, true, 'it')
}

function compareObjects(name: string, our: ObjectType, their: ObjectType, report: Report): void {
  for (const [field, ourField, theirField] of pairs(
    byKey(our.fields, fieldName),
    byKey(their.fields, fieldName),
  )) {
    const path = `${name}.${field}`

    if (ourField === undefined || theirField === undefined) {
      const [here, there] = [ourField && describeField(ourField), theirField && describeField(theirField)]
      const alone = (ourField ?? theirField) as Field
      const refuses = (ourField === undefined ? our : their).unknown === 'refuse'
      const may = mayBeLeftOut(alone)

      report(
        path,
        here,
        there,
        !may || refuses,
        `this field is only ${ourField === undefined ? 'there' : 'here'}` +
          (!may
            ? ', and it is required'
            : refuses
              ? ', and the other side refuses fields that it does not know'
              : ''),
      )
      continue
    }

    compareFields(path, ourField, theirField, report)
  }

  if (our.unknown !== their.unknown)
    report(name, our.unknown, their.unknown, false, 'what happens to unknown fields')
}

function compareFields(path: string, our: Field, their: Field, report: Report): void {
  if (our.number !== their.number) report(path, String(our.number), String(their.number), true, 'the number')

  const [ourSlot, theirSlot] = [describeSlot(our), describeSlot(their)]
  if (ourSlot !== theirSlot) report(path, ourSlot, theirSlot, true, 'the type')

  const [ourPresence, theirPresence] = [presence(our), presence(their)]
  if (ourPresence !== theirPresence) report(path, ourPresence, theirPresence, true, 'it')
  else if (JSON.stringify(our.default) !== JSON.stringify(their.default)) {
    report(path, JSON.stringify(our.default), JSON.stringify(their.default), false, 'the default')
  }

  compareNames(path, our, their, report)
  compareForeign(path, our, their, report)
  compareBounds(path, our, their, report)
}

const foreign = {
  oneof: 'the oneof',
  presence: 'the presence in protobuf',
  packed: 'whether its numbers are packed',
} as const

/** What only contracts of foreign .proto files say. Readers take packed and unpacked, and any order of a oneof's fields. */
function compareForeign(path: string, our: Field, their: Field, report: Report): void {
  for (const [key, what] of Object.entries(foreign) as [keyof typeof foreign, string][]) {
    const [one, other] = [our[key], their[key]].map((value) =>
      value === undefined ? 'the usual one' : String(value),
    )
    if (one !== other) report(path, one, other, key === 'presence', what)
  }
}

/** Bounds change what is valid, not what it looks like. */
export function compareBounds(path: string, our: Slot, their: Slot, report: Report): void {
  const [one, other] = [bounds(our), bounds(their)]
  if (one !== other) report(path, one || 'unbounded', other || 'unbounded', false, 'what is valid')
}

function compareEnums(name: string, our: EnumType, their: EnumType, report: Report): void {
  const keyOf = ({ name: value }: EnumType['values'][number]) => value

  for (const [value, one, other] of pairs(byKey(our.values, keyOf), byKey(their.values, keyOf))) {
    const path = `${name}.${value}`

    if (one === undefined) report(path, undefined, String(other?.number), true, 'this value is only there')
    else if (other === undefined) report(path, String(one.number), undefined, true, 'this value is only here')
    else {
      if (one.number !== other.number)
        report(path, String(one.number), String(other.number), true, 'the number')
      if (one.value !== other.value) {
        report(path, JSON.stringify(one.value), JSON.stringify(other.value), true, 'the value in JSON')
      }
    }
  }
}

function compareUnions(name: string, our: UnionType, their: UnionType, report: Report): void {
  if (our.by !== their.by) report(name, our.by, their.by, true, 'the discriminator')

  const keyOf = ({ tag }: UnionType['variants'][number]) => JSON.stringify(tag)

  for (const [tag, one, other] of pairs(byKey(our.variants, keyOf), byKey(their.variants, keyOf))) {
    const path = `${name}.${tag}`

    if (one === undefined) report(path, undefined, other?.to, true, 'this variant is only there')
    else if (other === undefined) report(path, one.to, undefined, true, 'this variant is only here')
    else {
      if (one.number !== other.number)
        report(path, String(one.number), String(other.number), true, 'the number')
      if (one.to !== other.to) report(path, one.to, other.to, true, 'the object')
      compareNames(path, one, other, report)
    }
  }
}

type OwnNames = Pick<Field, 'proto' | 'json' | 'xml'>

function compareNames(path: string, our: OwnNames, their: OwnNames, report: Report): void {
  for (const key of ['proto', 'json', 'xml'] as const) {
    const [one, other] = [our[key], their[key]].map((value) =>
      value === undefined ? 'the usual one' : JSON.stringify(value),
    )
    if (one !== other)
      report(path, one, other, true, `the name in ${key === 'proto' ? '.proto' : key.toUpperCase()}`)
  }
}

function fieldName({ name }: Field): string {
  return name
}

function byKey<T>(elements: readonly T[], keyOf: (element: T) => string): Readonly<Record<string, T>> {
  return Object.fromEntries(elements.map((element) => [keyOf(element), element]))
}
