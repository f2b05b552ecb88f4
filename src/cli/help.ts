/** Help as text: of all commands, and of one. Pure. */
import { type Argument, type Command, type Option, commonOptions } from './command.ts'

const width = 100

/** `trunkline help`. */
export function generalHelp(commands: readonly Command[]): string {
  const names = Math.max(...commands.map(({ name }) => name.length))

  return [
    'trunkline: one contract, one port, every wire.',
    '',
    'Usage',
    '  trunkline <command> …',
    '',
    'Commands',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(names)}  ${summary}`),
    '',
    'Options',
    '  -h, --help     Shows this, or the help of a command: trunkline serve --help',
    '  -V, --version  Prints the version.',
    '',
    'Exit codes',
    '  0  done',
    '  1  failed: the call, the module, its contract or its lock',
    '  2  the command line is wrong',
    '  3  the server cannot be reached',
  ].join('\n')
}

/** `trunkline <command> --help`. */
export function commandHelp(command: Command): string {
  const sections = [
    [command.summary, ...(command.more ?? []).flatMap((paragraph) => ['', ...wrap(paragraph, width)])],
    ['Usage', `  ${usageLine(command)}`],
    table(
      'Arguments',
      command.arguments.map((each): [string, string] => [each.name, each.doc]),
    ),
    table('Options', Object.entries({ ...command.options, ...commonOptions }).map(optionRow)),
    ['Examples', ...command.examples.flatMap(({ line, doc }) => [`  ${line}`, `      ${doc}`])],
  ]

  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** `trunkline call <operation> [input] [options]` */
export function usageLine({ name, arguments: taken }: Command): string {
  return ['trunkline', name, ...taken.map(argumentInUsage), '[options]'].join(' ')
}

function argumentInUsage({ name, optional }: Argument): string {
  return optional === true ? `[${name}]` : `<${name}>`
}

/** `-H, --header <name: value>` */
export function optionInWords(name: string, { short, value }: Option): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`
}

function optionRow([name, option]: [string, Option]): [string, string] {
  const usual = option.default === undefined ? '' : ` Default: ${option.default}.`
  return [optionInWords(name, option), `${option.doc}${usual}`]
}

function table(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return []
  const first = Math.max(...rows.map(([left]) => left.length))

  return [
    title,
    ...rows.flatMap(([left, right]) =>
      wrap(right, width - first - 4).map(
        (line, index) => `  ${(index === 0 ? left : '').padEnd(first)}  ${line}`,
      ),
    ),
  ]
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''

  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }

  return [...lines, line]
}
