// The server that is attacked: a REST server with one operation of each kind, over real sockets.

import { type Limits, call, contract, implement, serve, stream } from 'trunkline'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as z from 'zod'
import { quiet } from '../support/quiet-log.ts'

export const Target = contract('test.target.v1', {
  echo: call({
    input: z.object({ text: z.string() }),
    output: z.object({ size: z.int() }),
    rest: 'POST /echo',
  }),
  kibibyte: call({ output: z.object({ text: z.string() }), rest: 'GET /kibibyte' }),
  large: call({ output: z.object({ text: z.string() }), rest: 'GET /large' }),
  hold: call({ rest: 'GET /hold' }),
  flood: call({ output: stream(z.object({ text: z.string() })), rest: 'GET /flood' }),
  pour: call({
    input: stream(z.object({ text: z.string() })),
    output: z.object({ size: z.int() }),
    rest: 'POST /pour',
  }),
})

/** What the handlers did. */
export interface Observed {
  kibibytes: number
  holding: number
  pouring: number
  /** KiB that `flood` has handed out. */
  flooded: number
  /** Floods that ended, by their end or by the caller's. */
  floodsOver: number
}

export async function target(limits: Partial<Limits> = {}) {
  const observed: Observed = { kibibytes: 0, holding: 0, pouring: 0, flooded: 0, floodsOver: 0 }
  const text = 'x'.repeat(1024)
  const implementation = implement(Target, {
    echo: (input) => ({ size: input.text.length }),
    kibibyte() {
      observed.kibibytes++
      return { text }
    },
    large: () => ({ text: 'x'.repeat(12 * 1024 * 1024) }),
    hold(_, { signal }) {
      observed.holding++
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          observed.holding--
          reject(signal.reason as Error)
        })
      })
    },
    async *flood() {
      try {
        for (;;) {
          observed.flooded++
          yield { text }
        }
      } finally {
        observed.floodsOver++
      }
    },
    async pour(lines) {
      observed.pouring++
      let size = 0
      try {
        for await (const line of lines) size += line.text.length
      } finally {
        observed.pouring--
      }
      return { size }
    },
  })
  const server = await serve(implementation, { port: 0, log: quiet, limits })
  return { server, observed, url: `http://127.0.0.1:${server.port}` }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap and of buffers that are really needed now. */
export async function memory(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
