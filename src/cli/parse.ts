/** From words to a `Given`, with errors that name the nearest thing there is. Pure. */
import { parseArgs } from 'node:util'
import { type Command, type Given, type Option, commonOptions } from './command.ts'
import { type Failure, usage } from './failure.ts'
import { didYouMean } from '../contract/nearest.ts'

/** Takes the words after the command's name apart. Throws `Failure`. */
export function parse(command: Command, words: readonly string[]): Given {
  const known: Record<string, Option> = { ...command.options, ...commonOptions }
  const { tokens, positionals } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(known).map(([name, { short, value }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })

  const options = new Map<string, string[]>()

  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined
    if (option === undefined) throw unknownOption(token.rawName, known)

    const before = options.get(token.name)
    if (option.value === undefined) {
      if (token.value !== undefined) throw usage(`${token.rawName} is a switch and takes no value`)
      options.set(token.name, [])
      continue
    }

    if (
      token.value === undefined ||
      (token.value.startsWith('-') && !token.inlineValue && token.value !== '-')
    ) {
      throw usage(
        `${token.rawName} needs a value: ${token.rawName} <${option.value}>`,
        ...(token.value === undefined
          ? []
          : [`A value that begins with a dash is written --${token.name}=${token.value}`]),
      )
    }
    if (before !== undefined && option.multiple !== true) throw usage(`${token.rawName} was given twice`)
    options.set(token.name, [...(before ?? []), token.value])
  }

  if (!options.has('help')) checkArguments(command, positionals)
  return { arguments: positionals, options }
}

function unknownOption(raw: string, known: Readonly<Record<string, Option>>): Failure {
  const names = Object.entries(known).flatMap(([name, { short }]) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ])
  return usage(
    `there is no option '${raw}'.${didYouMean(raw, raw.startsWith('--') ? names : names.filter((name) => name.length === 2))}`,
  )
}

function checkArguments(command: Command, given: readonly string[]): void {
  const needed = command.arguments.filter(({ optional }) => optional !== true)
  const missing = needed[given.length]
  if (missing !== undefined) throw usage(`<${missing.name}> is missing: ${missing.doc}`)

  const extra = given[command.arguments.length]
  if (extra === undefined) return
  throw usage(
    `'${extra}' is one argument too many; ${command.name} takes ${
      command.arguments.map(({ name }) => name).join(' and ') || 'none'
    }`,
    ...(extra.includes('"') || given.some((word) => word.startsWith('{'))
      ? ['Put JSON in single quotes: \'{"sku": "A1"}\'']
      : []),
  )
}
