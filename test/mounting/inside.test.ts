import assert from 'node:assert/strict'
import test from 'node:test'
import express from 'express'
import { connect, serve, toNodeHandler } from 'trunkline'
import { trunk } from 'trunkline/wires'
import { collect } from 'trunkline/testing'
import { quiet } from '../support/quiet-log.ts'
import { rawConnection } from '../support/raw-http.ts'
import { type Middleware, frameworks, listening } from './applications.ts'
import { Notes, notes } from './notes.ts'

for (const { name, make } of frameworks) {
  test(`inside ${name}: calls are answered, and everything else is the application's`, async () => {
    await using app = await make(toNodeHandler(notes, { log: quiet }))
    await using served = await listening(app.handler)
    const url = `http://127.0.0.1:${served.port}`
    await using client = connect(Notes, url, { log: quiet })

    assert.deepEqual(await client.add({ text: 'hello', tags: ['x'] }), { text: 'hello', tags: ['x'] })
    assert.deepEqual(await client.get({ id: '7' }), { text: '7', tags: [] })
    await assert.rejects(client.get({ id: 'none' }), { code: 'not_found', message: 'there is no such note' })
    await assert.rejects(client.add({ text: 1 as unknown as string }), { code: 'invalid_argument' })
    assert.equal((await collect(client.watch())).length, 3)
    async function* some() {
      for (const text of ['a', 'b']) yield { text }
    }
    assert.equal((await client.join(some())).text, 'ab')

    const page = await fetch(`${url}/old/page`)
    assert.deepEqual([page.status, await page.text()], [200, 'the old page'])
    const missing = await fetch(`${url}/unknown`)
    assert.equal(missing.status, 404)
    assert.match(await missing.text(), /the old 404|Cannot GET/, 'the application says so itself')
    const created = await fetch(`${url}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"t"}',
    })
    assert.deepEqual([created.status, await created.json()], [201, { text: 't', tags: [] }])
    const document = await fetch(`${url}/openapi.json`)
    assert.equal(document.headers.get('content-type'), 'application/json')
    assert.match(await document.text(), /"\/notes\/\{id\}"/)
  })
}

for (const { name, make } of frameworks.filter((each) => each.name !== 'node:http')) {
  test(`inside ${name}: a body that its parser has consumed is still understood`, async () => {
    await using app = await make(toNodeHandler(notes, { log: quiet }), true)
    await using served = await listening(app.handler)
    const post = (body: string) =>
      fetch(`http://127.0.0.1:${served.port}/notes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    const created = await post('{"text":"hello","tags":["é"]}')
    assert.deepEqual([created.status, await created.json()], [201, { text: 'hello', tags: ['é'] }])
    const wrong = await post('{"text":7}')
    assert.equal(wrong.status, 400)
    assert.match(await wrong.text(), /text: expected/)
  })
}

test('below a prefix of Express, routes are looked up behind it, and clients have it in their URL', async () => {
  const app = express()
  app.use('/api', toNodeHandler(notes, { log: quiet }))
  await using served = await listening(app)
  await using client = connect(Notes, `http://127.0.0.1:${served.port}/api`, { log: quiet })
  assert.equal((await client.get({ id: '7' })).text, '7')
  assert.equal((await fetch(`http://127.0.0.1:${served.port}/notes/7`)).status, 404)
})

test('without a next, unknown paths are answered with 404', async () => {
  await using served = await listening(toNodeHandler(notes, { log: quiet }))
  const answer = await fetch(`http://127.0.0.1:${served.port}/unknown`)
  assert.equal(answer.status, 404)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
})

test('a running server is mounted with its filters and its state', async () => {
  const server = await serve(notes, { port: 0, log: quiet })
  await using served = await listening(toNodeHandler(server))
  await using client = connect(Notes, `http://127.0.0.1:${served.port}`, { log: quiet })
  assert.equal((await client.get({ id: '1' })).text, '1')
  await server.close()
  await assert.rejects(client.get({ id: '1' }), { code: 'unavailable' })
})

test('a request with two Hosts is refused where a call would be made, and else left to the application', async () => {
  const app: Middleware = toNodeHandler(notes, { log: quiet })
  await using served = await listening((request, response) =>
    app(request, response, () => response.end('the app')),
  )
  const ask = async (path: string) => {
    const raw = await rawConnection(served.port)
    raw.socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n`)
    await raw.closed
    return raw.text().split('\r\n', 1)[0]
  }
  assert.equal(await ask('/notes/1'), 'HTTP/1.1 400 Bad Request')
  assert.equal(await ask('/elsewhere'), 'HTTP/1.1 200 OK')
})

test('what cannot be mounted is refused', () => {
  const refused = (what: unknown, options: object, message: RegExp) =>
    assert.throws(() => toNodeHandler(what as typeof notes, options), { name: 'TypeError', message })
  refused(undefined, {}, /toNodeHandler: expected a running server, or what implement/)
  refused(Notes, {}, /toNodeHandler: expected a running server, or what implement/)
  refused(notes, { port: 1 }, /toNodeHandler: there is no option 'port'/)
  refused(notes, { wires: [trunk()] }, /none of the wires is on HTTP/)
})
