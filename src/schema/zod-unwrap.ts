/** The wrappers around a zod schema taken off: optional, nullable, default, prefault, nonoptional, readonly, lazy. */
import { type Meta, readMeta } from './meta.ts'
import type { Place } from './place.ts'
import { checksOf, type ZodDef, type ZodSchema, zodMetadata } from './zod-def.ts'
import { refuse } from './zod-refused.ts'

/** What is left below the wrappers, and what the wrappers said. */
export interface Unwrapped {
  readonly core: ZodSchema
  readonly nullable: boolean
  readonly optional: boolean
  readonly defaults: ZodDef | undefined
  /** An id may stand on a wrapper too (`z.lazy(…).meta({ id })`), and names the type below. */
  readonly meta: Meta
  readonly refine: boolean
  /** The lazy schemas that were passed: `z.json()` refers to itself through them. */
  readonly lazies: readonly ZodDef[]
}

const maximumWrappers = 100

export function unwrap(schema: ZodSchema, place: Place): Unwrapped {
  let core = schema
  let nullable = false
  let optional: boolean | undefined
  let defaults: ZodDef | undefined
  let meta: Meta = {}
  let refine = false
  const lazies: ZodDef[] = []

  for (let count = 0; count < maximumWrappers; count++) {
    const { def } = core._zod
    let inner = def.innerType

    if (def.type === 'optional') optional ??= true
    else if (def.type === 'nonoptional') optional ??= false
    else if (def.type === 'nullable') nullable = true
    else if (def.type === 'default' || def.type === 'prefault') defaults ??= def
    else if (def.type === 'lazy') {
      lazies.push(def)
      inner = def.getter?.()
    } else if (def.type !== 'readonly') {
      return { core, nullable, optional: optional === true, defaults, meta, refine, lazies }
    }

    if (inner === undefined) break
    if (checksOf(def).length > 0) refine = true

    meta = { ...readMeta(zodMetadata(core), place), ...meta }
    core = inner
  }

  throw refuse(
    'schema_recursion',
    place,
    'the schema wraps itself without an end; let it pass through an object',
  )
}

/** z.json(): a lazy union of the JSON kinds whose list refers back to it. */
export function isJsonUnion({ core, lazies }: Unwrapped): boolean {
  const { type, options = [], discriminator } = core._zod.def

  if (type !== 'union' || discriminator !== undefined || lazies.length === 0) return false

  const kinds = options.map((option) => option._zod.def.type).sort()
  const list = options.find((option) => option._zod.def.type === 'array')

  return (
    kinds.join() === 'array,boolean,null,number,record,string' &&
    list?._zod.def.element !== undefined &&
    lazies.includes(list._zod.def.element._zod.def)
  )
}
