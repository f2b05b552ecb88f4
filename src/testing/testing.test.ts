import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { call, contract, implement, stream } from 'trunkline'
import { collect, testPair } from 'trunkline/testing'
import * as z from 'zod'
import { certificate } from '../../test/support/certificate.ts'
import { until } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'

const N = z.object({ n: z.int32() })
const Doubler = contract('test.doubler.v1', {
  double: call({ input: N, output: N }),
  endless: call({ output: stream(N) }),
})

let stopped = 0
const doubler = implement(Doubler, {
  double: ({ n }) => ({ n: 2 * n }),
  async *endless() {
    try {
      for (let n = 0; ; n++) yield { n }
    } finally {
      stopped++
    }
  },
})

for (const over of ['in-process', 'trunk', 'http', 'trunk+unix', 'http+unix']) {
  test(`a pair is ready at once and leaves nothing behind, over ${over}`, async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'trunkline-'))
    const socket = over.endsWith('+unix') ? { path: path.join(folder, 's') } : {}
    let connections: () => number
    {
      await using pair = await testPair(Doubler, doubler, {
        over,
        serve: { log: quiet, ...socket },
        connect: { log: quiet },
      })
      connections = () => pair.server.connections
      assert.deepEqual(await pair.client.double({ n: 21 }), { n: 42 })
      stopped = 0
      assert.deepEqual(await collect(pair.client.endless(), 3), [{ n: 0 }, { n: 1 }, { n: 2 }])
    }
    assert.equal(connections(), 0)
    await until(() => stopped === 1, 'a stream that is left early ends its generator')
    rmSync(folder, { recursive: true })
  })
}

for (const over of ['trunks', 'grpcs', 'https']) {
  test(`a pair speaks TLS with the certificates it is given, over ${over}`, async () => {
    const { cert, key } = certificate()
    await using pair = await testPair(Doubler, doubler, {
      over,
      serve: { log: quiet, tls: { cert, key, clientCa: cert } },
      connect: { log: quiet, tls: { ca: cert, cert, key } },
    })
    assert.deepEqual(await pair.client.double({ n: 21 }), { n: 42 })
  })
}

test('a pair that cannot be connected leaves no server', async () => {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as net.AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  await assert.rejects(
    testPair(Doubler, doubler, { over: 'ftp', serve: { port, log: quiet } }),
    /no wire has the scheme 'ftp'/,
  )
  await using pair = await testPair(Doubler, doubler, { serve: { port, log: quiet } })
  assert.equal(pair.server.port, port)
})

test('collecting ends at the limit, and with the stream', async () => {
  async function* numbers(to: number) {
    for (let n = 0; n < to; n++) yield n
  }
  assert.deepEqual(await collect(numbers(3)), [0, 1, 2])
  assert.deepEqual(await collect(numbers(3), 2), [0, 1])
  assert.deepEqual(await collect(numbers(3), 0), [])
})
