// Our client with its defaults, over the wire that the URL names; a bare port is a foreign gRPC server's. The bench's certificates
// are made for one run.

import { randomBytes } from 'node:crypto'
import { connect } from '../../src/index.ts'
import { clientBench } from '../harness/client-process.ts'
import { isEcho, nthOrder } from '../order.ts'
import { Echo } from './echo-contract.ts'

const to = (process.argv[2] ?? '').replace(/\/echo$/, '')
const url = /^\d+$/.test(to) ? `grpc://127.0.0.1:${to}` : to
const secure = url.split(':')[0]?.endsWith('s')
const client = connect(Echo, url, {
  ...(secure ? { tls: { rejectUnauthorized: false } } : {}),
  limits: { messageSize: 64 * 1024 * 1024 },
})

const messages = 100_000
const data = new Uint8Array(1024 * 1024)
const authorization = `Bearer ${'eyJhbGciOi'.repeat(80).slice(0, 793)}`

clientBench((order) => client.echo(order), {
  /** What real callers send: a deadline that differs, a trace that is unique, and a long token. */
  async rich(n) {
    const id = randomBytes(24)
    const traceparent = `00-${id.toString('hex', 0, 16)}-${id.toString('hex', 16)}-01`
    const order = nthOrder(n)
    const reply = await client.echo(order, {
      timeout: 20_000 + (n % 9973),
      metadata: { traceparent, authorization },
    })
    return { count: 1, good: isEcho(order, reply) }
  },
  async blob() {
    const reply = await client.blob({ data })
    return { count: 1, good: reply.data.length === data.length }
  },
  async repeat(n) {
    const order = nthOrder(n)
    let count = 0
    for await (const each of client.repeat({ count: messages, order })) if (isEcho(order, each)) count++
    return { count, good: count === messages }
  },
  async collect() {
    const { count } = await client.collect(orders())
    return { count, good: count === messages }
  },
})

function* orders() {
  for (let i = 0; i < messages; i++) yield nthOrder(i)
}
