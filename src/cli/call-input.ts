/** The input of `call`: JSON from the command line or stdin, NDJSON for a stream. */
import { createInterface } from 'node:readline'
import { type CallOperation, Invalid, type Json, type Message, jsonOf } from '../index.ts'
import { Failure, failed, usage } from './failure.ts'
import { unknownFields } from './unknown-fields.ts'

export interface CallInput {
  /** What a client's method takes: a value, or an iterable of values. */
  value(): Promise<unknown>
  /** Why a streamed input ended before its time: the call itself fails with less to say. */
  failure(): Failure | undefined
}

export interface InputSettings {
  /** Fields that the type does not have are left out, and not refused. */
  readonly lenient: boolean
}

/** Reads nothing yet. Throws `Failure` when there must be an input and is none, or the other way round. */
export function readInput(
  operation: CallOperation,
  text: string | undefined,
  { lenient }: InputSettings,
): CallInput {
  const { input } = operation
  const never = () => undefined

  if (input === undefined) {
    if (text !== undefined) throw usage(`${operation.id} takes no input`)
    return { value: async () => undefined, failure: never }
  }

  const check = lenient ? (json: Json) => json : (json: Json) => refuseUnknown(operation, input, json)
  if (input.stream) return streamed(operation, input, text, check)
  if (text === undefined) return { value: async () => leftOut(operation, input), failure: never }

  return {
    failure: never,
    async value() {
      const json = text === '-' ? await readAll() : text
      return jsonOf(input).fromJson(check(parse(json, text === '-' ? 'stdin' : 'the input')))
    },
  }
}

/** An input of which nothing must be given can be left out. */
function leftOut(operation: CallOperation, input: Message): unknown {
  try {
    return jsonOf(input).fromJson({})
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    throw usage(
      `${operation.id} needs an input, ${input.name}`,
      ...error.issues.map(({ path, message }) => `  ${path}: ${message}`),
      `What it looks like: trunkline describe`,
    )
  }
}

function streamed(
  operation: CallOperation,
  input: Message,
  text: string | undefined,
  check: (json: Json) => Json,
): CallInput {
  if (text === undefined && process.stdin.isTTY) {
    throw usage(
      `${operation.id} takes a stream of ${input.name}`,
      'Give it one message a line on stdin: trunkline call … < messages.ndjson',
    )
  }

  let why: Failure | undefined
  const { fromJson } = jsonOf(input)
  async function* messages(): AsyncGenerator<unknown> {
    let number = 0
    for await (const line of text === undefined || text === '-' ? stdinLines() : text.split('\n')) {
      number++
      if (line.trim() === '') continue
      try {
        yield fromJson(check(parse(line, `line ${number}`)))
      } catch (error) {
        why = ofLine(number, input, error)
        throw error
      }
    }
  }

  return { value: async () => messages(), failure: () => why }
}

/** Made when they are read: readline loses the lines that come before. */
function stdinLines(): AsyncIterable<string> {
  return createInterface({ input: process.stdin, crlfDelay: Infinity })
}

function refuseUnknown({ id }: CallOperation, input: Message, json: Json): Json {
  const unknown = unknownFields(input, json)
  if (unknown.length === 0) return json

  const [first] = unknown
  throw usage(
    `the input has ${unknown.length === 1 ? 'a field' : `${unknown.length} fields`} that ${id} does not know: ${first?.path}`,
    ...unknown.map(({ path, hint }) => `  ${path}: ${hint}`),
    'With --lenient such fields are left out.',
  )
}

function ofLine(number: number, input: Message, error: unknown): Failure {
  if (error instanceof Invalid) return failed(`line ${number} does not fit ${input.name}: ${error.message}`)
  if (!(error instanceof Failure) || error.message.startsWith('line ')) return error as Failure
  return new Failure(error.exitCode, `line ${number}: ${error.message}`, error.advice)
}

function parse(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    const shell =
      where === 'the input'
        ? [`Put JSON in single quotes, so that the shell leaves it alone: '{"sku": "A1"}'`]
        : []
    throw usage(`${where} is not JSON: ${(error as Error).message}`, ...shell)
  }
}

async function readAll(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
