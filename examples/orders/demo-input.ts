/** The orders of the demo: NDJSON from a file or from stdin; those that break a rule of the contract are pointed out. */
import { createReadStream, existsSync, fstatSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { NewOrder } from './contract.ts'

/** Milliseconds that a pipe has to bring its first line, unless stdin was asked for. */
const patience = 1_000

const sample = fileURLToPath(new URL('orders.ndjson', import.meta.url))

/** How many wrong orders are shown, each with what is wrong. */
const shownAtMost = 10

export interface DemoInput {
  /** A file's name, or `stdin`. */
  readonly from: string
  /** All orders, the wrong ones too: that they are refused is part of the demo. */
  readonly orders: readonly unknown[]
  readonly wrong: readonly WrongOrder[]
}

export interface WrongOrder {
  readonly line: number
  /** `quantity: Too small: …` */
  readonly why: string
}

/** Reads orders: of the named file, of stdin for `-` or when something is piped in, else the sample's. */
export async function readOrders(from: string | undefined): Promise<DemoInput> {
  if (from === undefined) {
    // A pipe that nobody writes to, as some supervisors leave it, is no input.
    const piped = isPiped() ? await parse(process.stdin, 'stdin', patience) : undefined
    return piped !== undefined && piped.orders.length > 0
      ? piped
      : parse(createReadStream(sample), sample, Infinity)
  }

  if (from !== '-' && !existsSync(from)) throw new Error(`--orders: there is no file '${from}'`)
  const [input, where] = from === '-' ? [process.stdin, 'stdin'] : [createReadStream(from), from]
  const read = await parse(input, where, Infinity)
  if (read.orders.length > 0) return read
  throw new Error(`${where} has no orders: one JSON object a line`)
}

/** The values of all lines; none when the first one does not come in time. */
async function parse(input: Readable, where: string, wait: number): Promise<DemoInput> {
  const lines = createInterface({ input, crlfDelay: Infinity })
  const giveUp = wait === Infinity ? undefined : setTimeout(() => lines.close(), wait)
  const orders: unknown[] = []
  const wrong: WrongOrder[] = []
  let number = 0

  for await (const line of lines) {
    clearTimeout(giveUp)
    number++
    if (line.trim() === '') continue
    try {
      const order: unknown = JSON.parse(line)
      orders.push(order)
      const why = whatIsWrong(order)
      if (why !== undefined) wrong.push({ line: number, why })
    } catch (error) {
      throw new Error(`${where}, line ${number} is not JSON: ${(error as Error).message}`, { cause: error })
    }
  }

  clearTimeout(giveUp)
  input.destroy()
  return { from: where, orders, wrong }
}

/** What a server will say of it: all rules that it breaks. */
function whatIsWrong(order: unknown): string | undefined {
  const { error } = NewOrder.safeParse(order)
  return error?.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ')
}

/** Says which orders will be refused, and why; those of the sample are meant to be, and are only counted. */
export function wrongLines({ from, orders, wrong }: DemoInput): readonly string[] {
  if (wrong.length === 0) return []
  const count = `${wrong.length} of ${orders.length} orders`
  if (from === sample)
    return [`${count} of the sample break a rule of the contract, so that refusals are seen`]

  const more = wrong.length - shownAtMost
  return [
    `${from}: ${count} break a rule of the contract, and will be refused:`,
    ...wrong.slice(0, shownAtMost).map(({ line, why }) => `  line ${line}: ${why}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}

/** Whether stdin is a pipe or a file; not a terminal, not /dev/null, not closed. */
function isPiped(): boolean {
  try {
    const stdin = fstatSync(0)
    return stdin.isFIFO() || stdin.isFile() || stdin.isSocket()
  } catch {
    return false
  }
}
