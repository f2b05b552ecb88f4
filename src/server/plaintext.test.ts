import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import test from 'node:test'
import { type ServeOptions, call, connect, contract, describeServer, implement, serve } from 'trunkline'
import { certificate } from '../../test/support/certificate.ts'
import { rememberingLog, quiet } from '../../test/support/quiet-log.ts'
import { rawConnection } from '../../test/support/raw-http.ts'

const Ping = contract('test.plaintext.v1', { ping: call({ rest: 'GET /ping' }) })
const serving = (log: ServeOptions['log'] = quiet) =>
  serve(implement(Ping, { ping() {} }), { port: 0, log, tls: certificate() })

test('HTTP/1.1 on a TLS port is answered with the reason, anything else with an alert, and closed', async () => {
  const log = rememberingLog()
  await using server = await serving(log)
  for (const method of ['GET', 'POST', 'HEAD', 'PUT']) {
    const raw = await rawConnection(server.port)
    raw.socket.write(`${method} /ping HTTP/1.1\r\nhost: x\r\n\r\n`)
    await raw.closed
    assert.match(raw.text(), /^HTTP\/1\.1 400 Bad Request\r\nconnection: close\r\n/, method)
    const [, body = ''] = raw.text().split('\r\n\r\n')
    assert.match(JSON.parse(body).detail, /speaks TLS there.*https:\/\//)
  }
  for (const text of [
    'trunk/1 and more than a record has',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\0'.repeat(64),
  ]) {
    const raw = await rawConnection(server.port)
    raw.socket.write(text)
    await raw.closed
    assert.equal(Buffer.from(raw.text(), 'latin1').toString('hex'), '15030300020246', JSON.stringify(text))
  }
  assert.equal(log.lines.filter(({ message }) => message === 'a TLS handshake failed').length, 7)
})

test('a client without TLS is told that the server speaks it, over each wire', async () => {
  await using server = await serving()
  for (const scheme of ['trunk', 'grpc', 'http']) {
    const url = `${scheme}://127.0.0.1:${server.port}`
    await using client = connect(Ping, url, { log: quiet })
    const expected = {
      code: 'unavailable',
      message: new RegExp(`the server speaks TLS there.*${scheme}s://`),
      processed: 'no',
    }
    await assert.rejects(client.ping(), expected, scheme)
    await assert.rejects(describeServer(url), { code: 'unavailable', message: expected.message }, scheme)
  }
})

test('a client without TLS is told what may be the reason when a server hangs up, or answers with an alert', async () => {
  for (const [answer, says] of [
    ['', /closed the connection without an answer: perhaps it speaks TLS there/],
    ['15030100020250', /the server speaks TLS there: use/],
  ] as const) {
    await using server = await foreign(Buffer.from(answer, 'hex'))
    for (const scheme of ['trunk', 'grpc', 'http']) {
      await using client = connect(Ping, `${scheme}://127.0.0.1:${server.port}`, { log: quiet })
      await assert.rejects(client.ping(), { code: 'unavailable', message: says }, scheme)
    }
  }
})

/** A server that answers whatever comes with these bytes, and closes, as those of other languages do. */
async function foreign(answer: Buffer): Promise<AsyncDisposable & { readonly port: number }> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
