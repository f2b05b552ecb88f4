/** What clients in other languages are proved against: operations of every kind of streaming, and their answers. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { call } from '../../src/contract/call.ts'
import { stream } from '../../src/contract/stream.ts'

export const N = z.object({ n: z.int32() })

type Numbered = z.infer<typeof N>

/** One operation a kind of streaming. */
export const streams = {
  count: call({ input: N, output: stream(N) }),
  sum: call({ input: stream(N), output: N }),
  double: call({ input: stream(N), output: stream(N) }),
}

/** Their handlers. */
export const streamed = {
  async *count({ n }: Numbered) {
    for (let each = 1; each <= n; each++) yield { n: each }
  },
  async sum(numbers: AsyncIterable<Numbered>) {
    let sum = 0
    for await (const { n } of numbers) sum += n
    return { n: sum }
  },
  async *double(numbers: AsyncIterable<Numbered>) {
    for await (const { n } of numbers) yield { n: 2 * n }
  },
}

/** A handler that waits until its call is given up, and keeps the code. */
export function untilCanceled(codes: string[]) {
  return (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
    new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        codes.push((signal.reason as { code: string }).code)
        reject(signal.reason as Error)
      })
    })
}

/** Runs a client, which prints a line of JSON with `name` for each thing it tries; the lines by name. */
export async function resultsOf<T>(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, T>> {
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const ended = once(child, 'close')
  const results = new Map<string, T>()

  for await (const line of createInterface({ input: child.stdout })) {
    const { name, ...what } = JSON.parse(line) as { name: string }
    results.set(name, what as T)
  }

  assert.deepEqual(await ended, [0, null])
  return results
}
