import assert from 'node:assert/strict'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'trunkline'
import { Orders } from '../../examples/orders/contract.ts'
import { certificate } from '../support/certificate.ts'
import { folder, ordersContract, ordersService, running, trunkline } from '../support/command.ts'
import { refused } from '../support/refused.ts'

const readyLine =
  /^trunkline: serving acme\.orders\.v1 on 127\.0\.0\.1:(?<port>\d+) \(trunk, grpc(?:, [a-z-]+)*, rest(?<notes>[^)]*)\)$/

function portOf(line: string): number {
  const port = readyLine.exec(line)?.groups?.['port']
  assert.ok(port !== undefined, line)
  return Number(port)
}

test('serve says in one line that it is ready, and ends with 0 when it is told to', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await using server = running(['serve', ordersService, '--port', '0'])
    const port = portOf(await server.line())
    await using orders = connect(Orders, `trunk://127.0.0.1:${port}`)
    await orders.ping()
    server.child.kill(signal)
    assert.deepEqual(await server.ended, { code: 0, signal: null })
    await assert.rejects(server.line(), /the process ended/)
  }
})

for (const wire of ['trunk', 'http']) {
  test(`over ${wire}, a call that is open when serve is told to end is answered first`, async () => {
    await using server = running(['serve', ordersService, '--port', '0'])
    const port = portOf(await server.line())
    await using orders = connect(Orders, `${wire}://127.0.0.1:${port}`)
    await orders.ping()

    const bids = Promise.withResolvers<void>()
    const offers = orders.haggle(
      (async function* () {
        yield { bid: 1 }
        await bids.promise
        yield { bid: 2 }
      })(),
    )
    const iterator = offers[Symbol.asyncIterator]()
    assert.deepEqual(await iterator.next(), { value: { offer: 2 }, done: false })

    server.child.kill('SIGTERM')
    await refused(port)
    bids.resolve()
    assert.deepEqual(await iterator.next(), { value: { offer: 4 }, done: false })
    assert.equal((await iterator.next()).done, true)
    assert.equal((await server.ended).code, 0)
  })
}

test('a call that outlives the grace is cut', async () => {
  await using server = running(['serve', ordersService, '--port', '0', '--grace', '50ms'])
  const port = portOf(await server.line())
  await using orders = connect(Orders, `trunk://127.0.0.1:${port}`)
  await orders.ping()
  const sleeping = orders.sleep({ milliseconds: 60_000 })
  sleeping.catch(() => {})
  await orders.ping()
  server.child.kill('SIGTERM')
  await assert.rejects(sleeping, { code: 'unavailable' })
  assert.equal((await server.ended).code, 0)
})

test('a second signal ends serve at once', async () => {
  await using server = running(['serve', ordersService, '--port', '0', '--grace', '60s'])
  const port = portOf(await server.line())
  await using orders = connect(Orders, `trunk://127.0.0.1:${port}`)
  await orders.ping()
  const sleeping = orders.sleep({ milliseconds: 60_000 })
  sleeping.catch(() => {})
  await orders.ping()
  server.child.kill('SIGTERM')
  await refused(port)
  server.child.kill('SIGINT')
  assert.equal((await server.ended).code, 130)
  await assert.rejects(sleeping)
})

test('serve ends with the process that forked it', async () => {
  await using server = running(['serve', ordersService, '--port', '0'], { ipc: true })
  portOf(await server.line())
  server.child.disconnect()
  assert.equal((await server.ended).code, 0)
})

test('with --workers, a worker that dies is started again, and all of them drain', async () => {
  await using server = running(['serve', ordersService, '--port', '0', '--workers', '2', '--admin-port', '0'])
  const line = await server.line()
  const port = portOf(line)
  const admin = [...line.matchAll(/127\.0\.0\.1:(\d+)/g)].slice(1).map((found) => Number(found[1]))
  assert.match(line, /; 2 workers; admin on /)
  assert.equal(new Set(admin).size, 2)
  for (const each of admin) assert.equal((await fetch(`http://127.0.0.1:${each}/healthz`)).status, 200)

  const before = new Set(await workersOf(server.child.pid as number))
  assert.equal(before.size, 2)
  const [victim] = before
  const restarted = new Promise<void>((resolve) => {
    server.child.stderr?.on('data', (text: string) => text.includes('starting another') && resolve())
  })
  process.kill(victim as number, 'SIGKILL')
  await restarted

  let now = await workersOf(server.child.pid as number)
  while (now.length < 2) now = await workersOf(server.child.pid as number)
  assert.ok(!now.includes(victim as number))

  await using orders = connect(Orders, `trunk://127.0.0.1:${port}`)
  await orders.ping()
  server.child.kill('SIGTERM')
  assert.equal((await server.ended).code, 0)
})

test('what is wrong with every worker is said once', async () => {
  const { code, stderr } = await trunkline(['serve', ordersContract, '--workers', '2', '--port', '0'])
  assert.equal(code, 1)
  assert.equal(stderr.match(/exports nothing to serve/g)?.length, 1)
})

test('serve listens on a Unix socket', async () => {
  using place = folder({})
  const path = join(place.path, 'o.sock')
  await using server = running(['serve', ordersService, '--path', path])
  assert.ok(
    (await server.line()).startsWith(`trunkline: serving acme.orders.v1 on unix:${path} (trunk, grpc, `),
  )
  const { code } = await trunkline(['call', 'ping', '--to', `trunk+unix://${path}`])
  assert.equal(code, 0)

  const second = await trunkline(['serve', ordersService, '--path', path])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /another server listens there/)
})

test('serve speaks TLS, and call trusts the authority it is given', async () => {
  const { cert, key } = certificate()
  using place = folder({ 'cert.pem': cert, 'key.pem': key })
  const [certFile, keyFile] = [join(place.path, 'cert.pem'), join(place.path, 'key.pem')]
  await using server = running([
    'serve',
    ordersService,
    '--port',
    '0',
    '--tls-cert',
    certFile,
    '--tls-key',
    keyFile,
  ])
  const line = await server.line()
  assert.match(line, /\(trunk, grpc, .*rest; TLS\)$/)

  for (const scheme of ['trunks', 'https']) {
    const to = `${scheme}://localhost:${portOf(line)}`
    assert.equal((await trunkline(['call', 'ping', '--to', to, '--tls-ca', certFile])).code, 0, scheme)
    assert.equal((await trunkline(['call', 'ping', '--to', to])).code, 3, scheme)
  }
})

test('a port in use is answered by who has it and which else to take', async () => {
  const other = net.createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as net.AddressInfo
  const { code, stderr, stdout } = await trunkline(['serve', ordersService, '--port', String(port)])
  other.close()
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, new RegExp(`port ${port} is in use`))
  assert.match(stderr, /lsof/)
  assert.match(stderr, /--port 0/)
})

test('a package is found as import would find it', async () => {
  const { code, stderr } = await trunkline(['serve', 'zod'])
  assert.match(
    stderr,
    /node_modules\/zod\/index\.js exports nothing to serve \(its exports: .*, and \d+ more\)/,
  )
  assert.equal(code, 1)
})

test('serve finds a folder by its package.json, and passes what the module exports as options', async () => {
  using place = folder({
    'package.json': '{"name": "greeter", "type": "module", "exports": {".": {"import": "./main.ts"}}}',
    'main.ts': `
      import { call, contract, implement } from 'trunkline'
      const Greeter = contract('acme.greeter.v1', { greet: call({ scopes: ['greet'] }) })
      export const greeter = implement(Greeter, { greet() {} })
      export const options = { port: 0, authenticate: () => ({ id: 'ada', scopes: ['greet'] }) }`,
  })
  await using server = running(['serve', place.path])
  assert.match(
    await server.line(),
    /^trunkline: serving acme\.greeter\.v1 on 127\.0\.0\.1:\d+ \(trunk, grpc, .*rest\)$/,
  )
})

async function workersOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}
