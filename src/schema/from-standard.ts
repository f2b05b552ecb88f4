/** The door of this room: a schema of any library that is known, as a slot of the contract's one table of types. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { readJsonSchema } from './json-schema.ts'
import { describesItself, jsonSchemaOf } from './json-schema-def.ts'
import type { Numbers } from './numbers.ts'
import { type Place, rootPlace } from './place.ts'
import { refineWith } from './refine.ts'
import { createTable, type Table } from './table.ts'
import type { Named, Slot } from './type.ts'
import { Undeclarable } from './undeclarable.ts'
import { isZod } from './zod-def.ts'
import { readZod } from './zod.ts'

/** One schema of an operation (input, output, detail, …) as read. */
export interface Reading {
  readonly slot: Slot
  /** The whole value may be left out. */
  readonly optional: boolean
  /** What only the schema library can check or change; see `Message.refine`. */
  readonly refine: ((value: unknown) => unknown) | undefined
}

/** The contract's one table of types while the contract is being declared. */
export interface TableBuilder {
  /**
   * Reads a schema into the table. `suggestedName` (`PlaceRequest`) names the root when it has no id and begins the
   * names of what it contains; `where` (`acme.orders.v1/place input`) begins the message of a refusal.
   * Throws `Undeclarable`.
   */
  read(schema: StandardSchemaV1, suggestedName: string, where: string): Reading
  readonly types: Record<string, Named>
}

export function tableBuilder(numbers: Numbers): TableBuilder {
  const table = createTable(numbers)

  return {
    types: table.types,

    read(schema, suggestedName, where) {
      const place = rootPlace(where, suggestedName)

      if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) {
        throw new Undeclarable('schema_library', place, 'expected a schema, such as z.object({ … })')
      }

      if (!isZod(schema)) return readDescribed(schema, table, place)

      const value = table.reading(() => readZod(schema, table, place))

      if (value.default !== undefined) {
        throw new Undeclarable(
          'schema_place',
          place,
          'a whole message has no default; put the defaults on its fields',
        )
      }

      return {
        slot: value.slot,
        optional: value.optional,
        refine: value.refine ? refineWith(schema) : undefined,
      }
    },
  }
}

/** A schema of another library. What JSON Schema cannot say of it, the library checks on every decoded value. */
function readDescribed(schema: StandardSchemaV1, table: Table, place: Place): Reading {
  if (!describesItself(schema)) {
    throw new Undeclarable(
      'schema_library',
      place,
      'this schema is neither zod 4 nor does it describe itself as Standard JSON Schema; use zod 4, ArkType, or ' +
        "Valibot through toStandardJsonSchema() of '@valibot/to-json-schema'",
    )
  }

  const document = jsonSchemaOf(schema, place)
  const slot = table.reading(() => readJsonSchema(document, table, place))

  return { slot, optional: false, refine: refineWith(schema) }
}
