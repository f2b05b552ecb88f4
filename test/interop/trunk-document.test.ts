/** The bytes that docs/trunk-protocol.md prints are those a server takes and sends, to the last one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { call } from '../../src/contract/call.ts'
import { contract } from '../../src/contract/contract.ts'
import { fault } from '../../src/contract/fault.ts'
import { stream } from '../../src/contract/stream.ts'
import { implement } from '../../src/server/implement.ts'
import { until } from '../support/events.ts'
import { trunkPair } from '../support/trunk.ts'

const N = z.object({ n: z.int32() })
const Echo = contract('acme.echo.v1', {
  echo: call({ input: N, output: N }),
  count: call({ input: N, output: stream(N) }),
  halve: call({
    input: N,
    output: N,
    faults: { odd: fault('failed_precondition', z.object({ rest: z.int32() })) },
  }),
})

interface Turn {
  readonly side: 'client' | 'server'
  bytes: Buffer
}

/** The dumps of the last section: lines of a side's name or none, bytes in hexadecimal, and what they mean. */
function turns(): Turn[] {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/trunk-protocol.md'), 'utf8')
  const parts = page.split(/^## 9\..*$/m)[1]!.split('```')
  const dumps = parts.filter((_, index) => index % 2 === 1).join('\n')
  const read: Turn[] = []

  for (const line of dumps.split('\n')) {
    const match = /^(client|server)?\s+((?:[0-9A-F]{2}\b\s*)+)/.exec(line)
    if (match === null) continue
    const [, side, hex] = match
    const bytes = Buffer.from(hex!.replaceAll(/\s/g, ''), 'hex')
    const last = read.at(-1)
    if (side !== undefined && side !== last?.side) read.push({ side: side as Turn['side'], bytes })
    else last!.bytes = Buffer.concat([last!.bytes, bytes])
  }
  return read
}

test('the bytes of a call in the document are those of the code', async () => {
  await using pair = await trunkPair([
    implement(Echo, {
      echo: (input) => input,
      async *count({ n }) {
        for (let each = 1; each <= n; each++) yield { n: each }
      },
      halve({ n }, ctx) {
        if (n % 2 !== 0) throw ctx.fault.odd({ rest: 1 }, `${n} is odd`)
        return { n: n / 2 }
      },
    }),
  ])
  const socket = await pair.dial()
  let came = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    came = Buffer.concat([came, chunk])
  })

  const dumped = turns()
  assert.ok(dumped.length >= 10, `${dumped.length} turns were found in the document`)
  for (const { side, bytes } of dumped) {
    if (side === 'client') {
      socket.write(bytes)
    } else {
      await until(() => came.length >= bytes.length, `${bytes.length} bytes of the server`)
      assert.equal(came.toString('hex'), bytes.toString('hex'))
      came = Buffer.alloc(0)
    }
  }
  socket.resume().end()
  await until(() => pair.served.size === 1, 'the connection is closed')
  assert.deepEqual(pair.log.lines, [])
})
