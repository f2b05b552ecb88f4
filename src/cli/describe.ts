import { describe, describeText } from '../index.ts'
import { clientTls, clientTlsOptions } from './client-tls.ts'
import { type Command, type Given, isOn, valueOf, valuesOf } from './command.ts'
import { contractsFrom } from './contracts-from.ts'
import { usage } from './failure.ts'
import { protoPathOption } from './proto-files.ts'

export const command: Command = {
  name: 'describe',
  summary: 'Shows contracts: operations, their names on the wires, types and field numbers.',
  more: [
    'Of a module, of a .proto file, or of a running server that says what it serves: trunk always, REST at /trunkline.json, any ' +
      'gRPC server that has server reflection.',
  ],
  arguments: [
    {
      name: 'module',
      doc: "A module that exports contracts or implementations, or a server's URL.",
      optional: true,
    },
  ],
  options: {
    to: { value: 'url', doc: 'Asks a server instead.' },
    proto: { value: 'file', doc: 'Reads the services of a .proto file instead.' },
    'proto-path': protoPathOption,
    json: { doc: 'Prints a JSON array of descriptions, as fromDescription() reads them.' },
    ...clientTlsOptions,
  },
  examples: [
    { line: 'trunkline describe contract.ts', doc: 'What a module declares.' },
    { line: 'trunkline describe --to trunk://127.0.0.1:7000', doc: 'What a server serves.' },
    { line: 'trunkline describe grpc://127.0.0.1:50051', doc: 'What any gRPC server serves, by reflection.' },
    { line: 'trunkline describe --to http://127.0.0.1:7000 --json', doc: 'The same for programs.' },
  ],
  run,
}

async function run(given: Given): Promise<void> {
  const [place] = given.arguments
  const isUrl = place?.includes('://') === true
  const module = isUrl ? undefined : place
  const to = valueOf(given, 'to')
  const proto = valueOf(given, 'proto')

  const named = [
    ...(place === undefined ? [] : [`'${place}'`]),
    ...(to === undefined ? [] : ['--to']),
    ...(proto === undefined ? [] : ['--proto']),
  ]
  if (named.length === 0) throw usage('describe what? Name a module, or a server by its URL')
  if (named.length > 1)
    throw usage(
      `${named.join(' and ')} are ${named.length === 2 ? 'two' : 'three'} places to read from: give one of them`,
    )

  const url = isUrl ? place : to
  const contracts = await contractsFrom({
    module,
    proto,
    protoPath: valuesOf(given, 'proto-path'),
    to: url,
    tls: clientTls(given, url),
  })
  console.log(
    isOn(given, 'json')
      ? JSON.stringify(contracts.map(describe), undefined, 2)
      : contracts.map(describeText).join('\n\n\n'),
  )
}
