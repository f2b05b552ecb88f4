/** Why a schema was refused; stable, documented in docs/types.md. */
export type UndeclarableCode =
  /** Input and output differ (`transform`, `pipe`, `preprocess`, `coerce`, `catch`), so no other side can carry it. */
  | 'schema_transforms'
  /** A kind that has no form on the wires (`any`, `symbol`, `function`, `intersection`, …). */
  | 'schema_kind'
  /** The kind can be carried, but not in this place or with this option. */
  | 'schema_place'
  /** Two different types, fields or values under one name or number. */
  | 'schema_conflict'
  /** Recursion that passes through no named type, or nesting without an end. */
  | 'schema_recursion'
  /** A default that has no JSON form, or another value each time. */
  | 'schema_default'
  /** `.meta({ … })` with a value that makes no sense there. */
  | 'schema_meta'
  /** A schema library that describes itself neither as zod 4 nor as Standard JSON Schema. */
  | 'schema_library'

/** A schema that cannot be carried, found while a contract is declared. The message says what to use instead. */
export class Undeclarable extends Error {
  override readonly name = 'Undeclarable'
  readonly code: UndeclarableCode
  /** `acme.orders.v1/place input` */
  readonly operation: string
  /** `lines[].price`; empty for the value itself. */
  readonly path: string

  constructor(
    code: UndeclarableCode,
    at: { readonly operation: string; readonly path: string },
    message: string,
  ) {
    super(`${at.operation}${at.path === '' ? '' : `, ${at.path}`}: ${message}`)
    this.code = code
    this.operation = at.operation
    this.path = at.path
  }
}
