import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import test from 'node:test'
import {
  CallError,
  type ConnectOptions,
  type ConnectTarget,
  type Filter,
  call,
  connect,
  contract,
  disconnect,
  event,
  implement,
  serve,
  stream,
} from 'trunkline'
import { rest, trunk } from 'trunkline/wires'
import * as z from 'zod'
import { certificate } from '../../test/support/certificate.ts'
import { signal, until } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'
import { Call } from '../call/call.ts'
import { within } from '../call/current.ts'
import type { CallOperation } from '../contract/operation.ts'
import { contractInfo } from '../contract/contract.ts'

const Which = contract('test.which.v1', {
  who: call({ output: z.object({ name: z.string() }), rest: 'GET /who' }),
  hold: call({ rest: 'POST /hold' }),
  count: call({ input: z.object({ to: z.int32() }), output: stream(z.object({ n: z.int32() })) }),
})

/** A server that says its name, and holds calls until it is told to let them go. */
async function named(name: string, port = 0) {
  const held = { now: 0, most: 0 }
  const release = signal()
  const implementation = implement(Which, {
    who: () => ({ name }),
    async hold() {
      held.now++
      held.most = Math.max(held.most, held.now)
      await release.promise
      held.now--
    },
    async *count({ to }) {
      for (let n = 0; n < to; n++) yield { n }
    },
  })
  const server = await serve(implementation, { port, log: quiet })
  return { server, held, release, url: (scheme: string) => `${scheme}://127.0.0.1:${server.port}` }
}

const client = (target: ConnectTarget, options: ConnectOptions = {}) =>
  connect(Which, target, { log: quiet, ...options })

/** A port of loopback where nothing listens. */
async function deadPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A listener that accepts and says nothing. */
async function silent(): Promise<{ port: number; accepted: net.Socket[]; gone: Promise<void> } & Disposable> {
  const accepted: net.Socket[] = []
  const gone = signal()
  const server = net.createServer((socket) => {
    accepted.push(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => gone.resolve())
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as net.AddressInfo).port,
    accepted,
    gone: gone.promise,
    [Symbol.dispose]() {
      for (const socket of accepted) socket.destroy()
      server.close()
    },
  }
}

const unavailable = (error: unknown) => CallError.is(error) && error.code === 'unavailable'

for (const scheme of ['trunk', 'http']) {
  test(`a client connects at its first call, and again when the server is back on its port, over ${scheme}`, async () => {
    const first = await named('first')
    await using calling = client(first.url(scheme))
    assert.equal(first.server.connections, 0)
    assert.deepEqual(await calling.who(), { name: 'first' })

    const { port } = first.server
    await first.server.close()
    await assert.rejects(calling.who(), { code: 'unavailable', processed: 'no' })

    const second = await named('second', port)
    await using _ = second.server
    let answer: { name: string } | undefined
    while (answer === undefined) {
      answer = await calling.who().catch(async (error: unknown) => {
        assert.ok(unavailable(error), String(error))
        await new Promise((resolve) => setTimeout(resolve, 5))
        return undefined
      })
    }
    assert.deepEqual(answer, { name: 'second' })
  })

  test(`while backing off, calls fail at once and nothing is dialled, over ${scheme}`, async () => {
    const port = await deadPort()
    await using calling = client(`${scheme}://127.0.0.1:${port}`)
    await assert.rejects(calling.who(), { code: 'unavailable', processed: 'no' })
    let dialled = 0
    const server = net.createServer((socket) => {
      dialled++
      socket.destroy()
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    await Promise.all(Array.from({ length: 20 }, () => assert.rejects(calling.who(), unavailable)))
    assert.equal(dialled, 0)
    server.close()
  })

  test(`with waitForReady, calls wait for the server up to their deadline, over ${scheme}`, async () => {
    const port = await deadPort()
    await using calling = client(`${scheme}://127.0.0.1:${port}`, { waitForReady: true })
    await assert.rejects(calling.who({ timeout: 40 }), { code: 'deadline_exceeded' })
    const waiting = [calling.who(), calling.who()]
    const late = await named('late', port)
    await using _ = late.server
    assert.deepEqual(await Promise.all(waiting), [{ name: 'late' }, { name: 'late' }])
  })

  test(`calls that wait for the server leave when the client is closed, over ${scheme}`, async () => {
    const port = await deadPort()
    const calling = client(`${scheme}://127.0.0.1:${port}`, { waitForReady: true })
    const failure = calling.who().then(
      () => assert.fail('nobody answered'),
      (error: unknown) => error,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    await disconnect(calling, { grace: 0 })
    assert.ok(unavailable(await failure))
    await assert.rejects(calling.who(), { code: 'unavailable', message: 'the client was closed' })
  })

  test(`one dead server of two costs no call anything, over ${scheme}`, async () => {
    const alive = await named('alive')
    await using _ = alive.server
    const dead = await deadPort()
    await using calling = client([`${scheme}://127.0.0.1:${dead}`, alive.url(scheme)])
    for (let i = 0; i < 50; i++) assert.deepEqual(await calling.who(), { name: 'alive' })
  })

  test(`calls are spread over all servers, also one after the other, over ${scheme}`, async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => named(name)))
    await using calling = client(all.map(({ url }) => url(scheme)))
    const seen = new Set<string>()
    for (let i = 0; seen.size < 3; i++) {
      assert.ok(i < 20_000, `only ${[...seen].join()} ever answered`)
      seen.add((await calling.who()).name)
    }
    await Promise.all(all.map(({ server }) => server.close()))
  })

  test(`a server that dies is left out, and gets calls again when it is back, over ${scheme}`, async () => {
    const [a, b] = [await named('a'), await named('b')]
    await using _ = a.server
    await using calling = client([a.url(scheme), b.url(scheme)])
    const answers = async (wanted: string) => {
      for (let i = 0; (await calling.who()).name !== wanted; i++)
        assert.ok(i < 100_000, `${wanted} gets no calls`)
    }
    await answers('a')
    await answers('b')
    const { port } = b.server
    await b.server.close()
    for (let i = 0; i < 50; i++) assert.equal((await calling.who()).name, 'a')
    const again = await named('b again', port)
    await using __ = again.server
    await answers('b again')
  })

  test(`disconnect waits for open calls at most its grace, over ${scheme}`, async () => {
    const { server, held, release, url } = await named('a')
    await using _ = server
    const patient = client(url(scheme))
    const kept = patient.hold()
    const hasty = client(url(scheme))
    const cut = hasty.hold().then(
      () => assert.fail('it was cut'),
      (error: unknown) => error,
    )
    await until(() => held.now === 2, 'both are there')
    await disconnect(hasty, { grace: 10 })
    assert.ok(unavailable(await cut))
    const closing = disconnect(patient)
    await assert.rejects(patient.hold(), { code: 'unavailable' })
    release.resolve()
    await Promise.all([kept, closing])
    await until(() => server.connections === 0, 'the connections are gone')
  })

  test(`a call made just before disconnect is still made, over ${scheme}`, async () => {
    const { server, url } = await named('a')
    await using _ = server
    const calling = client(url(scheme))
    const answer = calling.who()
    await disconnect(calling)
    assert.deepEqual(await answer, { name: 'a' })
  })

  test(`disconnect does not wait for a connection that never comes, over ${scheme}`, async () => {
    using nobody = await silent()
    const calling = client(`${scheme === 'trunk' ? 'trunks' : 'https'}://127.0.0.1:${nobody.port}`)
    const failure = calling.who().then(
      () => assert.fail('nobody answered'),
      (error: unknown) => error,
    )
    await until(() => nobody.accepted.length === 1, 'it connects')
    await disconnect(calling, { grace: 10 })
    assert.ok(unavailable(await failure))
    await nobody.gone
  })

  test(`a TLS handshake that stalls ends after connectTimeout, over ${scheme}`, async () => {
    using nobody = await silent()
    const url = `${scheme === 'trunk' ? 'trunks' : 'https'}://127.0.0.1:${nobody.port}`
    await using calling = client(url, { connectTimeout: 30 })
    await assert.rejects(calling.who(), {
      code: 'unavailable',
      processed: 'no',
      message: /127\.0\.0\.1:\d+: no connection within 30 ms/,
    })
    await nobody.gone
  })

  test(`a certificate that is not trusted is said to be so, over ${scheme}`, async () => {
    const implementation = implement(Which, { who: () => ({ name: 'a' }), hold() {}, count: () => [] })
    const { key, cert } = certificate()
    await using server = await serve(implementation, { port: 0, log: quiet, tls: { key, cert } })
    const secured = scheme === 'trunk' ? 'trunks' : 'https'

    await using doubting = client(`${secured}://127.0.0.1:${server.port}`)
    await assert.rejects(doubting.who(), {
      code: 'unavailable',
      processed: 'no',
      message:
        /certificate is not trusted \(self-signed certificate.*\): pass its authority's as tls: \{ ca \}/,
    })
    await using elsewhere = client(`${secured}://127.0.0.1:${server.port}`, {
      tls: { ca: cert, servername: 'example.com' },
    })
    await assert.rejects(
      elsewhere.who(),
      /certificate is for another name than example\.com .*, or pass it as tls/,
    )
    await using trusting = client(`${secured}://127.0.0.1:${server.port}`, { tls: { ca: cert } })
    assert.deepEqual(await trusting.who(), { name: 'a' })
  })

  test(`TLS to a server without is explained, over ${scheme}`, async () => {
    const { server } = await named('a')
    await using _ = server
    await using calling = client(`${scheme === 'trunk' ? 'trunks' : 'https'}://127.0.0.1:${server.port}`)
    await assert.rejects(calling.who(), { code: 'unavailable', processed: 'no', message: /speaks no TLS/ })
  })

  test(`listeners on an AbortSignal go with their call, over ${scheme}`, async () => {
    const { server, url } = await named('a')
    await using _ = server
    await using calling = client(url(scheme))
    const controller = new AbortController()
    const listening = { now: 0 }
    const { signal: aborted } = controller
    const [add, remove] = [aborted.addEventListener.bind(aborted), aborted.removeEventListener.bind(aborted)]
    aborted.addEventListener = (...each: Parameters<typeof add>) => {
      listening.now++
      add(...each)
    }
    aborted.removeEventListener = (...each: Parameters<typeof remove>) => {
      listening.now--
      remove(...each)
    }
    for (let i = 0; i < 20; i++) await calling.who({ signal: aborted })
    for await (const each of calling.count({ to: 3 }, { signal: aborted })) assert.ok(each.n < 3)
    for await (const each of calling.count({ to: 3 }, { signal: aborted })) if (each.n === 1) break
    await until(() => listening.now === 0, 'no listener is left')
  })
}

test('over trunk, a server that drains loses no call when there is another', async () => {
  const [a, b] = [await named('a'), await named('b')]
  await using _ = a.server
  await using calling = client([a.url('trunk'), b.url('trunk')])
  let over = false
  let calls = 0
  const load = async () => {
    while (!over) {
      await calling.who()
      calls++
    }
  }
  const loads = [load(), load(), load(), load()]
  await until(() => calls > 100, 'both are busy')
  await b.server.close()
  const then = calls
  await until(() => calls > then + 100, 'calls go on')
  over = true
  await Promise.all(loads)
})

test('with TCP alone, a listener that never says hello is given up, and the call fails', async () => {
  using nobody = await silent()
  await using calling = client(`trunk://127.0.0.1:${nobody.port}`, { limits: { headerTimeout: 30 } })
  await assert.rejects(calling.who(), { code: 'unavailable', processed: 'no' })
  await nobody.gone
})

test('more calls than may wait for a connection are resource_exhausted', async () => {
  using nobody = await silent()
  await using calling = client(`trunk://127.0.0.1:${nobody.port}`, { waiting: 3 })
  const waiting = Array.from({ length: 3 }, () => calling.who({ timeout: 200 }))
  await assert.rejects(calling.who(), {
    code: 'resource_exhausted',
    processed: 'no',
    message: /3 calls are waiting for a connection already/,
  })
  for (const each of waiting) await assert.rejects(each, { code: 'deadline_exceeded' })
})

test('more calls than may wait for a server that is away are resource_exhausted', async () => {
  await using calling = client(`trunk://127.0.0.1:${await deadPort()}`, { waiting: 2, waitForReady: true })
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => calling.who({ timeout: 100 })))
  const codes = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as CallError).code : 'ok'))
  assert.deepEqual(codes.sort(), [
    'deadline_exceeded',
    'deadline_exceeded',
    'resource_exhausted',
    'resource_exhausted',
  ])
})

test('over HTTP, calls wait while all connections are busy, and beyond `waiting` they are refused unprocessed', async () => {
  const { server, held, release, url } = await named('busy')
  await using _ = server
  await using calling = client(url('http'), { waiting: 64 })
  await calling.who()
  const busy: Promise<void>[] = []
  for (let connections = 64; connections <= 256; connections += 64) {
    for (let index = 0; index < 64; index++) busy.push(calling.hold())
    await until(() => held.now === connections, `${connections} connections are busy`)
  }
  for (let index = 0; index < 64; index++) busy.push(calling.hold())
  await assert.rejects(calling.hold(), {
    code: 'resource_exhausted',
    processed: 'no',
    message: /64 requests wait for a connection already; there are 256 of at most 256/,
  })
  release.resolve()
  await Promise.all(busy)
})

test('over trunk, calls beyond limits.streams wait for their turn, and beyond twice as many are refused', async () => {
  const release = signal()
  let open = 0
  const implementation = implement(Which, {
    who: () => ({ name: '' }),
    async hold() {
      open++
      await release.promise
    },
    count: () => [],
  })
  await using server = await serve(implementation, { port: 0, log: quiet, limits: { streams: 4 } })
  await using calling = client(`trunk://127.0.0.1:${server.port}`)
  const calls = Array.from({ length: 8 }, () => calling.hold())
  await until(() => open === 4, 'as many as may be open are')
  await assert.rejects(calling.hold(), { code: 'resource_exhausted', processed: 'no' })
  release.resolve()
  await Promise.all(calls)
  assert.equal(open, 8)
})

test('servers of different wires are one target', async () => {
  const [a, b] = [await named('trunk'), await named('rest')]
  await using _ = a.server
  await using __ = b.server
  await using calling = client([a.url('trunk'), b.url('http')])
  const seen = new Set<string>()
  for (let i = 0; seen.size < 2; i++) {
    assert.ok(i < 20_000, `only ${[...seen].join()} ever answered`)
    seen.add((await calling.who()).name)
  }
})

test('an operation that one wire cannot carry goes to the servers of the others; with none it says why', async () => {
  const mute = { ...trunk(), name: 'mute', schemes: ['mute'], supports: () => 'mute carries nothing' }
  const { server } = await named('a')
  await using _ = server
  const wires = [mute, rest()]
  await using mixed = client([`mute://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port}`], {
    wires,
  })
  for (let i = 0; i < 20; i++) assert.deepEqual(await mixed.who(), { name: 'a' })
  await using none = client(`mute://127.0.0.1:${server.port}`, { wires })
  await assert.rejects(none.who(), { code: 'unimplemented', message: 'mute carries nothing' })
})

test('what connect is given is checked', async () => {
  const refused = (target: unknown, options: unknown, message: RegExp | string) =>
    assert.throws(() => connect(Which, target as string, options as ConnectOptions), {
      name: 'TypeError',
      message,
    })
  const url = 'trunk://127.0.0.1:1'
  refused([], {}, 'connect: expected at least one URL')
  refused(undefined, {}, /expected a URL, an array of URLs, or a running server of this process/)
  refused([url, 7], {}, /expected a URL, an array of URLs/)
  refused('ftp://x', {}, /no wire has the scheme 'ftp'/)
  refused(url, { timeuot: 5 }, "connect: there is no option 'timeuot'; did you mean 'timeout'?")
  refused(url, { timeout: true }, /timeout: expected a time in milliseconds/)
  refused(url, { waiting: 0 }, 'connect: waiting: expected an integer from 1 on, got 0')
  refused(url, { waitForReady: 'yes' }, /waitForReady: expected true or false, got "yes"/)
  refused(url, { filters: [] }, /filters: expected an object, got an array/)
  refused(
    url,
    { filters: { each: [] } },
    /connect: filters: there is no option 'each'; there are call, attempt/,
  )
  refused(
    url,
    { tls: { ca: 'x' } },
    /tls is given, but no URL is one of TLS; write trunks:\/\/ or https:\/\//,
  )
  assert.throws(() => connect(Which, url, { timeout: '5 parsecs' as '5s' }), /timeout/)
  await assert.rejects(disconnect({} as AsyncDisposable), /disconnect: expected a client/)
})

test('events are declared, and their publishing says that nothing carries them yet', async () => {
  const Eventful = contract('test.eventful.v1', { happened: event({ payload: z.object({ n: z.int32() }) }) })
  await using calling = connect(Eventful, 'trunk://127.0.0.1:1')
  await assert.rejects(calling.happened.publish({ n: 1 }), /happened\.publish: no engine carries events yet/)
})

test('call filters run once a call, attempt filters once a try, and know their server', async () => {
  const alive = await named('alive')
  await using _ = alive.server
  const dead = await deadPort()
  const seen: string[] = []
  const addresses = new Set<string | undefined>()
  const noting =
    (what: string): Filter =>
    (next) =>
    (each) => {
      seen.push(`${what} ${each.attempt}`)
      if (what === 'attempt') addresses.add(each.peer?.address)
      return next(each)
    }
  await using calling = client([`trunk://127.0.0.1:${dead}`, alive.url('trunk')], {
    filters: { call: [noting('call')], attempt: [noting('attempt')] },
  })
  for (let i = 0; i < 10; i++) await calling.who()
  assert.equal(seen.filter((each) => each === 'call 1').length, 10)
  assert.equal(seen.filter((each) => each === 'attempt 1').length, 10)
  assert.ok(seen.filter((each) => each === 'attempt 2').length <= 10)
  assert.ok(addresses.has(`127.0.0.1:${alive.server.port}`))
  assert.ok(!addresses.has(undefined))
})

test('a filter that answers by itself leaves nothing behind', async () => {
  const seen: Call[] = []
  const cached: Filter = () => (each) => {
    seen.push(each)
    return { output: { name: 'cached' }, metadata: undefined, trailers: undefined }
  }
  await using calling = client('trunk://127.0.0.1:1', { filters: { call: [cached] } })
  assert.deepEqual(await calling.who(), { name: 'cached' })
  assert.equal(seen[0]?.outcome?.error, undefined)
  assert.notEqual(seen[0]?.outcome, undefined, 'the call is over: deadline and listeners are gone')
  assert.equal(seen[0]?.wheelSlot, -1)
})

test('calls made in one long call leave no listener on it', async () => {
  const { server, url } = await named('a')
  await using _ = server
  let listeners = 0
  class Parent extends Call {
    override onCancel(listener: (why: CallError) => void): void {
      listeners++
      super.onCancel(listener)
    }
    override offCancel(listener: (why: CallError) => void): void {
      listeners--
      super.offCancel(listener)
    }
  }
  const operation = contractInfo(Which).operations.get('hold') as CallOperation
  const parent = new Parent(operation, undefined, undefined, undefined, undefined)
  for (const scheme of ['trunk', 'http']) {
    await using calling = client(url(scheme))
    await within(parent, async () => {
      for (let i = 0; i < 20; i++) await calling.who()
      for await (const each of calling.count({ to: 3 })) assert.ok(each.n < 3)
    })
    await until(() => listeners === 0, `no listener is left, over ${scheme}`)
  }
})
