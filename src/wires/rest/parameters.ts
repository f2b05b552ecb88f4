/**
 * HOT PATH. Fields of the input that travel in path, query string and headers: as text on the wire, as JSON for the
 * codec, which then validates the whole input. Guarded by `bench/scenarios/rest-server`.
 *
 *     query   = [ pair *( "&" pair ) ]
 *     pair    = name "=" value            percent-encoded UTF-8; "+" is a space, as in forms
 *     list    = pair *( "&" pair )        tags=a&tags=b: the same name again; no tags[] and no commas
 *     header  = value *( "," value )      a list has commas, so its elements have none
 *
 *     value   = text | integer | number | "true" / "false" | RFC 3339 date-time | a constant of an enum or literal
 *
 * Text that is not what the field's type wants is handed on as it came, so that the codec says what it wants instead.
 */
import type { RestRoute } from '../../contract/operation.ts'
import { parseInteger } from '../../codec/json/integer.ts'
import { setOwn } from '../../codec/set-own.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { Invalid, type Issue } from '../../schema/invalid.ts'
import { jsonName } from '../../schema/names.ts'
import type { Field, ObjectType, Slot, Types } from '../../schema/type.ts'

/** JSON by the names that fields have in JSON. */
export type JsonObject = Record<string, unknown>

/** What becomes of a field's text. */
type FromText = (text: string) => unknown

interface Place {
  /** The field's name in JSON, and in the query string. */
  readonly name: string
  readonly list: boolean
  /** A list that must be there is empty when nothing of it is. */
  readonly required: boolean
  readonly from: FromText
}

interface HeaderPlace extends Place {
  /** The header's name in lower case. */
  readonly header: string
}

/** Reads and writes the parameters of one operation. */
export interface Parameters {
  /** The names in JSON of all fields that travel outside of the body. */
  readonly names: ReadonlySet<string>
  /**
   * The fields as JSON, not validated yet.
   *
   * @param path the values of the route's fields, decoded
   * @param query without its question mark
   * @throws Invalid for what no type has a say in: bad encodings, repeated and unknown names
   */
  read(path: readonly string[], query: string, headers: HttpHeaders): JsonObject
  /** Takes the fields out of `input`, which a codec has made, and writes them. Throws Invalid for what has no text. */
  write(input: JsonObject): WrittenParameters
}

export interface WrittenParameters {
  /** Percent-encoded, in the order of the route. */
  readonly path: readonly string[]
  /** Without a question mark; empty when there is nothing. */
  readonly query: string
  /** name, value, name, value … */
  readonly headers: readonly string[]
}

/** Compiles what a route says of the fields of an input. */
export function compileParameters(route: RestRoute, input: ObjectType, types: Types): Parameters {
  const place = (name: string): Place => {
    const field = input.fields.find((candidate) => candidate.name === name) as Field
    const list = field.type.kind === 'list'
    const slot: Slot = field.type.kind === 'list' ? field.type.of : field
    const required = field.optional !== true && field.default === undefined
    return { name: jsonName(field), list, required, from: fromText(slot, types) }
  }

  const inPath = route.parameters.map(place)
  const inQuery = new Map(route.query.map(place).map((each): [string, Place] => [each.name, each]))
  const inHeaders = Object.entries(route.headers).map(([field, header]): HeaderPlace => ({
    ...place(field),
    header,
  }))
  const strict = input.unknown === 'refuse'
  const names = new Set([...inPath, ...inQuery.values(), ...inHeaders].map(({ name }) => name))

  return {
    names,

    read(path, query, headers) {
      const json: JsonObject = {}
      const issues: Issue[] = []

      for (let i = 0; i < inPath.length; i++) {
        const { name, from } = inPath[i] as Place
        setOwn(json, name, from(path[i] as string))
      }
      if (query !== '') readQuery(query, inQuery, strict, json, issues)
      for (const header of inHeaders) readHeader(header, headers, json, issues)
      for (const { name, list, required } of inQuery.values()) {
        if (list && required && !Object.hasOwn(json, name)) setOwn(json, name, [])
      }

      if (issues.length > 0) throw new Invalid(issues)
      return json
    },

    write(json) {
      const path = inPath.map(({ name }) => pathText(name, own(json, name)))
      let query = ''

      for (const { name, list, required } of inQuery.values()) {
        const value = own(json, name)
        if (value === undefined) continue
        const values = list ? (value as unknown[]) : [value]
        if (values.length === 0 && !required) throw emptyList(name)
        for (const each of values) {
          query += `${query === '' ? '' : '&'}${encodeURIComponent(name)}=${encodeURIComponent(String(each))}`
        }
      }

      const headers: string[] = []
      for (const { name, header, list, required } of inHeaders) {
        const value = own(json, name)
        if (value === undefined) continue
        if (list && (value as unknown[]).length === 0 && !required) throw emptyList(name)
        headers.push(header, list ? headerList(name, value as unknown[]) : headerText(name, value))
      }

      for (const name of names) delete json[name]
      return { path, query, headers }
    },
  }
}

function readQuery(
  query: string,
  places: ReadonlyMap<string, Place>,
  strict: boolean,
  json: JsonObject,
  issues: Issue[],
): void {
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decodeQuery(equals < 0 ? pair : pair.slice(0, equals))
    const text = equals < 0 ? '' : decodeQuery(pair.slice(equals + 1))

    if (name === undefined || text === undefined) {
      issues.push({
        path: name ?? '',
        message: `expected percent-encoded UTF-8 in the query, got ${show(pair)}`,
      })
      continue
    }

    const place = places.get(name)
    if (place === undefined) {
      if (strict) issues.push({ path: name, message: `is no query parameter; there are ${listed(places)}` })
      continue
    }

    add(place, text, json, issues)
  }
}

function readHeader(place: HeaderPlace, headers: HttpHeaders, json: JsonObject, issues: Issue[]): void {
  const { list } = headers
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] !== place.header) continue
    const value = list[i + 1] as string
    if (!place.list) add(place, value, json, issues)
    else for (const each of value.split(',')) if (each.trim() !== '') add(place, each.trim(), json, issues)
  }
  if (place.list && place.required && !Object.hasOwn(json, place.name)) setOwn(json, place.name, [])
}

function add({ name, list, from }: Place, text: string, json: JsonObject, issues: Issue[]): void {
  const before = own(json, name)

  if (list) {
    if (before === undefined) setOwn(json, name, [from(text)])
    else (before as unknown[]).push(from(text))
  } else if (before === undefined) {
    setOwn(json, name, from(text))
  } else {
    issues.push({ path: name, message: 'expected one value, got several' })
  }
}

/** A field by its name, which may be one that every object inherits. */
function own(json: JsonObject, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined
}

/** `undefined` for a malformed encoding. */
export function decodeQuery(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

const numberGrammar = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function fromText({ type }: Slot, types: Types): FromText {
  if (type.kind === 'int' && type.js === 'number') {
    return (text) => {
      const value = Number(parseInteger(text))
      return Number.isSafeInteger(value) ? value : text
    }
  }

  if (type.kind === 'float') {
    return (text) => (numberGrammar.test(text) && Number.isFinite(Number(text)) ? Number(text) : text)
  }

  if (type.kind === 'bool') return (text) => (text === 'true' ? true : text === 'false' ? false : text)

  const constants = constantsOf(type, types)
  if (constants !== undefined) {
    const byText = new Map(constants.map((value) => [String(value), value]))
    return (text) => byText.get(text) ?? text
  }

  // Strings, moments, and 64-bit integers, which JSON writes as text, too.
  return (text) => text
}

function constantsOf(type: Slot['type'], types: Types): readonly (string | number | boolean)[] | undefined {
  if (type.kind === 'literal') return type.values
  const named = type.kind === 'ref' ? types[type.to] : undefined
  return named?.kind === 'enum' ? named.values.map(({ value }) => value) : undefined
}

/** One percent-encoded segment of a path, from a value as a codec writes it. Throws Invalid for one that cannot be. */
export function pathText(name: string, value: unknown): string {
  const text = String(value)
  if (text === '' || text === '.' || text === '..') {
    throw Invalid.at(name, `${show(text)} cannot be a segment of a path, where servers and proxies drop it`)
  }
  if (!text.isWellFormed()) throw Invalid.at(name, 'has a lone surrogate, which no URL can carry')
  return encodeURIComponent(text)
}

const printable = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/

function headerText(name: string, value: unknown): string {
  const text = String(value)
  if (printable.test(text)) return text
  throw Invalid.at(name, 'travels in a header: printable ASCII without space at either end')
}

function headerList(name: string, values: readonly unknown[]): string {
  const texts = values.map((value) => headerText(name, value))
  if (texts.every((text) => text !== '' && !text.includes(','))) return texts.join(', ')
  throw Invalid.at(name, 'travels in a header, where commas part the elements: none may have one or be empty')
}

function emptyList(name: string): Invalid {
  return Invalid.at(name, 'an empty list cannot be told from a left-out one outside of a body; leave it out')
}

function listed(places: ReadonlyMap<string, Place>): string {
  return [...places.keys()].join(', ') || 'none'
}

function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}
