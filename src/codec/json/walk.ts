/** A walk over a value: where it is, what was wrong so far. The path is made into text only when something is wrong. */
import { expected, got } from '../checks.ts'
import { Invalid, maximumIssues, type Issue } from '../../schema/invalid.ts'
import { formatPath } from '../../schema/path.ts'
import type { Type, Types } from '../../schema/type.ts'

export interface Walk {
  readonly issues: Issue[]
  /** The keys and indexes that lead to the current value; only the first `depth` of them count. */
  readonly path: (string | number)[]
  /** Above zero inside a sensitive field, whose values no message shows. */
  hidden: number
}

/** Returns `undefined` and leaves an issue when the value does not fit. */
export type Step<From, To> = (value: From, walk: Walk, depth: number) => To

export function startWalk(): Walk {
  return { issues: [], path: [], hidden: 0 }
}

export function finishWalk(walk: Walk): void {
  if (walk.issues.length > 0) throw new Invalid(walk.issues)
}

export function report(walk: Walk, depth: number, message: string): undefined {
  if (walk.issues.length < maximumIssues) {
    walk.issues.push({ path: formatPath(walk.path.slice(0, depth)), message })
  }
}

/** `expected an integer ≥ 1, got "two"`; without the value inside a sensitive field. */
export function mismatch(walk: Walk, depth: number, wanted: string, value: unknown): undefined {
  const hide = walk.hidden > 0 && value !== undefined && value !== null
  return report(walk, depth, `expected ${wanted}, got ${hide ? 'something else (not shown)' : got(value)}`)
}

/** What a type wants to see in JSON, in words. */
export function wantedInJson(type: Type, types: Types): string {
  if (type.kind === 'bytes') return `${expected(type, types)} in base64`
  if (type.kind === 'instant') return `${expected(type, types)} (RFC 3339)`
  if (type.kind === 'list' && type.js === 'set') return `${expected(type, types).replace('a set', 'a list')}`
  if (type.kind === 'map') return expected(type, types).replace('a map', 'an object')
  return expected(type, types)
}
