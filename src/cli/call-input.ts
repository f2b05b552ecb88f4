/** The input of `call`: JSON from the command line or stdin, NDJSON for a stream. */
import { createInterface } from 'node:readline'
import { type CallOperation, Invalid, type Message, jsonOf } from '../index.ts'
import { type Failure, failed, usage } from './failure.ts'

export interface CallInput {
  /** What a client's method takes: a value, or an iterable of values. */
  value(): Promise<unknown>
  /** Why a streamed input ended before its time: the call itself fails with less to say. */
  failure(): Failure | undefined
}

/** Reads nothing yet. Throws `Failure` when there must be an input and is none, or the other way round. */
export function readInput(operation: CallOperation, text: string | undefined): CallInput {
  const { input } = operation
  const never = () => undefined

  if (input === undefined) {
    if (text !== undefined) throw usage(`${operation.id} takes no input`)
    return { value: async () => undefined, failure: never }
  }

  if (input.stream) return streamed(operation, input, text)
  if (text === undefined) return { value: async () => leftOut(operation, input), failure: never }

  return {
    failure: never,
    async value() {
      const json = text === '-' ? await readAll() : text
      return jsonOf(input).fromJson(parse(json, text === '-' ? 'stdin' : 'the input'))
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

function streamed(operation: CallOperation, input: Message, text: string | undefined): CallInput {
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
        yield fromJson(parse(line, `line ${number}`))
      } catch (error) {
        why =
          error instanceof Invalid
            ? failed(`line ${number} does not fit ${input.name}: ${error.message}`)
            : (error as Failure)
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

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
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
