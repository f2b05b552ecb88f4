/** What a zod object, union or enum is called, and which of its clones are the same type. */
import { defined, documentation, type FieldMeta, type Meta, readMeta } from './meta.ts'
import type { Place } from './place.ts'
import type { Documented } from './type.ts'
import { type ZodSchema, zodMetadata } from './zod-def.ts'

/** A type's name, its documentation, and the metadata that is left for the field. */
export function nameOf(
  schema: ZodSchema,
  meta: Meta,
  place: Place,
): { name: string; doc: Documented; fieldMeta: FieldMeta } {
  const { id, numbers: _numbers, enumNames: _enumNames, doc: _doc, deprecated: _deprecated, ...rest } = meta
  const named = namedAncestor(schema)

  if (id !== undefined || named === undefined) {
    return { name: id ?? place.name, doc: documentation(meta), fieldMeta: rest }
  }

  // A clone of a type that has an id (.describe(), .meta(), newer releases' .refine()) is that type; what it adds is said of the field.
  const original = readMeta(zodMetadata(named), place)
  const said = documentation(meta)
  const fieldDoc = defined({
    doc: said.doc === original.doc ? undefined : said.doc,
    deprecated: said.deprecated === original.deprecated ? undefined : said.deprecated,
  })

  return {
    name: original.id ?? place.name,
    doc: documentation(original),
    fieldMeta: { ...rest, ...fieldDoc },
  }
}

export function hasId(schema: ZodSchema): boolean {
  return zodMetadata(schema).id !== undefined || namedAncestor(schema) !== undefined
}

/** The schema with an id that this one is a clone of (a clone with other fields is none: zod gives it no parent). */
function namedAncestor(schema: ZodSchema): ZodSchema | undefined {
  for (let parent = schema._zod.parent; parent !== undefined; parent = parent._zod.parent) {
    if (zodMetadata(parent).id !== undefined) return parent
  }

  return undefined
}

/** What makes two instances the same type, whatever is said about them or checked in addition. */
export function shapeOf({ _zod: { def } }: ZodSchema): unknown {
  return def.shape ?? def.options ?? def.entries ?? def
}
