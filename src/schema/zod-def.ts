/**
 * What Trunkline reads of a zod 4 schema (classic and mini alike): `_zod.def`, and nothing else. These are views of
 * plain data that differs a little from release to release, hence all the question marks. zod itself is never imported.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'

export interface ZodSchema extends StandardSchemaV1 {
  readonly _zod: {
    readonly def: ZodDef
    /** The schema that this one is a clone of: `.meta()`, `.describe()`, `.refine()`. */
    readonly parent?: ZodSchema
  }
  /** The metadata, in zod classic. */
  readonly meta?: () => Readonly<Record<string, unknown>> | undefined
}

export interface ZodCheck {
  readonly _zod: { readonly def: ZodCheckDef }
}

export interface ZodCheckDef {
  readonly check?: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly value?: number | bigint | Date
  readonly inclusive?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly length?: number
  readonly size?: number
  readonly includes?: string
  readonly prefix?: string
  readonly suffix?: string
  readonly position?: number
  readonly hostname?: RegExp
  readonly protocol?: RegExp
  readonly normalize?: boolean
  readonly offset?: boolean
  readonly local?: boolean
  readonly precision?: number | null
  readonly fn?: (value: unknown) => unknown
}

export interface ZodDef extends ZodCheckDef {
  readonly type: string
  readonly checks?: readonly ZodCheck[]
  readonly coerce?: boolean
  readonly innerType?: ZodSchema
  readonly defaultValue?: unknown
  readonly getter?: () => ZodSchema
  readonly shape?: Readonly<Record<string, ZodSchema>>
  readonly catchall?: ZodSchema
  readonly element?: ZodSchema
  readonly items?: readonly ZodSchema[]
  readonly rest?: ZodSchema | null
  readonly keyType?: ZodSchema
  readonly valueType?: ZodSchema
  readonly mode?: string
  readonly partial?: boolean
  readonly options?: readonly ZodSchema[]
  readonly discriminator?: string
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, string | number>>
  readonly in?: ZodSchema
  readonly out?: ZodSchema
}

export function isZod(schema: object): schema is ZodSchema {
  const internals = (schema as { readonly _zod?: { readonly def?: { readonly type?: unknown } } })._zod

  return typeof internals?.def?.type === 'string'
}

interface Registry {
  get(schema: unknown): Readonly<Record<string, unknown>> | undefined
}

/**
 * The metadata of a schema: classic schemas answer themselves; those of zod/mini are found in the registry that zod
 * shares through `globalThis`. (Early 4.1 releases share none: there, zod/mini has no metadata that could be found.)
 */
export function zodMetadata(schema: ZodSchema): Readonly<Record<string, unknown>> {
  if (typeof schema.meta === 'function') return schema.meta() ?? {}

  const { __zod_globalRegistry: registry } = globalThis as { readonly __zod_globalRegistry?: Registry }

  return registry?.get(schema) ?? {}
}

/** The check that a schema such as `z.email()` or `z.int32()` is by itself, and those that were added to it. */
export function checksOf(def: ZodDef): readonly ZodCheckDef[] {
  const added = (def.checks ?? []).map((check) => check._zod.def)

  return def.check === undefined ? added : [def, ...added]
}
