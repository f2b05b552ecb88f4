import type { Json, Schema } from '../../schema/type.ts'
import { compileJson } from './compile.ts'

/** The JSON form of one message, both ways. */
export interface JsonForm {
  /** A value from parsed JSON: moments become `Date`, base64 bytes, and so on. Throws `Invalid` with the paths of what is wrong. */
  fromJson(json: unknown): unknown
  /** Parsed JSON from a value. Throws `Invalid`. */
  toJson(value: unknown): Json
}

/**
 * The JSON form of a message as REST and the command line write it: for tools that know a contract at run time only.
 *
 * @param message A message of an operation, such as `operation.input`, or the detail of a fault.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, jsonOf } from 'trunkline'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const Clock = contract('acme.clock.v1', { set: call({ input: z.object({ at: z.date() }) }) })
 * const operation = contractInfo(Clock).operations.get('set')
 * assert.ok(operation?.kind === 'call' && operation.input !== undefined)
 * assert.deepEqual(jsonOf(operation.input).fromJson({ at: '2026-01-02T03:04:05Z' }), {
 *   at: new Date('2026-01-02T03:04:05Z'),
 * })
 * ```
 */
export function jsonOf(message: { readonly schema: Schema }): JsonForm {
  const { fromJson, toJson } = compileJson(message.schema, 'trunkline')
  return { fromJson, toJson }
}
