/** What a schema library's schema is to TypeScript: Standard Schema (https://standardschema.dev), types only. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Anything with Standard Schema types: zod 4, zod/mini, Valibot, ArkType. */
export type AnySchema = StandardSchemaV1<any, any>

/**
 * What a sender may write: fields with a default may be left out.
 *
 * @example
 * ```ts
 * import type { In } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Line = z.object({ sku: z.string(), quantity: z.int32().default(1) })
 * const line: In<typeof Line> = { sku: 'A1' }
 * ```
 */
export type In<S> = S extends {
  readonly '~standard': { readonly types?: { readonly input: infer I } | undefined }
}
  ? I
  : undefined

/**
 * What a receiver reads: defaults are filled in.
 *
 * @example
 * ```ts
 * import type { Out } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Line = z.object({ sku: z.string(), quantity: z.int32().default(1) })
 * const line: Out<typeof Line> = { sku: 'A1', quantity: 1 }
 * ```
 */
export type Out<S> = S extends {
  readonly '~standard': { readonly types?: { readonly output: infer O } | undefined }
}
  ? O
  : undefined
