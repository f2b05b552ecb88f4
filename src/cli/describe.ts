import { describe, describeText } from '../index.ts'
import { type Command, type Given, isOn, valueOf } from './command.ts'
import { contractsFrom } from './contracts-from.ts'
import { usage } from './failure.ts'

export const command: Command = {
  name: 'describe',
  summary: 'Shows contracts: operations, their names on the wires, types and field numbers.',
  more: [
    'Of a module, or of a running server that says what it serves (trunk always; REST at /trunkline.json).',
  ],
  arguments: [{ name: 'module', doc: 'A module that exports contracts or implementations.', optional: true }],
  options: {
    to: { value: 'url', doc: 'Asks a server instead.' },
    json: { doc: 'Prints a JSON array of descriptions, as fromDescription() reads them.' },
    'tls-ca': { value: 'file', doc: 'Trusts the certificates of this PEM file.' },
  },
  examples: [
    { line: 'trunkline describe contract.ts', doc: 'What a module declares.' },
    { line: 'trunkline describe --to trunk://127.0.0.1:7000', doc: 'What a server serves.' },
    { line: 'trunkline describe --to http://127.0.0.1:7000 --json', doc: 'The same for programs.' },
  ],
  run,
}

async function run(given: Given): Promise<void> {
  const [module] = given.arguments
  const to = valueOf(given, 'to')

  if ((module === undefined) === (to === undefined)) {
    throw usage(
      module === undefined
        ? 'describe what? Name a module, or a server with --to <url>'
        : `'${module}' and --to are two places to read from: give one of them`,
    )
  }

  const contracts = await contractsFrom({ module, to, ca: valueOf(given, 'tls-ca') })
  console.log(
    isOn(given, 'json')
      ? JSON.stringify(contracts.map(describe), undefined, 2)
      : contracts.map(describeText).join('\n\n\n'),
  )
}
