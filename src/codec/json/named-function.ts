/** What both compilers of generated code share: the functions that they make, one for each named type. */
import type { ObjectType, Schema, UnionType } from '../../schema/type.ts'
import type { Program } from '../generate.ts'

export interface Functions {
  readonly schema: Schema
  readonly depth: number
  readonly into: Program
  /** The source of functions made so far. */
  readonly functions: string[]
  /** The functions of named types. */
  readonly named: Map<string, string>
}

/** The function of an object or a union, made when it is first asked for; while it is being made it can call itself. */
export function namedFunction<Context extends Functions>(
  type: string,
  context: Context,
  sourceOf: (named: ObjectType | UnionType, name: string) => string,
): string {
  const known = context.named.get(type)
  if (known !== undefined) return known

  const named = context.schema.types[type]
  if (named === undefined || named.kind === 'enum') {
    throw new TypeError(`the type "${type}" is no object or union in the table of types`)
  }
  const name = context.into.name('named')
  context.named.set(type, name)
  context.functions.push(sourceOf(named, name))
  return name
}
