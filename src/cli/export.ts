import { exportOpenApi } from '../wires/index.ts'
import { type Command, type Given, valueOf, valuesOf } from './command.ts'
import { writeProto } from './export-proto.ts'
import { contractsOf } from './exported.ts'
import { usage } from './failure.ts'
import { writeGiven } from './files.ts'
import { loadModule } from './load-module.ts'
import { didYouMean } from '../contract/nearest.ts'

const formats = ['openapi', 'proto']

export const command: Command = {
  name: 'export',
  summary: 'Writes the document of a contract for the world outside: OpenAPI 3.1, .proto.',
  arguments: [
    { name: 'format', doc: formats.join(', ') },
    { name: 'module', doc: 'A module that exports contracts or implementations.' },
  ],
  options: {
    out: {
      short: 'o',
      value: 'path',
      doc: 'Where to write it: a file, or the folder of .proto files.',
      default: 'stdout',
    },
    title: { value: 'text', doc: 'The title of an OpenAPI document.', default: "the contracts' names" },
    server: { value: 'url', doc: 'A base URL to put into an OpenAPI document.', multiple: true },
  },
  examples: [
    {
      line: 'trunkline export openapi contract.ts --out openapi.json',
      doc: 'What a server has at /openapi.json.',
    },
    {
      line: 'trunkline export openapi contract.ts --server https://orders.example.com',
      doc: 'With the URL to call.',
    },
    {
      line: 'trunkline export proto contract.ts --out proto',
      doc: 'A .proto file a package, below the folder proto, for clients in other languages.',
    },
  ],
  run,
}

async function run(given: Given): Promise<void> {
  const [format, module] = given.arguments as [string, string]
  if (!formats.includes(format)) {
    throw usage(
      `there is no format '${format}'.${didYouMean(format, formats)}`,
      `The formats are ${formats.join(', ')}.`,
    )
  }

  const title = valueOf(given, 'title')
  const servers = valuesOf(given, 'server')
  const out = valueOf(given, 'out')
  const contracts = contractsOf(await loadModule(module))

  if (format === 'proto') {
    if (title !== undefined || servers.length > 0)
      throw usage('--title and --server belong to OpenAPI documents')
    return writeProto(contracts, out)
  }

  const document = exportOpenApi(contracts, {
    ...(title === undefined ? {} : { title }),
    ...(servers.length === 0 ? {} : { servers }),
  })
  const text = JSON.stringify(document, undefined, 2)

  if (out === undefined || out === '-') return console.log(text)

  writeGiven('--out', out, `${text}\n`, `${format}.json`)
  console.error(`wrote ${out}`)
}
