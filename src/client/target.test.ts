import assert from 'node:assert/strict'
import test from 'node:test'
import type { Wire } from '../wires/wire.ts'
import { backoff, defaultBackoff } from './backoff.ts'
import { parseTarget } from './target.ts'

const refuse = () => Promise.reject(new Error('not dialled here'))
const client = { over: 'bytes', alpn: 'x/1', open: refuse } as const
const wires: Wire[] = [
  {
    name: 'trunk',
    schemes: ['trunk', 'trunks', 'trunk+unix'],
    defaultPort: 7000,
    needsNumbers: true,
    supports: () => true,
    client,
  },
  {
    name: 'queue',
    schemes: ['queue+test'],
    needsNumbers: true,
    supports: () => true,
    client: { over: 'own', dial: refuse },
  },
  { name: 'rest', schemes: ['http', 'https'], needsNumbers: false, supports: () => true, client },
]

test('a URL names wire, address and security', () => {
  const plain = parseTarget('trunk://10.0.0.1', wires)
  assert.deepEqual(
    [plain.wire.name, plain.secure, plain.address],
    ['trunk', false, { host: '10.0.0.1', port: 7000 }],
  )
  assert.deepEqual(parseTarget('trunks://a.example:1', wires).secure, true)
  assert.deepEqual(parseTarget('https://[::1]/base', wires).address, { host: '::1', port: 443 })
  assert.deepEqual(parseTarget('http://h', wires).address, { host: 'h', port: 80 })
  assert.equal(parseTarget('queue+test://user:secret@broker/orders', wires).label, 'broker/orders')
  assert.deepEqual(parseTarget('trunk+unix:///run/a%20b.sock', wires).address, { path: '/run/a b.sock' })
})

test('a URL that cannot be used says what is wrong with it', () => {
  assert.throws(
    () => parseTarget('localhost:7000', wires),
    /no wire has the scheme 'localhost'.*trunk, trunks/,
  )
  assert.throws(() => parseTarget('nonsense', wires), /is no URL; write scheme:\/\/host:port/)
  assert.throws(() => parseTarget('grpc://x', wires), /no wire has the scheme 'grpc'/)
  assert.throws(() => parseTarget('trunk+unix://', wires), /names no socket/)
  assert.throws(() => parseTarget('trunk://', wires), /names no host/)
})

test('back-off doubles with jitter, and stays below its longest', () => {
  const middle = () => 0.5
  assert.equal(backoff(1, defaultBackoff, middle), 100)
  assert.equal(backoff(2, defaultBackoff, middle), 160)
  assert.equal(backoff(100, defaultBackoff, middle), 15_000)
  assert.equal(
    backoff(1, defaultBackoff, () => 0),
    80,
  )
  assert.ok(backoff(1, defaultBackoff, () => 0.999) < 120)
})
