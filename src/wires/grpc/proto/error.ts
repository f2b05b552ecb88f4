/** Where something stands in a .proto file; both count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/**
 * What is wrong with a .proto file or a descriptor, where, and what to do about it.
 *
 * `message` begins with `file:line:column`, so that editors and terminals make a link of it.
 *
 * @example
 * ```ts
 * import { ProtoError, importProto } from 'trunkline/wires'
 * import assert from 'node:assert/strict'
 *
 * assert.throws(
 *   () => importProto('a.proto', { read: () => 'message M {' }),
 *   (error) => error instanceof ProtoError && error.line === 1 && error.column === 12,
 * )
 * ```
 */
export class ProtoError extends Error {
  /** The path by which the file was read, or that a descriptor gives itself. */
  readonly file: string
  /** From 1; 1 in descriptors without source positions. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** What to do, when there is something to say. */
  readonly hint: string | undefined

  constructor(file: string, at: Position, what: string, hint?: string) {
    super(`${file}:${at.line}:${at.column}: ${what}${hint === undefined ? '' : `; ${hint}`}`)
    this.name = 'ProtoError'
    this.file = file
    this.line = at.line
    this.column = at.column
    this.hint = hint
  }
}
