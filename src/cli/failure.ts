/** What the process says to whoever started it. The same numbers are in `trunkline help` and docs/cli.md. */
export const exitCode = {
  done: 0,
  /** The call failed, the module or its contract is wrong, the lock is out of date, or the server could not start. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server cannot be reached. */
  unreachable: 3,
} as const

/** A reason to stop that people can do something about; printed without a stack. */
export class Failure extends Error {
  readonly exitCode: number
  /** What to do, each a line. */
  readonly advice: readonly string[]

  constructor(code: number, message: string, advice: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = code
    this.advice = advice
  }
}

/** A mistake on the command line. */
export function usage(message: string, ...advice: string[]): Failure {
  return new Failure(exitCode.usage, message, advice)
}

/** Something that could not be done. */
export function failed(message: string, ...advice: string[]): Failure {
  return new Failure(exitCode.failed, message, advice)
}
