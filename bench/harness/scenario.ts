// What a scenario is. A file in bench/scenarios exports one as its default; `npm run bench -- <file name>` runs it.

/** How long to measure. */
export interface Effort {
  /** Rounds after warm-up, each of them once through all contenders. */
  rounds: number
  /** Seconds of one contender's turn in a round. */
  seconds: number
}

/** What a scenario found. */
export interface Result {
  /** Markdown: tables and the remarks below them. */
  report: string
  /** One entry a promise that the scenario guards. */
  targets: Target[]
}

/** A figure that is promised, and what was measured. */
export interface Target {
  /** `encode: times faster than protobufjs` */
  what: string
  /** The measured median. */
  measured: number
  /** The bound, and on which side of it the measured value must lie. */
  atLeast?: number
  atMost?: number
  /** The unit, for the report; `×` where it is a ratio. */
  unit?: string
}

/** A scenario: a title for the report, and a function that measures. */
export interface Scenario {
  title: string
  /** What is compared, what a peer does more or less than we do: printed above the figures. */
  about: string
  /** How long to measure when nothing is said, where it is not what others do. */
  effort?: Effort
  run: (effort: Effort) => Promise<Result>
}

/** Whether the measured figure keeps the promise. */
export function isMet(target: Target): boolean {
  if (target.atLeast !== undefined && !(target.measured >= target.atLeast)) return false
  if (target.atMost !== undefined && !(target.measured <= target.atMost)) return false
  return true
}
