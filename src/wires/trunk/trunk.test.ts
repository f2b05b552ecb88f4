/** What trunk does over a real socket, beyond what the cross-wire suite asks of every wire. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import * as z from 'zod'
import { CallError } from '../../call/error.ts'
import { clock } from '../../call/clock.ts'
import { withLimits } from '../../call/limits.ts'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { stream } from '../../contract/stream.ts'
import { implement } from '../../server/implement.ts'
import { signal, until } from '../../../test/support/events.ts'
import { Log, callOf, channelTo, send, trunkPair } from '../../../test/support/trunk.ts'
import {
  clientHello,
  credit,
  frame,
  goawayBody,
  openBody,
  rawClient,
  rawServer,
  serverHello,
} from '../../../test/support/trunk-raw.ts'
import { writeVarint } from './fields.ts'
import { flag, frameCost, frameType, messageOverhead } from './frames.ts'
import { describeOverTrunk, trunk } from './index.ts'

const Blob = z.object({ data: z.instanceof(Uint8Array) })
const N = z.object({ n: z.int32() })
const Work = contract('test.work.v1', {
  echo: call({ input: N, output: N }),
  blob: call({ input: Blob, output: Blob }),
  count: call({ input: N, output: stream(N) }),
  blobs: call({ input: N, output: stream(Blob) }),
  collect: call({ input: stream(Blob), output: N }),
  hang: call({ input: N, output: N }),
})

function handlers() {
  const hanging = { started: 0, ended: [] as string[] }
  const produced = { count: 0, returned: 0 }
  const reading = signal()
  return {
    hanging,
    produced,
    reading,
    implementation: implement(Work, {
      echo: (input) => input,
      blob: (input) => input,
      async *count({ n }) {
        for (let each = 0; each < n; each++) yield { n: each }
      },
      async *blobs({ n }) {
        try {
          for (let each = 0; each < n; each++) {
            produced.count++
            yield { data: new Uint8Array(1000) }
          }
        } finally {
          produced.returned++
        }
      },
      async collect(blobs) {
        await reading.promise
        let n = 0
        for await (const { data } of blobs) n += data.length
        return { n }
      },
      hang(_input, ctx) {
        hanging.started++
        return new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => {
            const why = ctx.signal.reason as CallError
            hanging.ended.push(why.code)
            reject(why)
          })
        })
      },
    }),
  }
}

const id = (generation: number, slot: number): number => generation * 0x1_0000 + slot
const whole = flag.end | flag.message

test('the first bytes tell trunk from everything else, however few there are', () => {
  const server = trunk().server
  assert.equal(server?.over, 'bytes')
  if (server?.over !== 'bytes') return
  const magic = Buffer.from('f57472756e6b0d0a', 'hex')
  for (let length = 0; length < 8; length++) assert.equal(server.sniff(magic.subarray(0, length)), undefined)
  assert.equal(server.sniff(Buffer.concat([magic, Buffer.from('more')])), true)
  for (const other of ['GET / HTTP/1.1', 'PRI * HTTP/2.0', '\x16\x03\x01', 'trunk']) {
    assert.equal(server.sniff(Buffer.from(other, 'latin1')), false)
  }
})

// ── flow control ──

test('a generator is pulled only as far as the reader’s credit goes', async () => {
  const { implementation, produced } = handlers()
  await using pair = await trunkPair([implementation])
  const peer = await rawClient(pair.port, clientHello({ streamWindow: 10_000 }))
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, whole, id(1, 0), openBody(3, Uint8Array.of(8, 100))))
  const spent = (): number =>
    peer.frames.reduce(
      (sum, { type, body }) => (type === frameType.data ? sum + frameCost(body.length) : sum),
      0,
    )
  // The last frame takes what is left with its bytes alone.
  await until(() => spent() === 10_000 + messageOverhead, 'the window is used up')
  const before = produced.count
  assert.ok(before <= 11, `${before} messages of 1,003 bytes were made for 10,000 bytes of credit`)

  // A ping and its answer: the server has had its chance to send too much.
  peer.write(frame(frameType.ping, 0, 0, new Uint8Array(8)))
  await peer.first(frameType.pong)
  assert.equal(spent(), 10_000 + messageOverhead)
  peer.write(credit(id(1, 0), 5_000))
  await until(() => spent() === 15_000 + messageOverhead, 'the further credit is used up')
  peer.socket.destroy()
  await until(() => produced.returned === 1, 'the generator is ended when the reader is gone')
})

test('a handler that does not read holds one window, and the sender is not pulled beyond', async () => {
  const { implementation, reading } = handlers()
  await using pair = await trunkPair([implementation], { limits: { streamWindow: 10_000 } })
  let pulled = 0
  async function* blobs(): AsyncGenerator<{ data: Uint8Array }> {
    for (; pulled < 100; pulled++) yield { data: new Uint8Array(1000) }
  }
  const answer = send(pair.channel, callOf(Work, 'collect', blobs()))
  await until(() => pulled >= 9, 'the window is used up')
  for (let round = 0; round < 20; round++) {
    await send(pair.channel, callOf(Work, 'echo', { n: round }))
  }
  assert.ok(pulled <= 11, `${pulled} messages were pulled`)
  reading.resolve()
  assert.deepEqual((await answer).output, { n: 100_000 })
})

test('100,000 messages without bytes arrive whole, both ways', async () => {
  const Nothing = z.object({})
  const Ticks = contract('test.ticks.v1', {
    ticks: call({ input: stream(Nothing), output: stream(Nothing) }),
  })
  const implementation = implement(Ticks, {
    async *ticks(ticks) {
      yield* ticks
    },
  })
  await using pair = await trunkPair([implementation])
  const many = Array.from({ length: 100_000 }, () => ({}))
  const { output } = await send(pair.channel, callOf(Ticks, 'ticks', many))
  let received = 0
  for await (const tick of output as AsyncIterable<object>) {
    assert.deepEqual(tick, {})
    received++
  }
  assert.equal(received, 100_000)
})

test('messages larger than every window arrive, both ways', async () => {
  const { implementation } = handlers()
  const small = { streamWindow: 5_000, connectionWindow: 12_000 }
  await using pair = await trunkPair([implementation], { limits: small, clientLimits: small })
  const data = new Uint8Array(300_000).map((_, index) => index)
  const replies = await Promise.all(
    Array.from({ length: 4 }, () => send(pair.channel, callOf(Work, 'blob', { data }))),
  )
  for (const { output } of replies) assert.deepEqual((output as { data: Uint8Array }).data, data)
})

test('a large message lets small calls pass', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation])
  let large: 'open' | 'done' = 'open'
  const data = new Uint8Array(12 * 1024 * 1024)
  const blob = send(pair.channel, callOf(Work, 'blob', { data })).then((reply) => {
    large = 'done'
    return reply
  })
  let passed = 0
  while ((large as string) === 'open' && passed < 5) {
    await send(pair.channel, callOf(Work, 'echo', { n: 1 }))
    if ((large as string) === 'open') passed++
  }
  assert.ok(passed >= 1, 'no small call passed while 12 MiB went there and back')
  assert.equal(((await blob).output as { data: Uint8Array }).data.length, data.length)
})

test('a peer that calls and reads no answers stops being read, and is given up when it stalls', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation], {
    limits: { stallTimeout: 200, messageSize: 1 << 20 },
  })
  const socket = net.connect({ port: pair.port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  const gone = new Promise((resolve) => {
    socket.once('close', resolve)
  })
  const hello = clientHello({ connectionWindow: 0x7fff_ffff, streamWindow: 0x7fff_ffff })
  socket.write(Buffer.concat([Buffer.from('f57472756e6b0d0a', 'hex'), hello]))
  // { data: 20,000 bytes } in protobuf.
  const body = Buffer.concat([Buffer.from([0x0a, 0xa0, 0x9c, 0x01]), Buffer.alloc(20_000)])
  for (let generation = 1; generation <= 400; generation++) {
    socket.write(frame(frameType.open, whole, id(generation, 0), openBody(1, body)))
  }
  await until(
    () => pair.log.lines.some(({ message: text }) => text.includes('disconnected')),
    'it is given up',
  )
  assert.match(String(pair.log.lines[0]?.fields['reason']), /has read nothing for 200 ms/)
  socket.resume()
  await gone
})

// ── limits ──

test('more calls than slots wait for one, and beyond that are refused unseen', async () => {
  const { implementation, hanging } = handlers()
  await using pair = await trunkPair([implementation], { limits: { streams: 2 } })
  const calls = Array.from({ length: 4 }, () => callOf(Work, 'hang', { n: 1 }))
  const answers = calls.map((each) => send(pair.channel, each).catch((error: CallError) => error.code))
  await assert.rejects(send(pair.channel, callOf(Work, 'echo', { n: 1 })), {
    code: 'resource_exhausted',
    processed: 'no',
  })
  await until(() => hanging.started === 2, 'two are being served')
  assert.equal(pair.channel.active, 4)
  const why = new CallError('canceled', 'enough')
  for (const each of calls) each.cancel(why)
  assert.deepEqual(await Promise.all(answers), ['canceled', 'canceled', 'canceled', 'canceled'])
  await until(() => hanging.ended.length === 2, 'both handlers were told')
  assert.deepEqual((await send(pair.channel, callOf(Work, 'echo', { n: 5 }))).output, { n: 5 })
  assert.equal(pair.channel.active, 0)
})

test('handlers that ignore their cancellation count against the calls of their connection', async () => {
  let started = 0
  const never = implement(Work, {
    echo: (input) => input,
    blob: (input) => input,
    count: async function* () {},
    blobs: async function* () {},
    collect: () => new Promise<never>(() => undefined),
    hang: () => {
      started++
      return new Promise<never>(() => undefined)
    },
  })
  await using pair = await trunkPair([never], { limits: { streams: 2 } })
  for (let round = 0; round < 4; round++) {
    const each = callOf(Work, 'hang', { n: 1 })
    const answer = send(pair.channel, each)
    await until(() => started === round + 1, 'the handler is at work')
    each.cancel(new CallError('canceled', 'enough'))
    await assert.rejects(answer, { code: 'canceled' })
  }
  await assert.rejects(send(pair.channel, callOf(Work, 'echo', { n: 1 })), {
    code: 'resource_exhausted',
    message: /too many cancelled calls are still being worked at/,
    processed: 'no',
  })
})

test('messages and metadata beyond the server’s limits are refused before they are sent', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation], { limits: { messageSize: 1000, headerSize: 100 } })
  await assert.rejects(send(pair.channel, callOf(Work, 'blob', { data: new Uint8Array(1001) })), {
    code: 'resource_exhausted',
    message: /a message of 1004 bytes, and the server takes 1000 \(limits\.messageSize\)/,
  })
  const metadata = { 'x-long': 'a'.repeat(100) }
  await assert.rejects(send(pair.channel, callOf(Work, 'echo', { n: 1 }, { metadata })), {
    code: 'resource_exhausted',
    message: /metadata of 1\d\d bytes, and the server takes 100/,
  })
  assert.deepEqual((await send(pair.channel, callOf(Work, 'echo', { n: 5 }))).output, { n: 5 })
})

test('a value nested deeper than limits.depth is refused', async () => {
  interface Nest {
    in?: Nest | undefined
  }
  const Nest: z.ZodType<Nest> = z.lazy(() => z.object({ in: Nest.optional() }).meta({ id: 'Nest' }))
  const Deep = contract('test.deep.v1', { put: call({ input: z.object({ nest: Nest }) }) })
  const deep = implement(Deep, { put: () => undefined })
  const nested = (depth: number): Nest => (depth === 0 ? {} : { in: nested(depth - 1) })
  await using pair = await trunkPair([deep], { limits: { depth: 5 } })
  await send(pair.channel, callOf(Deep, 'put', { nest: nested(2) }))
  await assert.rejects(send(pair.channel, callOf(Deep, 'put', { nest: nested(20) })), {
    code: 'invalid_argument',
  })
})

test('a deadline that has passed sends nothing', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation])
  const late = callOf(Work, 'echo', { n: 1 })
  late.deadline = clock.now() - 1
  await assert.rejects(send(pair.channel, late), { code: 'deadline_exceeded', processed: 'no' })
})

// ── life ──

test('an idle connection is closed by the server after limits.idleTimeout, in peace', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation], { limits: { idleTimeout: 60 } })
  const ended = new Promise<CallError | undefined>((resolve) => {
    pair.channel.onState(resolve)
  })
  assert.match((await ended)?.message ?? '', /nothing was called for 60 ms/)
  assert.deepEqual(pair.log.lines, [])
})

test('a server that falls silent in mid-call is pinged, and given up after limits.stallTimeout', async () => {
  using server = await rawServer((peer) => {
    peer.write(serverHello('test.work.v1', contractInfo(Work).digest, ['echo']))
  })
  const channel = await channelTo(server.port, contractInfo(Work), { stallTimeout: 80 }, new Log())
  await assert.rejects(send(channel, callOf(Work, 'echo', { n: 1 })), {
    code: 'unavailable',
    message: /has not answered a ping, and was silent for 80 ms/,
    processed: 'maybe',
  })
  assert.equal(channel.state, 'closed')
})

test('a server that answers pings is waited for', async () => {
  const { implementation, hanging } = handlers()
  await using pair = await trunkPair([implementation], { clientLimits: { stallTimeout: 40 } })
  const slow = callOf(Work, 'hang', { n: 1 }, { timeout: 300 })
  await assert.rejects(send(pair.channel, slow), { code: 'deadline_exceeded' })
  assert.equal(hanging.started, 1)
  assert.equal(pair.channel.state, 'ready')
})

test('draining refuses what comes late as unseen, finishes what is open, and closes', async () => {
  const { implementation, hanging, reading } = handlers()
  await using pair = await trunkPair([implementation])
  const open = send(pair.channel, callOf(Work, 'collect', [{ data: new Uint8Array(3) }]))
  await until(() => [...pair.served].some(({ active }) => active === 1), 'the call is open')
  const states: string[] = []
  const closed = new Promise<void>((resolve) => {
    pair.channel.onState(() => {
      states.push(pair.channel.state)
      if (pair.channel.state === 'closed') resolve()
    })
  })
  for (const served of pair.served) served.drain()
  await until(() => pair.channel.state === 'draining', 'the client has heard')
  await assert.rejects(send(pair.channel, callOf(Work, 'hang', { n: 1 })), {
    code: 'unavailable',
    processed: 'no',
  })
  reading.resolve()
  assert.deepEqual((await open).output, { n: 3 })
  await closed
  assert.deepEqual(states, ['draining', 'closed'])
  assert.equal(hanging.started, 0)
})

test('a client that is closed finishes its calls first', async () => {
  const { implementation, reading } = handlers()
  await using pair = await trunkPair([implementation])
  const open = send(pair.channel, callOf(Work, 'collect', [{ data: new Uint8Array(3) }]))
  const closing = pair.channel.close(10_000)
  await assert.rejects(send(pair.channel, callOf(Work, 'echo', { n: 1 })), {
    code: 'unavailable',
    processed: 'no',
  })
  reading.resolve()
  assert.deepEqual((await open).output, { n: 3 })
  await closing
  assert.equal(pair.channel.state, 'closed')
})

test('a cut connection says of each call whether it may have been seen', async () => {
  const { implementation, hanging } = handlers()
  await using pair = await trunkPair([implementation])
  const seen = send(pair.channel, callOf(Work, 'hang', { n: 1 })).catch((error: unknown) => error)
  await until(() => hanging.started === 1, 'the first is being served')
  const reply = await send(pair.channel, callOf(Work, 'blobs', { n: 1_000_000 }))
  const iterator = (reply.output as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  await iterator.next()
  const midStream = (async () => {
    for (;;) if ((await iterator.next()).done === true) return 'ended'
  })().catch((error: unknown) => error)
  for (const socket of pair.sockets) socket.destroy()

  for (const error of [await seen, await midStream]) {
    assert.ok(CallError.is(error))
    assert.deepEqual([error.code, error.processed, error.origin], ['unavailable', 'maybe', 'downstream'])
  }
  await until(() => hanging.ended.length === 1, 'the handler was told')
  assert.deepEqual(hanging.ended, ['canceled'])
})

test('a call that the server had not seen when it left is unavailable, processed no', async () => {
  using server = await rawServer((peer) => {
    peer.write(serverHello('test.work.v1', contractInfo(Work).digest, ['echo', 'hang']))
    peer.answer(frameType.open, id(1, 1), () => {
      // It saw the first of the two, and says so.
      peer.write(frame(frameType.goaway, flag.end, 0, goawayBody(0, 1, 'restarting')))
    })
  })
  const channel = await channelTo(server.port, contractInfo(Work), undefined, new Log())
  const outcome = (): Promise<string> =>
    send(channel, callOf(Work, 'echo', { n: 1 })).then(
      () => 'answered',
      (error: CallError) => `${error.code} ${error.processed}`,
    )
  assert.deepEqual(await Promise.all([outcome(), outcome()]), ['unavailable maybe', 'unavailable no'])
})

test('what the call’s operation does not declare of a fault is dropped, and code and message stay', async () => {
  using server = await rawServer((peer) => {
    peer.write(serverHello('test.work.v1', contractInfo(Work).digest, ['echo']))
    peer.answer(frameType.open, undefined, ({ id: stream }) => {
      peer.write(
        frame(frameType.error, 0, stream, (writer) => {
          for (const byte of [9, 1, 0, 0]) writeVarint(writer, byte)
          writer.reserve(20)
          writer.position += writer.bytes.write(
            '\u0004gone\u0006secret\u0001\u0000\u0000\u0000\u0000',
            writer.position,
            'latin1',
          )
        }),
      )
    })
  })
  const channel = await channelTo(server.port, contractInfo(Work), undefined, new Log())
  await assert.rejects(send(channel, callOf(Work, 'echo', { n: 1 })), (error: CallError) => {
    assert.deepEqual([error.code, error.message, error.fault], ['failed_precondition', 'gone', undefined])
    return true
  })
})

test('an answer that does not fit the contract is internal, and says where', async () => {
  using server = await rawServer((peer) => {
    peer.write(serverHello('test.work.v1', contractInfo(Work).digest, ['echo']))
    peer.answer(frameType.open, undefined, ({ id: stream }) => {
      peer.write(frame(frameType.data, whole, stream, Uint8Array.of(8)))
    })
  })
  const channel = await channelTo(server.port, contractInfo(Work), undefined, new Log())
  await assert.rejects(send(channel, callOf(Work, 'echo', { n: 1 })), {
    code: 'internal',
    message: /test\.work\.v1\/echo: the answer does not fit the contract/,
    origin: 'downstream',
  })
})

// ── agreement ──

const Item = (quantity: z.ZodType) => z.object({ sku: z.string(), quantity }).meta({ id: 'Item' })
const versionOf = (quantity: z.ZodType) =>
  contract('test.version.v1', { put: call({ input: Item(quantity), output: Item(quantity) }) })

test('peers whose contracts cannot work together are told which field differs', async () => {
  const theirs = versionOf(z.string())
  const served = implement(theirs, { put: (item: never) => item } as never)
  await assert.rejects(trunkPair([served], { contract: contractInfo(versionOf(z.int32())) }), {
    code: 'failed_precondition',
    message: /test\.version\.v1 Item\.quantity/,
    processed: 'no',
  })
})

test('peers whose contracts differ harmlessly work together, and log it once', async () => {
  const theirs = versionOf(z.int32().optional())
  const served = implement(theirs, { put: (item: never) => item } as never)
  const ours = contract('test.version.v1', {
    put: call({
      input: z
        .object({ sku: z.string(), quantity: z.int32().optional(), note: z.string().optional() })
        .meta({ id: 'Item' }),
      output: z
        .object({ sku: z.string(), quantity: z.int32().optional(), note: z.string().optional() })
        .meta({ id: 'Item' }),
    }),
  })
  await using pair = await trunkPair([served], { contract: contractInfo(ours) })
  const { output } = await send(pair.channel, callOf(ours, 'put', { sku: 'a', quantity: 2, note: 'lost' }))
  assert.deepEqual(output, { sku: 'a', quantity: 2 })
  assert.equal(pair.clientLog.lines.length, 1)
  assert.match(pair.clientLog.lines[0]?.message ?? '', /different versions of a contract that fit/)
})

test('a client without a contract learns what a server serves', async () => {
  const { implementation } = handlers()
  await using pair = await trunkPair([implementation])
  const options = {
    limits: withLimits(undefined),
    clock,
    log: new Log(),
    peer: { address: 'server', wire: 'trunk', secure: false },
  }
  const [description] = await describeOverTrunk(await pair.dial(), options)
  assert.equal(description?.name, 'test.work.v1')
  assert.deepEqual(Object.keys(description.operations).toSorted(), [
    'blob',
    'blobs',
    'collect',
    'count',
    'echo',
    'hang',
  ])
})

test('one connection serves every contract of a server by its own numbers', async () => {
  const { implementation } = handlers()
  const Other = contract('test.other.v1', { echo: call({ input: N, output: N }) })
  await using pair = await trunkPair([implement(Other, { echo: ({ n }) => ({ n: -n }) }), implementation])
  assert.deepEqual((await send(pair.channel, callOf(Other, 'echo', { n: 5 }))).output, { n: -5 })
  const channel = await channelTo(pair.port, contractInfo(Work), undefined, new Log())
  assert.deepEqual((await send(channel, callOf(Work, 'echo', { n: 5 }))).output, { n: 5 })
  await channel.close(0)
})
