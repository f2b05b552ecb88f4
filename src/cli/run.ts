/** From the words of a command line to an exit code: finds the command, runs it, and prints what went wrong. */
import { readFileSync } from 'node:fs'
import { styleText } from 'node:util'
import { allCommands, commandNames, loadCommand } from './commands.ts'
import { type Command, isOn } from './command.ts'
import { Failure, exitCode, usage } from './failure.ts'
import { commandHelp, generalHelp } from './help.ts'
import { parse } from './parse.ts'
import { didYouMean, nearest } from '../contract/nearest.ts'

/** Runs a command line (without `node` and the script). Writes to stdout and stderr; resolves with the exit code. */
export async function run(words: readonly string[]): Promise<number> {
  let command: Command | undefined

  try {
    const [first, ...rest] = words
    if (first === undefined || first === '--help' || first === '-h')
      return await help(undefined, first === undefined)
    if (first === 'help') return await help(rest[0], false)
    if (first === '--version' || first === '-V') return print(version())

    command = await loadCommand(first)
    if (command === undefined) throw unknownCommand(first)

    const given = parse(command, rest)
    if (isOn(given, 'help')) return print(commandHelp(command))
    return (await command.run(given)) ?? exitCode.done
  } catch (error) {
    return report(error, command, words.includes('--debug'))
  }
}

async function help(name: string | undefined, asked: boolean): Promise<number> {
  if (name === undefined) {
    const text = generalHelp(await allCommands())
    if (!asked) return print(text)
    console.error(text)
    return exitCode.usage
  }

  const command = await loadCommand(name)
  if (command === undefined) throw unknownCommand(name)
  return print(commandHelp(command))
}

function print(text: string): number {
  console.log(text)
  return exitCode.done
}

function unknownCommand(name: string): Failure {
  const known = [...commandNames, 'help']
  const asked = nearest(name, ['--version', '--help']) ?? (name === 'version' ? '--version' : undefined)
  if (asked !== undefined) return usage(`there is no command '${name}'. Did you mean '${asked}'?`)

  return usage(
    name.startsWith('-')
      ? `the command comes first, then its options; '${name}' is none`
      : `there is no command '${name}'.${didYouMean(name, known)}`,
    `The commands are ${known.join(', ')}.`,
  )
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function report(error: unknown, command: Command | undefined, debug: boolean): number {
  const name = command === undefined ? 'trunkline' : `trunkline ${command.name}`
  const failure = error instanceof Failure ? error : undefined
  const message = error instanceof Error ? error.message : String(error)

  console.error(`${paint('red', `${name}:`)} ${message}`)
  for (const line of failure?.advice ?? []) console.error(line)

  if (failure?.exitCode === exitCode.usage) {
    console.error(`${paint('dim', 'Help:')} ${name === 'trunkline' ? 'trunkline help' : `${name} --help`}`)
  }

  if (debug) console.error(error)
  else if (failure === undefined && !isExpected(error)) {
    console.error(paint('dim', `Run it again with --debug for the stack.`))
  }

  return failure?.exitCode ?? exitCode.failed
}

/** Errors of the library whose message says all. */
function isExpected(error: unknown): boolean {
  return (
    error instanceof Error && ['CallError', 'ContractError', 'Undeclarable', 'Invalid'].includes(error.name)
  )
}

function paint(format: 'red' | 'dim', text: string): string {
  return styleText(format, text, { stream: process.stderr })
}
