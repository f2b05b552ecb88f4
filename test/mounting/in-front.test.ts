import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type http from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { connect, fromNodeHandler, serve } from 'trunkline'
import { signal, until } from '../support/events.ts'
import { quiet, rememberingLog } from '../support/quiet-log.ts'
import { rawConnection } from '../support/raw-http.ts'
import { send } from '../support/rest-server.ts'
import { frameworks } from './applications.ts'
import { Notes, notes } from './notes.ts'

type Handler = Parameters<typeof fromNodeHandler>[0]

async function inFrontOf(handler: Handler, log = quiet) {
  const server = await serve(notes, { port: 0, log, fallback: fromNodeHandler(handler, log) })
  return {
    server,
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.close({ grace: 0 }),
  }
}

for (const { name, make } of frameworks) {
  test(`in front of ${name}: the contract's calls are ours, everything else is the application's`, async () => {
    await using app = await make()
    await using front = await inFrontOf(app.handler)
    const { url } = front
    for (const scheme of ['http', 'trunk']) {
      await using client = connect(Notes, `${scheme}://127.0.0.1:${front.server.port}`, { log: quiet })
      assert.deepEqual(await client.get({ id: '7' }), { text: '7', tags: [] }, scheme)
    }

    const page = await fetch(`${url}/old/page?full=true`)
    assert.deepEqual([page.status, await page.text()], [200, 'the old page'])
    assert.equal((await fetch(`${url}/unknown`)).status, 404)
    assert.equal((await fetch(`${url}/unknown`, { method: 'DELETE' })).status, 404)

    const head = await send(`${url}/old/page`, { method: 'HEAD' })
    assert.equal(head.text, '')
    if (name !== 'node:http') {
      assert.deepEqual([head.status, head.headers['content-length']], [200, String('the old page'.length)])
      const broken = await fetch(`${url}/old/broken`)
      assert.equal(broken.status, 500)
      assert.ok(!(await broken.text()).includes('secret'))
    }
  })

  test(`in front of ${name}: bodies go on, small ones with their length, large ones at the reader's pace`, async () => {
    await using app = await make()
    await using front = await inFrontOf(app.handler)
    const echo = (body: string | Buffer, headers: http.OutgoingHttpHeaders = {}) =>
      send(`${front.url}/old/echo`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'text/plain', ...headers },
      })
    assert.equal((await echo('small')).text, 'small')
    assert.equal((await echo('')).text, '')
    const chunked = await echo('in chunks', { 'transfer-encoding': 'chunked' })
    assert.equal(chunked.text, 'in chunks')

    const large = Buffer.alloc(3 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz')
    const back = await echo(large)
    assert.equal(back.status, 200)
    assert.ok(back.bytes.equals(large))

    const streamed = await send(`${front.url}/old/stream`)
    assert.deepEqual([streamed.text, streamed.headers['x-framework']], ['one,two', 'raw'])
  })

  test(`in front of ${name}: the application sees the caller as if it had accepted the connection itself`, async () => {
    await using app = await make()
    await using front = await inFrontOf(app.handler)
    const seen = await fetch(`${front.url}/old/seen`, {
      method: 'POST',
      body: '12345',
      headers: { 'x-forwarded-for': '192.0.2.1' },
    })
    assert.deepEqual(await seen.json(), {
      address: '127.0.0.1',
      host: `127.0.0.1:${front.server.port}`,
      length: '5',
      forwarded: '192.0.2.1',
    })
  })

  test(`in front of ${name}: an answer that is cut stays cut, and one that never comes is 502`, async () => {
    await using app = await make()
    await using front = await inFrontOf(app.handler)
    await assert.rejects(send(`${front.url}/old/cut`))
    const gone = await send(`${front.url}/old/gone`)
    assert.equal(gone.status, 502)
  })
}

test('a handler that throws is logged and answered with 502', async () => {
  const log = rememberingLog()
  for (const handler of [
    () => {
      throw new Error('secret')
    },
    () => Promise.reject(new Error('secret')),
  ]) {
    await using front = await inFrontOf(handler, log)
    const answer = await fetch(`${front.url}/x`)
    assert.equal(answer.status, 502)
    assert.ok(!(await answer.text()).includes('secret'))
  }
  const failures = log.lines.filter(({ message }) => message === 'the application behind failed')
  assert.equal(failures.length, 2)
})

test('a caller that goes away is told to the application, before and in the answer', async () => {
  const entered = signal<http.ServerResponse>()
  const left = [signal(), signal()]
  await using front = await inFrontOf((request, response) => {
    const index = request.url === '/waiting' ? 0 : 1
    response.once('close', () => left[index]?.resolve())
    if (index === 1) response.write('half')
    entered.resolve(response)
  })
  const waiting = await rawConnection(front.server.port)
  waiting.socket.write('GET /waiting HTTP/1.1\r\nhost: x\r\n\r\n')
  await entered.promise
  waiting.socket.resetAndDestroy()
  await left[0]?.promise

  const reading = await rawConnection(front.server.port)
  reading.socket.write('GET /reading HTTP/1.1\r\nhost: x\r\n\r\n')
  await reading.until('half')
  reading.socket.resetAndDestroy()
  await left[1]?.promise
})

test('a caller that goes away in its body is told to the application', async () => {
  const cut = signal()
  await using front = await inFrontOf((request) => {
    request.on('error', () => undefined)
    request.once('close', () => cut.resolve())
    request.resume()
  })
  const raw = await rawConnection(front.server.port)
  raw.socket.write('POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n')
  await until(() => front.server.active === 1, 'it has begun')
  raw.socket.resetAndDestroy()
  await cut.promise
})

test('a reader that stops holds the application up', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let written = 0
  const full = signal()
  await using front = await inFrontOf((_request, response) => {
    const more = () => {
      do written += chunk.length
      while (response.write(chunk))
      full.resolve()
    }
    response.on('drain', more)
    more()
  })
  const raw = await rawConnection(front.server.port)
  raw.socket.pause()
  raw.socket.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n')
  await full.promise
  let before = -1
  await until(() => {
    const still = written === before
    before = written
    return still && written > 0
  }, 'nothing more is written')
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes are on their way to nobody`)
  raw.socket.destroy()
})

test('early hints go through', async () => {
  await using front = await inFrontOf((_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.end('done')
  })
  const raw = await rawConnection(front.server.port)
  raw.socket.write('GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await raw.closed
  assert.match(
    raw.text(),
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i,
  )
  assert.equal(raw.text().match(/^date: /gim)?.length, 1)
})

test('a WebSocket upgrade is 501; an offer of h2c is ignored', async () => {
  await using front = await inFrontOf((request, response) => response.end(`old ${request.url}`))
  const ask = async (upgrade: string) => {
    const raw = await rawConnection(front.server.port)
    raw.socket.write(`GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${upgrade}\r\n\r\n`)
    await raw.until('\r\n\r\n')
    raw.socket.destroy()
    return raw.text().split('\r\n', 1)[0]
  }
  assert.equal(await ask('websocket'), 'HTTP/1.1 501 Not Implemented')
  assert.equal(await ask('h2c'), 'HTTP/1.1 200 OK')
})

test('what is no handler is refused', () => {
  assert.throws(
    () => fromNodeHandler({} as Handler),
    /fromNodeHandler: expected a function of request and response/,
  )
})

test('nothing keeps the process alive once the server is closed', async () => {
  const script = `
    import { fromNodeHandler, serve } from 'trunkline'
    import { notes } from './notes.ts'
    const fallback = fromNodeHandler((request, response) => response.end('old'))
    const server = await serve(notes, { port: 0, fallback })
    console.log(await (await fetch('http://127.0.0.1:' + server.port + '/x')).text())
    await server.close()
  `
  const child = spawn(
    process.execPath,
    [
      '--conditions=trunkline-source',
      '--input-type=module',
      '-e',
      script.replace('./notes.ts', join(import.meta.dirname, 'notes.ts')),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
  )
  let printed = ''
  child.stdout.on('data', (text: Buffer) => (printed += String(text)))
  const [code] = (await once(child, 'exit')) as [number]
  assert.deepEqual([code, printed], [0, 'old\n'])
})
