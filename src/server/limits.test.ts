import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import {
  type ConnectOptions,
  type Limits,
  call,
  connect,
  contract,
  disconnect,
  implement,
  serve,
  stream,
} from 'trunkline'
import * as z from 'zod'
import { until } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'
import { rawConnection } from '../../test/support/raw-http.ts'
import { defaultLimits } from '../call/limits.ts'

interface Tree {
  children: Tree[]
}
const TreeSchema: z.ZodType<Tree> = z
  .object({
    get children() {
      return z.array(TreeSchema)
    },
  })
  .meta({ id: 'Tree' }) as z.ZodType<Tree>

const Bounded = contract('test.bounded.v1', {
  echo: call({
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    rest: 'POST /echo',
  }),
  plant: call({ input: z.object({ tree: TreeSchema }), rest: 'POST /plant' }),
  never: call({}),
  flood: call({ output: stream(z.object({ text: z.string() })), rest: 'GET /flood' }),
})

/** A server with limits; `produced` counts the KiB that `flood` has handed out. */
async function bounded(limits: Partial<Limits>) {
  const count = { produced: 0 }
  const text = 'x'.repeat(1024)
  const implementation = implement(Bounded, {
    echo: (input) => input,
    plant() {},
    never: () => new Promise<void>(() => undefined),
    async *flood() {
      for (;;) {
        count.produced++
        yield { text }
      }
    },
  })
  const server = await serve(implementation, { port: 0, log: quiet, limits })
  return { server, count }
}

function nested(depth: number): Tree {
  let tree: Tree = { children: [] }
  for (let i = 1; i < depth; i++) tree = { children: [tree] }
  return tree
}

for (const scheme of ['trunk', 'http']) {
  const client = (port: number, options: ConnectOptions = {}) =>
    connect(Bounded, `${scheme}://127.0.0.1:${port}`, { log: quiet, ...options })

  test(`beyond limits.messageSize a message is resource_exhausted, and the next call goes well, over ${scheme}`, async () => {
    const { server } = await bounded({ messageSize: 1000 })
    await using _ = server
    await using calling = client(server.port)
    await assert.rejects(calling.echo({ text: 'x'.repeat(2000) }), { code: 'resource_exhausted' })
    assert.deepEqual(await calling.echo({ text: 'x' }), { text: 'x' })
  })

  test(`beyond limits.headerSize the head of a call is refused, and the next call goes well, over ${scheme}`, async () => {
    const { server } = await bounded({ headerSize: 2048 })
    await using _ = server
    await using calling = client(server.port)
    const large = { metadata: { 'x-large': 'x'.repeat(4000) } }
    await assert.rejects(calling.echo({ text: 'x' }, large), { code: 'resource_exhausted' })
    assert.deepEqual(await calling.echo({ text: 'x' }), { text: 'x' })
  })

  test(`beyond limits.depth a value is invalid_argument, over ${scheme}`, async () => {
    const { server } = await bounded({ depth: 20 })
    await using _ = server
    await using calling = client(server.port)
    await calling.plant({ tree: nested(5) })
    await assert.rejects(calling.plant({ tree: nested(40) }), { code: 'invalid_argument' })
  })

  test(`after limits.callTimeout a unary call that names no time is over, on either side, over ${scheme}`, async () => {
    const { server } = await bounded({ callTimeout: 40 })
    await using _ = server
    await using calling = client(server.port)
    await assert.rejects(calling.never(), { code: 'deadline_exceeded' })

    const patient = await bounded({})
    await using __ = patient.server
    await using hasty = client(patient.server.port, { limits: { callTimeout: 40 } })
    await assert.rejects(hasty.never(), { code: 'deadline_exceeded' })
  })

  test(`after limits.idleTimeout a connection without calls is closed, and the client makes another, over ${scheme}`, async () => {
    const { server } = await bounded({ idleTimeout: 50 })
    await using _ = server
    await using calling = client(server.port)
    await calling.echo({ text: 'x' })
    await until(() => server.connections === 0, 'the idle connection is closed')
    assert.deepEqual(await calling.echo({ text: 'y' }), { text: 'y' })
  })

  test(`limits.streamWindow bounds what a reader that stops leaves waiting, over ${scheme}`, async () => {
    const { server, count } = await bounded({ streamWindow: 64 * 1024, connectionWindow: 128 * 1024 })
    await using _ = server
    const limits = { streamWindow: 64 * 1024, connectionWindow: 128 * 1024 }
    await using calling = client(server.port, { limits })
    const reading = calling.flood()[Symbol.asyncIterator]()
    await reading.next()
    let before = -1
    await until(() => {
      const still = count.produced === before
      before = count.produced
      return still
    }, 'the sender stands still')
    // Over HTTP the sockets' own buffers come on top: some MiB on loopback.
    assert.ok(count.produced < (scheme === 'trunk' ? 512 : 32 * 1024), `${count.produced} KiB`)
    await reading.return?.()
  })
}

test('over trunk, limits.connectionWindow bounds all streams of a connection together', async () => {
  const { server, count } = await bounded({})
  await using _ = server
  const limits = { streamWindow: 64 * 1024, connectionWindow: 128 * 1024 }
  await using calling = connect(Bounded, `trunk://127.0.0.1:${server.port}`, { log: quiet, limits })
  const all = Array.from({ length: 20 }, () => calling.flood()[Symbol.asyncIterator]())
  for (const each of all) void each.next().catch(() => undefined)
  let before = -1
  await until(() => {
    const still = count.produced === before && count.produced > 0
    before = count.produced
    return still
  }, 'the senders stand still')
  assert.ok(count.produced < 20 * 64, `${count.produced} KiB, where the streams alone would allow ${20 * 64}`)
  await disconnect(calling, { grace: 0 })
})

test('after limits.stallTimeout a peer that takes no bytes is cut off', async () => {
  const { server } = await bounded({ stallTimeout: 50 })
  await using _ = server
  const raw = await rawConnection(server.port)
  raw.socket.pause()
  raw.socket.write('GET /flood HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => server.active === 1, 'the call is there')
  await until(() => server.connections === 0, 'it is cut off')
  raw.socket.destroy()
})

test('each limit has a test that names it', () => {
  const root = path.join(import.meta.dirname, '..', '..')
  const titles = globSync('{src,test}/**/*.test.ts', { cwd: root }).flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/\btest\(\s*[`'"](.*)[`'"]/g)].map(
      ([, title]) => title,
    ),
  )
  const untested = Object.keys(defaultLimits).filter(
    (name) => !titles.some((title) => title?.match(new RegExp(`limits\\.${name}\\b`))),
  )
  assert.deepEqual(untested, [])
})
