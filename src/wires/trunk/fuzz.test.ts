/** Random frames against a live server: it answers or disconnects with a reason, and others are served meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract } from '../../contract/contract.ts'
import { stream } from '../../contract/stream.ts'
import { implement } from '../../server/implement.ts'
import { until } from '../../../test/support/events.ts'
import { runs } from '../../../test/support/fuzz.ts'
import { callOf, send, trunkPair } from '../../../test/support/trunk.ts'
import { clientHello, credit, frame, openBody, rawClient } from '../../../test/support/trunk-raw.ts'
import { frameType } from './frames.ts'

const N = z.object({ n: z.int32() })
const Any = contract('test.any.v1', {
  echo: call({ input: N, output: N }),
  sum: call({ input: stream(N), output: N }),
  count: call({ input: N, output: stream(N) }),
  both: call({ input: stream(N), output: stream(N) }),
})

const served = implement(Any, {
  echo: (input) => input,
  async sum(numbers) {
    let sum = 0
    for await (const { n } of numbers) sum = (sum + n) | 0
    return { n: sum }
  },
  async *count({ n }) {
    for (let each = 0; each < Math.min(n, 50); each++) yield { n: each }
  },
  async *both(numbers) {
    for await (const { n } of numbers) yield { n }
  },
})

const id = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }))
  .map(([g, s]) => g * 0x1_0000 + s)
const message = fc.oneof(
  fc.constantFrom(Uint8Array.of(), Uint8Array.of(8, 7), Uint8Array.of(8)),
  fc.uint8Array({ maxLength: 40 }),
)

const anyFrame = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(15), id, fc.nat(4), message)
      .map(([flags, stream, method, bytes]) => frame(frameType.open, flags, stream, openBody(method, bytes))),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(7), id, message)
      .map(([flags, stream, bytes]) => frame(frameType.data, flags, stream, bytes)),
  },
  { weight: 2, arbitrary: id.map((stream) => frame(frameType.cancel, 0, stream, Uint8Array.of(1, 0))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, fc.integer({ min: 0, max: 1 << 20 }))
      .map(([stream, bytes]) => credit(stream, bytes)),
  },
  { weight: 1, arbitrary: fc.constant(frame(frameType.ping, 0, 0, new Uint8Array(8))) },
  { weight: 1, arbitrary: fc.constant(frame(frameType.describe, 0, 0, Uint8Array.of(0))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(20), fc.nat(255), id, message)
      .map(([type, flags, stream, bytes]) => frame(type, flags, stream, bytes)),
  },
)

test('random frames neither hang, nor grow, nor disturb others', { timeout: 60_000 }, async () => {
  await using pair = await trunkPair([served], {
    limits: { streams: 3, streamWindow: 200, connectionWindow: 400 },
  })

  const property = fc.asyncProperty(
    fc.array(anyFrame, { maxLength: 30 }),
    fc.array(fc.nat(500), { maxLength: 5 }),
    async (frames, cuts) => {
      const peer = await rawClient(pair.port, clientHello({ streamWindow: 50, connectionWindow: 100 }))
      await peer.first(frameType.hello)
      const bytes = Buffer.concat(frames)
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
      for (const [index, edge] of edges.slice(1).entries()) peer.write(bytes.subarray(edges[index], edge))
      peer.write(frame(frameType.ping, 0, 0, Buffer.from('the last')))
      // Either it was disconnected with a reason, or it is still being answered.
      const answered = until(
        () =>
          peer.frames.some(({ type, body }) => type === frameType.pong && body.toString() === 'the last') ||
          peer.frames.some(({ type }) => type === frameType.goaway),
        'an answer or a reason',
        5000,
      )
      await answered
      const { output } = await send(pair.channel, callOf(Any, 'echo', { n: frames.length }))
      assert.deepEqual(output, { n: frames.length })
      peer.socket.destroy()
    },
  )

  await fc.assert(property, { numRuns: runs(100), endOnFailure: true })
  await until(() => pair.served.size === 1, 'nothing is left of the others')
  assert.equal([...pair.served][0]?.active, 0)
})

test(
  'a handshake that is cut or changed anywhere is answered, refused or timed out',
  { timeout: 60_000 },
  async () => {
    await using pair = await trunkPair([served], { limits: { headerTimeout: 25 } })
    const hello = clientHello({}, ['test.any.v1'])

    const property = fc.asyncProperty(
      fc.nat(hello.length - 1),
      fc.nat(255),
      fc.boolean(),
      async (at, value, cut) => {
        const changed = cut ? hello.subarray(0, at) : Buffer.from(hello)
        if (!cut) changed[at] = value
        const peer = await rawClient(pair.port, changed)
        await until(
          () => peer.frames.some(({ type }) => type === frameType.hello || type === frameType.goaway),
          'an answer',
          5000,
        )
        peer.socket.destroy()
      },
    )

    await fc.assert(property, { numRuns: runs(50), endOnFailure: true })
  },
)
