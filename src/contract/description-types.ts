/** The types of a description, checked: codecs are compiled from them. One case a kind of type. */
import { upperSnakeCase } from '../schema/names.ts'
import type { Check, Named, Slot, Type, Types } from '../schema/type.ts'
import { list, object, wrong } from './description-error.ts'
import { isFieldNumber } from './lock.ts'

const maximumTypes = 10_000
const maximumNesting = 100

export function readTypes(content: unknown): Types {
  const types = object(content, 'types') as unknown as Types
  const names = Object.keys(types)
  if (names.length > maximumTypes)
    throw wrong('types', `are ${names.length}; at most ${maximumTypes} are read`)

  for (const name of names) {
    if (name === '__proto__') throw wrong('types', "no type is called '__proto__'")
    checkNamed(types, types[name] as Named, `types.${name}`)
  }

  return types
}

function checkNamed(types: Types, named: Named, path: string): void {
  const { kind } = object(named, path)

  switch (kind) {
    case 'object': {
      const { fields, unknown } = named as Extract<Named, { kind: 'object' }>
      if (unknown !== 'strip' && unknown !== 'refuse')
        throw wrong(`${path}.unknown`, "must be 'strip' or 'refuse'")

      for (const [index, field] of list(fields, `${path}.fields`).entries()) {
        const here = `${path}.fields[${index}]`
        object(field, here)
        if (typeof field.name !== 'string' || field.name === '__proto__')
          throw wrong(`${here}.name`, 'must be a string')
        if (!isFieldNumber(field.number)) throw wrong(`${here}.number`, 'is no number of a field')
        checkSlot(types, field, here, 0)
      }

      unique(fields, (field) => field.name, `${path}.fields`)
      unique(fields, (field) => field.number, `${path}.fields`)
      return
    }
    case 'enum': {
      const { values } = named as Extract<Named, { kind: 'enum' }>
      for (const [index, value] of list(values, `${path}.values`).entries()) {
        const here = `${path}.values[${index}]`
        object(value, here)
        if (typeof value.name !== 'string') {
          throw wrong(`${here}.name`, `must be a string, such as '${upperSnakeCase(String(value.value))}'`)
        }
        if (typeof value.value !== 'string' && typeof value.value !== 'number')
          throw wrong(`${here}.value`, 'must be a string or number')
        if ((value.number | 0) !== value.number) throw wrong(`${here}.number`, 'is no signed 32-bit integer')
      }
      unique(values, (value) => value.value, `${path}.values`)
      unique(values, (value) => value.name, `${path}.values`)
      return
    }
    case 'union': {
      const { by, variants } = named as Extract<Named, { kind: 'union' }>
      if (typeof by !== 'string') throw wrong(`${path}.by`, 'must be a string')
      for (const [index, variant] of list(variants, `${path}.variants`).entries()) {
        const here = `${path}.variants[${index}]`
        object(variant, here)
        if (!['string', 'number', 'boolean'].includes(typeof variant.tag))
          throw wrong(`${here}.tag`, 'must be a constant')
        if (!isFieldNumber(variant.number)) throw wrong(`${here}.number`, 'is no number of a field')
        if (kindOf(types, variant.to) !== 'object')
          throw wrong(`${here}.to`, `'${variant.to}' is no object in types`)
        for (const key of ['proto', 'json'] as const) {
          if (variant[key] !== undefined && typeof variant[key] !== 'string')
            throw wrong(`${here}.${key}`, 'must be a name')
        }
      }
      unique(variants, (variant) => variant.tag, `${path}.variants`)
      unique(variants, (variant) => variant.number, `${path}.variants`)
      return
    }
    default:
      throw wrong(`${path}.kind`, `${JSON.stringify(kind)} is none of object, enum, union`)
  }
}

export function checkSlot(types: Types, slot: Slot, path: string, depth: number): void {
  const { type } = object(slot, path) as unknown as Slot
  checkType(types, type, `${path}.type`, depth)
}

function checkType(types: Types, type: Type, path: string, depth: number): void {
  if (depth > maximumNesting) throw wrong(path, `is nested more than ${maximumNesting} deep`)
  const { kind, checks } = object(type, path)
  if (checks !== undefined) readChecks(checks as readonly Check[], `${path}.checks`)

  switch (type.kind) {
    case 'string':
    case 'bool':
    case 'bytes':
    case 'instant':
    case 'json':
      return
    case 'int':
      if ((type.bits !== 32 && type.bits !== 64) || typeof type.signed !== 'boolean') {
        throw wrong(path, 'an int has bits 32 or 64, and signed')
      }
      if (type.js !== 'number' && type.js !== 'bigint')
        throw wrong(`${path}.js`, "must be 'number' or 'bigint'")
      return
    case 'float':
      if (type.bits !== 32 && type.bits !== 64) throw wrong(`${path}.bits`, 'must be 32 or 64')
      return
    case 'literal':
      for (const value of list(type.values, `${path}.values`)) {
        if (!['string', 'number', 'boolean'].includes(typeof value))
          throw wrong(`${path}.values`, 'must be constants')
      }
      return
    case 'list':
      if (type.js !== 'array' && type.js !== 'set') throw wrong(`${path}.js`, "must be 'array' or 'set'")
      return checkSlot(types, type.of, `${path}.of`, depth + 1)
    case 'tuple':
      for (const [index, item] of list(type.items, `${path}.items`).entries()) {
        checkSlot(types, item, `${path}.items[${index}]`, depth + 1)
      }
      if (type.rest !== undefined) checkSlot(types, type.rest, `${path}.rest`, depth + 1)
      return
    case 'map':
      if (type.js !== 'record' && type.js !== 'map') throw wrong(`${path}.js`, "must be 'record' or 'map'")
      checkType(types, type.key, `${path}.key`, depth + 1)
      return checkSlot(types, type.of, `${path}.of`, depth + 1)
    case 'ref':
      if (kindOf(types, type.to) === undefined)
        throw wrong(`${path}.to`, `there is no type '${String(type.to)}'`)
      return
    default:
      throw wrong(`${path}.kind`, `${JSON.stringify(kind)} is no kind of type that this version knows`)
  }
}

function readChecks(checks: readonly Check[], path: string): void {
  for (const [index, check] of list(checks, path).entries()) {
    const here = `${path}[${index}]`
    object(check, here)

    if (check.check === 'pattern') {
      try {
        RegExp(check.source, check.flags)
      } catch (cause) {
        throw wrong(here, `is no regular expression: ${(cause as Error).message}`)
      }
    } else if (!['min', 'max', 'multipleOf', 'minLength', 'maxLength'].includes(check.check)) {
      throw wrong(`${here}.check`, `${JSON.stringify(check.check)} is no bound that this version knows`)
    } else if (typeof check.value !== 'string') {
      throw wrong(`${here}.value`, 'must be a string')
    }
  }
}

function kindOf(types: Types, name: string): Named['kind'] | undefined {
  return typeof name === 'string' && Object.hasOwn(types, name) ? types[name]?.kind : undefined
}

function unique<T>(elements: readonly T[], keyOf: (element: T) => unknown, path: string): void {
  const keys = elements.map(keyOf)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw wrong(path, `${JSON.stringify(twice)} is there twice`)
}
