import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import tls from 'node:tls'
import { type ServeOptions, call, connect, contract, disconnect, implement, serve, stream } from 'trunkline'
import * as z from 'zod'
import { certificate } from '../../test/support/certificate.ts'
import { signal, until } from '../../test/support/events.ts'
import { quiet, rememberingLog } from '../../test/support/quiet-log.ts'
import { rawConnection, rawOn } from '../../test/support/raw-http.ts'
import { clientHello } from '../../test/support/trunk-raw.ts'
import { magic } from '../wires/trunk/frames.ts'

const Gate = contract('test.gate.v1', {
  ping: call({ output: z.object({ pong: z.boolean() }), rest: 'GET /ping' }),
  hold: call({ output: z.object({ held: z.boolean() }), rest: 'GET /hold' }),
  tick: call({ output: stream(z.object({ n: z.int32() })), rest: 'GET /tick' }),
})

/** A server whose `hold` waits to be released. */
async function gate(options: ServeOptions = {}) {
  const entered = signal()
  const release = signal()
  const canceled = signal<string>()
  const implementation = implement(Gate, {
    ping: () => ({ pong: true }),
    async hold(_input, ctx) {
      ctx.signal.addEventListener('abort', () => canceled.resolve(String(ctx.signal.reason)))
      entered.resolve()
      await release.promise
      return { held: true }
    },
    async *tick() {
      yield { n: 1 }
    },
  })
  const server = await serve(implementation, {
    log: quiet,
    ...(options.path === undefined ? { port: 0 } : {}),
    ...options,
  })
  return { server, entered, release, canceled }
}

function socketFolder(): Disposable & { readonly path: string } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'trunkline-'))
  return {
    path: path.join(folder, 's'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const request = 'GET /ping HTTP/1.1\r\nhost: x\r\n\r\n'
const secured = (): ServeOptions => ({ tls: { key: certificate().key, cert: certificate().cert } })

test('trunk and HTTP/1.1 are served on one port', async () => {
  const { server } = await gate()
  await using _ = server
  for (const scheme of ['trunk', 'http']) {
    await using client = connect(Gate, `${scheme}://127.0.0.1:${server.port}`)
    assert.deepEqual(await client.ping(), { pong: true }, scheme)
  }
})

test('a protocol is recognised however its bytes are cut', async () => {
  const { server } = await gate()
  await using _ = server

  const http = await rawConnection(server.port)
  http.socket.setNoDelay(true)
  for (const byte of request) {
    http.socket.write(byte)
    await new Promise(setImmediate)
  }
  await http.until('"pong":true')
  http.socket.destroy()

  const trunk = await rawConnection(server.port)
  trunk.socket.setNoDelay(true)
  for (const byte of Buffer.concat([magic, clientHello()])) {
    trunk.socket.write(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  await trunk.until('test.gate.v1')
  trunk.socket.destroy()
})

test('a connection that speaks nothing known is closed, and the log says so', async () => {
  const log = rememberingLog()
  const { server } = await gate({ log })
  await using _ = server
  const raw = await rawConnection(server.port)
  raw.socket.write(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1))
  await raw.closed
  assert.equal(raw.text(), '')
  assert.match(log.lines.map(({ message }) => message).join('\n'), /speaks none of the protocols/)
  await until(() => server.connections === 0, 'no connection is left')
})

test('a connection that says nothing, or not enough, is closed after limits.firstByteTimeout', async () => {
  const { server } = await gate({ limits: { firstByteTimeout: 30 } })
  await using _ = server
  const [silent, started] = [await rawConnection(server.port), await rawConnection(server.port)]
  started.socket.write('GE')
  await Promise.all([silent.closed, started.closed])
  assert.deepEqual([silent.text(), started.text()], ['', ''])
  await until(() => server.connections === 0, 'no connection is left')
})

test('a peer that ends its half before it has said what it speaks is let go; behind a request it gets its answer', async () => {
  const { server } = await gate()
  await using _ = server
  const early = await rawConnection(server.port)
  early.socket.end('GE')
  await early.closed
  assert.equal(early.text(), '')

  const whole = await rawConnection(server.port)
  whole.socket.end(request)
  await whole.until('"pong":true')
  await whole.closed
})

test('limits.connections bounds the connections, and the log says once that it is reached', async () => {
  const log = rememberingLog()
  const { server } = await gate({ limits: { connections: 2 }, log })
  await using _ = server
  const kept = [await rawConnection(server.port), await rawConnection(server.port)]
  await until(() => server.connections === 2, 'two are open')
  const refused = [await rawConnection(server.port), await rawConnection(server.port)]
  await Promise.all(refused.map(({ closed }) => closed))
  assert.equal(server.connections, 2)
  const warnings = log.lines.filter(({ message }) => message.includes('limits.connections'))
  assert.equal(warnings.length, 1)

  kept[0]?.socket.destroy()
  await until(() => server.connections === 1, 'there is room again')
  const again = await rawConnection(server.port)
  again.socket.write(request)
  await again.until('"pong":true')
  for (const { socket } of [...kept, again]) socket.destroy()
})

test('with TLS, ALPN chooses the protocol; without it the first bytes do', async () => {
  const { server } = await gate(secured())
  await using _ = server
  const dial = async (ALPNProtocols?: string[]) => {
    const socket = tls.connect({
      port: server.port,
      host: '127.0.0.1',
      ca: certificate().cert,
      servername: 'localhost',
      ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
    })
    await once(socket, 'secureConnect')
    return socket
  }

  const chosen = rawOn(await dial(['trunk/1']))
  chosen.socket.write(Buffer.concat([magic, clientHello()]))
  await chosen.until('test.gate.v1')
  chosen.socket.destroy()

  for (const protocols of [['http/1.1'], ['spdy/3', 'http/1.1'], undefined]) {
    const raw = rawOn(await dial(protocols))
    raw.socket.write(request)
    await raw.until('"pong":true')
    raw.socket.destroy()
  }

  const plain = rawOn(await dial())
  plain.socket.write(Buffer.concat([magic, clientHello()]))
  await plain.until('test.gate.v1')
  plain.socket.destroy()
})

test('with TLS, a client that offers only unknown protocols is refused in the handshake', async () => {
  const log = rememberingLog()
  const { server } = await gate({ ...secured(), log })
  await using _ = server
  const socket = tls.connect({
    port: server.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['spdy/3'],
  })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.match(String(error.code), /NO_APPLICATION_PROTOCOL/)
  await until(() => log.lines.some(({ message }) => message === 'a TLS handshake failed'), 'it is logged')
  await until(() => server.connections === 0, 'no connection is left')
})

test('plain HTTP to a TLS port is refused, and harms nobody else', async () => {
  const { server } = await gate(secured())
  await using _ = server
  const raw = await rawConnection(server.port)
  raw.socket.write(request)
  await raw.closed
  await using client = connect(Gate, `trunks://127.0.0.1:${server.port}`, { tls: { ca: certificate().cert } })
  assert.deepEqual(await client.ping(), { pong: true })
})

test('a TLS handshake that stalls ends after limits.headerTimeout', async () => {
  const { server } = await gate({ ...secured(), limits: { headerTimeout: 30 } })
  await using _ = server
  const raw = await rawConnection(server.port)
  await raw.closed
  await until(() => server.connections === 0, 'no connection is left')
})

test('a Unix socket is served, shown by its path, and removed at the end', async () => {
  using folder = socketFolder()
  const { server } = await gate({ path: folder.path })
  assert.deepEqual(
    [server.port, server.address.path, server.authority],
    [0, folder.path, `unix:${folder.path}`],
  )
  for (const scheme of ['trunk+unix', 'http+unix']) {
    await using client = connect(Gate, `${scheme}://${folder.path}`)
    assert.deepEqual(await client.ping(), { pong: true }, scheme)
  }
  await server.close()
  assert.equal(existsSync(folder.path), false)
})

test("a killed server's socket file does not stop the next one", async () => {
  using folder = socketFolder()
  const script = `require('node:net').createServer().listen(${JSON.stringify(folder.path)}, () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(existsSync(folder.path), true)

  const { server } = await gate({ path: folder.path })
  await using _ = server
  await using client = connect(Gate, `trunk+unix://${folder.path}`)
  assert.deepEqual(await client.ping(), { pong: true })
})

test('the socket of a live server, and a file that is none, are left alone', async () => {
  using folder = socketFolder()
  const { server } = await gate({ path: folder.path })
  await assert.rejects(gate({ path: folder.path }), {
    code: 'EADDRINUSE',
    message: `serve: a running server listens on the Unix socket ${folder.path} already`,
  })
  await using client = connect(Gate, `trunk+unix://${folder.path}`)
  assert.deepEqual(await client.ping(), { pong: true })
  await server.close()

  writeFileSync(folder.path, 'data')
  await assert.rejects(gate({ path: folder.path }), /is there already and is no socket/)
  assert.equal(existsSync(folder.path), true)
})

test('a Unix socket that cannot be made says why', async () => {
  using folder = socketFolder()
  await assert.rejects(gate({ path: `${folder.path}${'x'.repeat(120)}` }), {
    name: 'RangeError',
    message: /has at most 10[37] bytes here, and .* has \d+; choose a shorter one/,
  })
  await assert.rejects(gate({ path: `${folder.path}/missing/s` }), /cannot make the Unix socket .*missing/)
})

test('an address that cannot be had says which and why', async () => {
  const { server } = await gate()
  await using _ = server
  await assert.rejects(gate({ port: server.port }), {
    code: 'EADDRINUSE',
    message: `serve: another process listens on port ${server.port} of 127.0.0.1 already; choose another port, or 0 for a free one`,
  })
  await assert.rejects(gate({ host: '192.0.2.1' }), {
    code: 'EADDRNOTAVAIL',
    message: 'serve: 192.0.2.1 is no address of this machine',
  })
  await assert.rejects(gate({ admin: { port: server.port } }), new RegExp(`port ${server.port} of 127.0.0.1`))
})

test('when one listener cannot be had, those before it are closed again', async () => {
  const { server } = await gate()
  await using _ = server
  const free = await serve(
    implement(Gate, { ping: () => ({ pong: true }), hold: () => ({ held: true }), tick: () => [] }),
    {
      port: 0,
      log: quiet,
    },
  )
  const { port } = free
  await free.close()
  await assert.rejects(gate({ port: server.port, admin: { port } }), /already/)
  const again = await gate({ port })
  await again.server.close()
})

test('IPv6 is written in brackets', async (t) => {
  if (
    !Object.values(os.networkInterfaces())
      .flat()
      .some((each) => each?.address === '::1')
  ) {
    t.skip('this machine has no IPv6 loopback')
    return
  }
  const { server } = await gate({ host: '::1' })
  await using _ = server
  assert.equal(server.authority, `[::1]:${server.port}`)
  for (const scheme of ['trunk', 'http']) {
    await using client = connect(Gate, `${scheme}://${server.authority}`)
    assert.deepEqual(await client.ping(), { pong: true }, scheme)
  }
})

test('serving outside of the machine without TLS and authentication is warned of', async () => {
  const warnings = async (options: ServeOptions) => {
    const log = rememberingLog()
    const { server } = await gate({ ...options, log })
    await server.close()
    return log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  }
  assert.deepEqual(await warnings({}), [])
  assert.deepEqual(await warnings({ host: 'localhost' }), [])
  assert.match((await warnings({ host: '0.0.0.0' })).join(), /without tls and authenticate/)
  assert.match((await warnings({ host: '0.0.0.0', ...secured() })).join(), /without authenticate/)
  assert.deepEqual(await warnings({ host: '0.0.0.0', ...secured(), authenticate: () => undefined }), [])
})

test('connections and active count what is open', async () => {
  const { server, entered, release } = await gate()
  await using _ = server
  assert.deepEqual([server.connections, server.active], [0, 0])
  await using client = connect(Gate, `trunk://127.0.0.1:${server.port}`)
  const held = client.hold()
  await entered.promise
  assert.deepEqual([server.connections, server.active], [1, 1])
  release.resolve()
  await held
  await until(() => server.active === 0, 'the call is over')
  assert.equal(server.connections, 1)
  await disconnect(client)
  await until(() => server.connections === 0, 'the connection is gone')
})

for (const scheme of ['trunk', 'http']) {
  test(`close ends idle connections at once and waits for open calls, over ${scheme}`, async () => {
    const { server, entered, release } = await gate()
    await using idle = connect(Gate, `${scheme}://127.0.0.1:${server.port}`)
    await using busy = connect(Gate, `${scheme}://127.0.0.1:${server.port}`)
    await idle.ping()
    const held = busy.hold()
    await entered.promise
    assert.equal(server.connections, 2)

    const silent = await rawConnection(server.port)
    await until(() => server.connections === 3, 'the silent one is there')
    const closing = server.close({ grace: 60_000 })
    await silent.closed
    await until(() => server.connections === 1, 'only the connection with a call is left')
    await assert.rejects(rawConnection(server.port), { code: 'ECONNREFUSED' })

    release.resolve()
    assert.deepEqual(await held, { held: true })
    await closing
    assert.deepEqual([server.connections, server.active], [0, 0])
  })

  test(`what is still open after the grace is cut, and its handler is told, over ${scheme}`, async () => {
    const { server, entered, canceled } = await gate()
    await using client = connect(Gate, `${scheme}://127.0.0.1:${server.port}`)
    const held = client.hold()
    await entered.promise
    await server.close({ grace: 20 })
    await assert.rejects(held, { code: 'unavailable' })
    await canceled.promise
    assert.deepEqual([server.connections, server.active], [0, 0])
  })
}

test('a TLS handshake under way does not hold up the end', async () => {
  const { server } = await gate(secured())
  const raw = await rawConnection(server.port)
  await until(() => server.connections === 1, 'it is there')
  await server.close({ grace: 60_000 })
  await raw.closed
})

test('a second close is the first one, and await using closes too', async () => {
  const { server } = await gate()
  assert.equal(server.close(), server.close({ grace: 0 }))
  await server.close()

  let port: number
  {
    const inner = await gate()
    await using held = inner.server
    port = held.port
  }
  await assert.rejects(rawConnection(port), { code: 'ECONNREFUSED' })
})

test('a grace that no timer can wait is refused', async () => {
  const { server } = await gate()
  await using _ = server
  for (const grace of [-1, Number.NaN, Infinity, 2 ** 31, '5s' as unknown as number]) {
    assert.throws(
      () => void server.close({ grace }),
      /close: grace: expected milliseconds from 0 to 2147483647/,
    )
  }
  const client = connect(Gate, server)
  await assert.rejects(disconnect(client, { grace: Infinity }), /disconnect: grace: expected milliseconds/)
  await using other = connect(Gate, server)
  assert.deepEqual(await other.ping(), { pong: true }, 'nothing was closed')
})

test('port 0 picks a free port of loopback', async () => {
  const { server } = await gate()
  await using _ = server
  assert.ok(server.port > 0)
  assert.equal(server.authority, `127.0.0.1:${server.port}`)
  assert.equal(net.isIPv4(server.address.host), true)
})
