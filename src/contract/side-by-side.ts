/** Two records compared key by key, and where to tell what differs. */
import type { Difference } from './difference.ts'

/** Takes one difference. */
export type Report = (
  path: string,
  ours: string | undefined,
  theirs: string | undefined,
  breaking: boolean,
  what: string,
  wire?: Difference['wire'],
) => void

/** What is in either record, by key: ours in our order, then what only they have. */
export function pairs<T>(
  ours: Readonly<Record<string, T>>,
  theirs: Readonly<Record<string, T>>,
): [key: string, ours: T | undefined, theirs: T | undefined][] {
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)])

  return [...keys].map((key) => [
    key,
    Object.hasOwn(ours, key) ? ours[key] : undefined,
    Object.hasOwn(theirs, key) ? theirs[key] : undefined,
  ])
}
