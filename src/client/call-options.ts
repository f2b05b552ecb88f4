/** HOT PATH, for calls with options. What is said per call, held to what there is; guarded by `bench/scenarios/trunk.ts`. */
import { type OptionRules, aDuration, aFunction, anObject, checkOptions, someText } from '../call/options.ts'
import type { CallOperation } from '../contract/operation.ts'
import type { CallOptions } from '../contract/types.ts'

const rules: OptionRules<CallOptions> = {
  timeout: aDuration,
  signal: { fits: (value) => value instanceof AbortSignal, expected: 'an AbortSignal' },
  metadata: anObject,
  idempotencyKey: someText,
  onReply: aFunction,
}

const ruleOf: ReadonlyMap<string, OptionRules<CallOptions>[keyof CallOptions]> = new Map(
  Object.entries(rules),
)

/** Throws a TypeError for an option that does not exist or has the wrong value, with the one that was meant. */
export function checkCallOptions(operation: CallOperation, options: CallOptions): void {
  if (fits(options)) return
  const inputless = operation.input === undefined ? ', which takes no input' : ''
  checkOptions(`options of ${operation.id}${inputless}`, options, rules)
}

/** Without allocating anything. */
function fits(options: CallOptions): boolean {
  if (typeof options !== 'object' || options === null) return false

  for (const name in options) {
    const value = options[name as keyof CallOptions]
    if (ruleOf.get(name)?.fits(value) !== true && (value !== undefined || !ruleOf.has(name))) return false
  }

  return true
}
