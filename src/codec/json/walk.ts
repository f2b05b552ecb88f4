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

/** A container: counts an opening bracket, and stops where too many are open. */
export function limited<From, To>(step: Step<From, To>, maximum: number): Step<From, To | undefined> {
  return (value, walk, depth) =>
    depth < maximum ? step(value, walk, depth) : report(walk, depth, `nested deeper than ${maximum} levels`)
}

/** The steps of types that have a name, each compiled once. */
export type NamedSteps<Key, From, To> = Map<Key, { step: Step<From, To> | undefined }>

/** A type that refers to itself is asked for while it is being compiled: then its step is looked up when it is needed. */
export function compileOnce<Key, From, To>(
  named: NamedSteps<Key, From, To>,
  key: Key,
  compile: () => Step<From, To>,
): Step<From, To> {
  const known = named.get(key)
  if (known?.step !== undefined) return known.step
  if (known !== undefined) return (value, walk, depth) => known.step!(value, walk, depth)

  const holder: { step: Step<From, To> | undefined } = { step: undefined }
  named.set(key, holder)
  holder.step = compile()
  return holder.step
}

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
