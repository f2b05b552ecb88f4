import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { authority } from '../support/authority.ts'
import { folder, ordersService, running } from '../support/command.ts'
import { runHere } from '../support/run-here.ts'
import { shake } from '../support/tls-shake.ts'

const root = await authority('Acme Root')
const names = [{ type: 'dns', value: 'orders.internal' } as const]
const server = await root.issue({ names })
const client = await root.issue({ commonName: 'billing' })

const service = `
  import { call, contract, implement } from 'trunkline'
  import * as z from 'zod'
  const Whoami = contract('acme.whoami.v1', { ask: call({ output: z.object({ id: z.string() }), rest: 'GET /' }) })
  export const whoami = implement(Whoami, { ask: (_, ctx) => ({ id: ctx.principal?.id ?? 'nobody' }) })`

const files = () =>
  folder({
    'service.ts': service,
    'ca.pem': root.cert,
    'cert.pem': server.cert,
    'key.pem': server.key,
    'client.pem': client.cert,
    'client.key': client.key,
  })

function portOf(line: string): number {
  const port = /127\.0\.0\.1:(?<port>\d+)/.exec(line)?.groups?.['port']
  assert.ok(port !== undefined, line)
  return Number(port)
}

test('serve demands certificates of clients, or lets in others as nobody; call and describe show theirs', async () => {
  using place = files()
  const at = (name: string) => join(place.path, name)
  const own = ['--tls-cert', at('cert.pem'), '--tls-key', at('key.pem'), '--tls-client-ca', at('ca.pem')]
  const trusting = ['--tls-ca', at('ca.pem'), '--tls-server-name', 'orders.internal']
  const shown = ['--tls-cert', at('client.pem'), '--tls-key', at('client.key')]

  await using demanding = running(['serve', at('service.ts'), '--port', '0', ...own])
  await using lenient = running(['serve', at('service.ts'), '--port', '0', ...own, '--tls-client-optional'])
  const [demandingPort, lenientPort] = [portOf(await demanding.line()), portOf(await lenient.line())]

  for (const scheme of ['trunks', 'grpcs', 'https']) {
    const to = ['--to', `${scheme}://127.0.0.1:${demandingPort}`]
    const known = await runHere(['call', 'ask', ...to, ...trusting, ...shown])
    assert.deepEqual([known.stdout, known.stderr], ['{\n  "id": "subject:billing"\n}\n', ''], scheme)
    const refused = await runHere(['call', 'ask', ...to, ...trusting])
    assert.equal(refused.code, 3, scheme)
    assert.match(refused.stderr, /demands a client certificate/, scheme)
  }

  const to = ['--to', `trunks://127.0.0.1:${lenientPort}`]
  assert.match((await runHere(['call', 'ask', ...to, ...trusting])).stdout, /"nobody"/)
  assert.match((await runHere(['call', 'ask', ...to, '--insecure', ...shown])).stdout, /"subject:billing"/)
  assert.match((await runHere(['describe', ...to, ...trusting])).stdout, /acme\.whoami\.v1/)
  const doubting = await runHere(['call', 'ask', ...to, '--tls-ca', at('ca.pem')])
  assert.match(doubting.stderr, /for another name than 127\.0\.0\.1 \(its names: DNS:orders\.internal;/)
})

test('what does not go together on the command line for TLS is said, with what to do', async () => {
  using place = files()
  const at = (name: string) => join(place.path, name)
  const [cert, key] = [at('cert.pem'), at('key.pem')]
  const cases: [string[], RegExp][] = [
    [['serve', '--tls-cert', cert], /--tls-key is missing/],
    [['serve', '--tls-client-ca', cert], /--tls-client-ca needs TLS: --tls-cert <file>/],
    [['serve', '--tls-client-optional'], /--tls-client-ca <file> is meant, which is missing/],
    [
      ['serve', '--tls-cert', cert, '--tls-key', key, '--tls-client-ca', key],
      /--tls-client-ca: there is no certificate in it/,
    ],
    [
      ['serve', '--tls-cert', cert, '--tls-key', at('client.key')],
      /--tls-cert, --tls-key: the key does not belong to the certificate/,
    ],
    [['call', '--tls-cert', cert], /--tls-key is missing/],
    [['call', '--insecure', '--tls-ca', cert], /--insecure trusts everybody, --tls-ca only some/],
    [['call', '--tls-ca', key], /--tls-ca: there is no certificate in it/],
    [['call', '--tls-ca', at('none.pem')], /--tls-ca: there is no file/],
    [
      ['call', '--tls-cert', cert, '--tls-key', at('client.key')],
      /--tls-cert, --tls-key: the key does not belong to the certificate/,
    ],
    [['describe', '--tls-ca', key], /--tls-ca: there is no certificate in it/],
  ]
  for (const [[command = '', ...words], says] of cases) {
    const about = {
      serve: [at('service.ts'), '--port', '0'],
      call: ['ask', '--to', 'trunks://127.0.0.1:1'],
      describe: ['--to', 'grpcs://127.0.0.1:1'],
    }[command]
    const { code, stderr } = await runHere([command, ...(about ?? []), ...words])
    assert.match(stderr, says)
    assert.equal(code, 2, stderr)
  }
  const plain = await runHere(['call', 'ask', '--insecure', '--to', 'trunk://127.0.0.1:7000'])
  assert.match(plain.stderr, /--insecure is for TLS, and trunk:\/\/ has none[^]*trunks:\/\/127\.0\.0\.1:7000/)
  const socket = await runHere(['describe', '--tls-ca', cert, '--to', 'trunk+unix:///run/o.sock'])
  assert.match(socket.stderr, /a Unix socket has none/)
})

test('call to a TLS port without TLS says so', async () => {
  using place = files()
  const at = (name: string) => join(place.path, name)
  await using server = running([
    'serve',
    at('service.ts'),
    '--port',
    '0',
    '--tls-cert',
    at('cert.pem'),
    '--tls-key',
    at('key.pem'),
  ])
  const port = portOf(await server.line())
  for (const scheme of ['trunk', 'grpc', 'http']) {
    const { code, stderr } = await runHere(['call', 'ask', '--to', `${scheme}://127.0.0.1:${port}`])
    assert.match(stderr, new RegExp(`the server speaks TLS there.*${scheme}s://`))
    assert.equal(code, 3)
  }
})

test('with --workers, a TLS session is resumed by each of them, and by those that take their place', async () => {
  using place = files()
  const at = (name: string) => join(place.path, name)
  const port = await freePort()
  const words = ['serve', ordersService, '--port', String(port), '--workers', '2']
  await using server = running([...words, '--tls-cert', at('cert.pem'), '--tls-key', at('key.pem')])
  await server.line()
  const offered = { ca: root.cert, servername: 'orders.internal' }
  const again = new Map<string, ConnectionOptions>()

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { session } = await shake(port, { ...offered, maxVersion })
    const options = { ...offered, maxVersion, session: session as Buffer }
    again.set(maxVersion, options)
    // Connections go to the workers in turn.
    for (let i = 0; i < 4; i++) assert.equal((await shake(port, options)).resumed, true, maxVersion)
  }

  const pid = server.child.pid as number
  const first = await workersOf(pid)
  for (const worker of first) process.kill(worker, 'SIGKILL')
  // What the supervisor gives to one that is dying is never answered.
  while ((await workersOf(pid)).some((worker) => first.includes(worker))) await nextTurn()
  for (const options of again.values()) {
    assert.equal((await onceListening(() => shake(port, options))).resumed, true)
  }

  server.child.kill('SIGTERM')
  assert.equal((await server.ended).code, 0)
})

async function workersOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

async function freePort(): Promise<number> {
  const probe = net.createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as net.AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function onceListening<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    const result = await run().catch((error: NodeJS.ErrnoException) => error)
    if (!(result instanceof Error)) return result
    assert.equal((result as NodeJS.ErrnoException).code, 'ECONNREFUSED', result.message)
  }
}
