/**
 * What is wrong with a value, collected while it is walked. A problem is noted where it is found, without knowing where
 * that is; on the way out every level puts its own step in front of the paths noted within. So a valid value pays for
 * no path.
 */
import { Invalid, maximumIssues } from '../../schema/invalid.ts'
import { formatStep, withoutDot } from '../../schema/path.ts'
import { got, keyText } from '../checks.ts'

export interface Problem {
  path: string
  readonly message: string
  /** What was there instead; hidden when a field on the way out is sensitive. */
  shown: string
}

/** Bytes that are no protobuf message. Nothing behind them can be read, so it is thrown, not collected. */
export class Malformed extends Error {
  path = ''
}

/** Notes `expected …, got …`. Those beyond the limit are dropped: one is enough to refuse the value. */
export function note(problems: Problem[], expectation: string, value: unknown): void {
  if (problems.length < maximumIssues) {
    problems.push({ path: '', message: `expected ${expectation}`, shown: `, got ${got(value)}` })
  }
}

/** Notes something else. */
export function noteText(problems: Problem[], message: string): void {
  if (problems.length < maximumIssues) problems.push({ path: '', message, shown: '' })
}

/** Puts a step in front of the problems noted since there were `from`. */
export function within(problems: Problem[], from: number, step: string, sensitive: boolean): void {
  for (let index = from; index < problems.length; index += 1) {
    const problem = problems[index] as Problem
    problem.path = step + problem.path
    if (sensitive && problem.shown !== '') problem.shown = ', got something else (the field is sensitive)'
  }
}

/** The step of a map's entry: its key as JSON has it. */
export function entryStep(key: unknown): string {
  return formatStep(keyText(key))
}

export function invalidOf(problems: readonly Problem[]): Invalid {
  return new Invalid(
    problems.map(({ path, message, shown }) => ({ path: withoutDot(path), message: message + shown })),
  )
}

/** `extra` are the problems that were found before the bytes turned out to be malformed. */
export function invalidOfMalformed(error: Malformed, extra: readonly Problem[]): Invalid {
  return invalidOf([...extra, { path: error.path, message: error.message, shown: '' }])
}
