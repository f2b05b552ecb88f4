/** The orders of the demo: NDJSON from a file or from stdin. */
import { createReadStream, existsSync, fstatSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** Milliseconds that a pipe has to bring its first line, unless stdin was asked for. */
const patience = 1_000

const sample = fileURLToPath(new URL('orders.ndjson', import.meta.url))

/** Reads orders: of the named file, of stdin for `-` or when something is piped in, else the sample's. */
export async function readOrders(from: string | undefined): Promise<readonly unknown[]> {
  if (from === undefined) {
    // A pipe that nobody writes to, as some supervisors leave it, is no input.
    const piped = isPiped() ? await parse(process.stdin, 'stdin', patience) : []
    return piped.length > 0 ? piped : parse(createReadStream(sample), sample, Infinity)
  }

  if (from !== '-' && !existsSync(from)) throw new Error(`--orders: there is no file '${from}'`)
  const [input, where] = from === '-' ? [process.stdin, 'stdin'] : [createReadStream(from), from]
  const orders = await parse(input, where, Infinity)
  if (orders.length > 0) return orders
  throw new Error(`${where} has no orders: one JSON object a line`)
}

/** The values of all lines; none when the first one does not come in time. */
async function parse(input: Readable, where: string, wait: number): Promise<readonly unknown[]> {
  const lines = createInterface({ input, crlfDelay: Infinity })
  const giveUp = wait === Infinity ? undefined : setTimeout(() => lines.close(), wait)
  const orders: unknown[] = []
  let number = 0

  for await (const line of lines) {
    clearTimeout(giveUp)
    number++
    if (line.trim() === '') continue
    try {
      orders.push(JSON.parse(line))
    } catch (error) {
      throw new Error(`${where}, line ${number} is not JSON: ${(error as Error).message}`, { cause: error })
    }
  }

  clearTimeout(giveUp)
  input.destroy()
  return orders
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
