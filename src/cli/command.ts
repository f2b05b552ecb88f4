/** What a command is: a table, from which parsing, `--help` and docs/cli.md are made, and a function. */

export interface Argument {
  readonly name: string
  readonly doc: string
  readonly optional?: true
}

export interface Option {
  readonly doc: string
  /** One letter, for `-v`. */
  readonly short?: string
  /** What stands for the value in help; an option without one is a switch. */
  readonly value?: string
  /** Shown in help; the command itself applies it. */
  readonly default?: string
  /** May be given several times. */
  readonly multiple?: true
}

export interface Example {
  readonly line: string
  readonly doc: string
}

export interface Command {
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Paragraphs below it, if there is more to know. */
  readonly more?: readonly string[]
  readonly arguments: readonly Argument[]
  readonly options: Readonly<Record<string, Option>>
  readonly examples: readonly Example[]
  /** Resolves with the exit code when it is not 0. Throws `Failure` for what people can mend. */
  run(given: Given): Promise<number | void>
}

/** A command line, taken apart and checked against the command's table. */
export interface Given {
  readonly arguments: readonly string[]
  readonly options: ReadonlyMap<string, readonly string[]>
}

/** The value of an option, the last one given. */
export function valueOf(given: Given, option: string): string | undefined {
  return given.options.get(option)?.at(-1)
}

/** All values of an option that may be given several times. */
export function valuesOf(given: Given, option: string): readonly string[] {
  return given.options.get(option) ?? []
}

/** Whether a switch was given. */
export function isOn(given: Given, option: string): boolean {
  return given.options.has(option)
}

/** Options of every command. */
export const commonOptions: Readonly<Record<string, Option>> = {
  help: { short: 'h', doc: 'Shows this.' },
  debug: { doc: 'Prints the stack of an error.' },
}
