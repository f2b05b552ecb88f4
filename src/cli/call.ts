import {
  CallError,
  type CallOperation,
  type CallOptions,
  Invalid,
  type UntypedClient,
  connectTo,
  jsonOf,
} from '../index.ts'
import { errorDetailJson } from '../wires/index.ts'
import { readInput } from './call-input.ts'
import { type CallReport, silentReport, verboseReport } from './call-report.ts'
import { clientTls, clientTlsOptions, explainTls } from './client-tls.ts'
import { type Command, type Given, isOn, valueOf, valuesOf } from './command.ts'
import { checkUrl, contractsFrom, unreachable } from './contracts-from.ts'
import { Failure, exitCode, usage } from './failure.ts'
import { durationOption } from './number-option.ts'
import { findOperation } from './operation.ts'
import { protoPathOption } from './proto-files.ts'

export const command: Command = {
  name: 'call',
  summary: 'Calls an operation of a running server.',
  more: [
    'The contract comes from the server itself, from a module with --contract, or from a .proto file with --proto. A gRPC ' +
      'server, whoever wrote it, is asked by server reflection. Values are written as in REST: moments as ' +
      '2026-01-31T12:00:00Z, bytes in base64, 64-bit integers as strings.',
    'A field that the operation does not have is refused, with the name that was meant.',
    'The answer is printed as JSON, a stream as one line a message (NDJSON). A call that fails prints its code, message and ' +
      'detail on stderr and exits with 1.',
  ],
  arguments: [
    {
      name: 'operation',
      doc: "`place`, `acme.orders.v1/place` or `acme.orders.v1.place`; or gRPC's name: `acme.orders.v1.Orders/Place`, `Orders/Place`.",
    },
    {
      name: 'input',
      doc: 'JSON, or - to read it from stdin. For a streamed input one message a line (NDJSON), stdin when left out.',
      optional: true,
    },
  ],
  options: {
    to: {
      value: 'url',
      doc: "The server; the URL's scheme is the wire: trunk://, trunks://, trunk+unix://, grpc://, grpcs://, grpc+unix://, http://, https://.",
    },
    contract: {
      value: 'module',
      doc: 'A module with the contract, for servers that do not describe themselves.',
    },
    proto: {
      value: 'file',
      doc: 'A .proto file with the service, for gRPC servers without reflection.',
    },
    'proto-path': protoPathOption,
    header: {
      short: 'H',
      value: 'name: value',
      multiple: true,
      doc: 'Metadata to send. Values of names in -bin are base64.',
    },
    timeout: {
      value: 'time',
      doc: 'How long the call may take: 500ms, 10s, 2m; a bare number is milliseconds.',
      default: '30s, none for streams',
    },
    lenient: {
      doc: 'Leaves out fields of the input that the operation does not have; else they are refused.',
    },
    verbose: { short: 'v', doc: 'Prints metadata, trailers and timing on stderr.' },
    ...clientTlsOptions,
  },
  examples: [
    {
      line: `trunkline call place '{"sku": "SKU-1", "quantity": 2, "price": 9.5}' --to trunk://127.0.0.1:7000`,
      doc: 'The answer as JSON.',
    },
    {
      line: `trunkline call watch '{"count": 3}' --to http://127.0.0.1:7000`,
      doc: 'A stream, one line a message.',
    },
    {
      line: 'trunkline call import - --to trunk://127.0.0.1:7000 < orders.ndjson',
      doc: 'A streamed input from a file.',
    },
    {
      line: `trunkline call shop.v1.Shop/GetProduct '{"sku": "SAW-1"}' --to grpc://127.0.0.1:50051`,
      doc: 'Any gRPC server, by reflection.',
    },
    {
      line: `trunkline call GetProduct '{"sku": "SAW-1"}' --to grpc://127.0.0.1:50051 --proto protos/shop.proto -I protos`,
      doc: 'One without reflection.',
    },
    {
      line: "trunkline call ping -v --timeout 500ms -H 'x-tenant: acme' --to trunk+unix:///run/orders.sock",
      doc: 'With metadata, over a Unix socket.',
    },
    {
      line: 'trunkline call ping --to trunks://10.0.0.7:7000 --tls-ca ca.pem --tls-server-name orders.internal --tls-cert me.pem --tls-key me.key',
      doc: 'Over mutual TLS.',
    },
  ],
  run,
}

async function run(given: Given): Promise<number> {
  const [name, inputText] = given.arguments as [string, string?]
  const url = checkUrl(valueOf(given, 'to'))
  const tls = clientTls(given, url)
  const metadata = metadataOf(valuesOf(given, 'header'))
  const timeout = durationOption(given, 'timeout')

  const contracts = await contractsFrom({
    module: valueOf(given, 'contract'),
    proto: valueOf(given, 'proto'),
    protoPath: valuesOf(given, 'proto-path'),
    to: url,
    tls,
  })
  const operation = findOperation(contracts, name)
  const input = readInput(operation, inputText, { lenient: isOn(given, 'lenient') })
  const report = isOn(given, 'verbose') ? verboseReport(operation, url, metadata) : silentReport

  const interrupt = new AbortController()
  const onInterrupt = () => interrupt.abort(new Error('interrupted'))
  process.once('SIGINT', onInterrupt)

  await using client = connected(operation, url, tls)
  const options: CallOptions = {
    metadata,
    signal: interrupt.signal,
    onReply: report.head,
    ...(timeout === undefined ? {} : { timeout }),
  }

  try {
    const value = await input.value()
    if (operation.output?.stream === true) {
      await printStream(operation, client.stream(operation.name, value, options))
    } else {
      printValue(operation, await client.call(operation.name, value, options))
    }
    await report.end()
    return exitCode.done
  } catch (error) {
    await report.end()
    if (interrupt.signal.aborted) return 130
    throw explain(input.failure() ?? error, operation, report)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

function connected(operation: CallOperation, url: string, tls: ReturnType<typeof clientTls>): UntypedClient {
  try {
    return connectTo(operation.contract, url, tls)
  } catch (error) {
    throw explainTls(error)
  }
}

function printValue({ output }: CallOperation, value: unknown): void {
  if (output !== undefined) console.log(JSON.stringify(jsonOf(output).toJson(value), undefined, 2))
}

async function printStream({ output }: CallOperation, messages: AsyncIterable<unknown>): Promise<void> {
  if (output === undefined) return
  const { toJson } = jsonOf(output)

  for await (const message of messages) {
    const took = process.stdout.write(`${JSON.stringify(toJson(message))}\n`)
    if (!took) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

function metadataOf(headers: readonly string[]): Record<string, (string | Uint8Array)[]> {
  const metadata: Record<string, (string | Uint8Array)[]> = Object.create(null)

  for (const header of headers) {
    const colon = header.indexOf(':')
    if (colon < 1) throw usage(`--header: expected 'name: value', got '${header}'`)

    const name = header.slice(0, colon).trim().toLowerCase()
    const text = header.slice(colon + 1).trim()
    const value = name.endsWith('-bin') ? new Uint8Array(Buffer.from(text, 'base64')) : text
    metadata[name] = [...(metadata[name] ?? []), value]
  }

  return metadata
}

function explain(error: unknown, operation: CallOperation, report: CallReport): unknown {
  if (error instanceof Failure) return error
  if (error instanceof Invalid) {
    return new Failure(
      exitCode.failed,
      `the input does not fit ${operation.id}`,
      issueLines(error.issues),
      error,
    )
  }
  if (!CallError.is(error)) return error instanceof TypeError ? usage(error.message) : error

  const gone = unreachable(error)
  if (gone !== undefined) return gone

  const { code, message, fault, issues, retryAfter, details } = error
  const said = message === '' || message === code ? code : `${code}: ${message}`
  // Our own servers repeat in the message what is listed below it.
  const isList = issues.some((issue) => message.includes(issue.message))
  return new Failure(
    exitCode.failed,
    isList ? `${code}: the server refused the input` : said,
    [
      ...(fault === undefined ? [] : [`  fault ${fault.name}${faultDetail(operation, fault)}`]),
      ...issueLines(issues),
      ...details.map((detail) => detailLine(operation, detail)),
      ...(retryAfter === undefined ? [] : [`  try again in ${retryAfter} ms`]),
      ...report.errorMetadata(error.metadata),
    ],
    error,
  )
}

function faultDetail(operation: CallOperation, { name, detail }: NonNullable<CallError['fault']>): string {
  if (detail === undefined) return ''
  const declared = Object.hasOwn(operation.faults, name) ? operation.faults[name]?.detail : undefined
  return ` ${JSON.stringify(declared === undefined ? detail : jsonOf(declared).toJson(detail))}`
}

/** A foreign detail: JSON where its type is known, else its bytes in base64. */
function detailLine({ contract }: CallOperation, detail: CallError['details'][number]): string {
  const json = errorDetailJson(detail, contract)
  const shown = json === undefined ? Buffer.from(detail.value).toString('base64') : JSON.stringify(json)
  return `  detail ${detail.type.slice(detail.type.lastIndexOf('/') + 1)} ${shown}`
}

function issueLines(issues: readonly { readonly path: string; readonly message: string }[]): string[] {
  return issues.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`)
}
