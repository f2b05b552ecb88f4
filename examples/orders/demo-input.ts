/** The orders of the demo: NDJSON from a file or from stdin. */
import { createReadStream, existsSync, fstatSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const sample = fileURLToPath(new URL('orders.ndjson', import.meta.url))

/** Reads orders: of the named file, of stdin for `-` or when something is piped in, else the sample's. */
export async function readOrders(from: string | undefined): Promise<readonly unknown[]> {
  const piped = from === undefined && isPiped()
  const file = from ?? sample
  if (!piped && file !== '-' && !existsSync(file)) throw new Error(`--orders: there is no file '${file}'`)

  const input = piped || file === '-' ? process.stdin : createReadStream(file)
  const where = input === process.stdin ? 'stdin' : file
  const orders: unknown[] = []
  let number = 0

  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    number++
    if (line.trim() === '') continue
    try {
      orders.push(JSON.parse(line))
    } catch (error) {
      throw new Error(`${where}, line ${number} is not JSON: ${(error as Error).message}`, { cause: error })
    }
  }

  if (orders.length > 0) return orders
  if (piped) return readOrders(sample)
  throw new Error(`${where} has no orders: one JSON object a line`)
}

/** Whether stdin is a pipe or a file; not a terminal, not /dev/null, not closed. */
function isPiped(): boolean {
  try {
    const stdin = fstatSync(0)
    return stdin.isFIFO() || stdin.isFile()
  } catch {
    return false
  }
}
