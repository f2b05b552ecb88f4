// grpc-js's client: one connection, over TLS when the URL says so.

import { randomBytes } from 'node:crypto'
import { type ClientReadableStream, type ServiceError, Metadata, credentials } from '@grpc/grpc-js'
import { clientBench } from '../harness/client-process.ts'
import { type Order, isEcho, nthOrder } from '../order.ts'
import { Echo, limits } from './grpc-js.ts'

const [scheme = '', authority = ''] = (process.argv[2] ?? '').split('://')
// The bench's certificates are made for one run.
const given =
  scheme === 'grpcs'
    ? credentials.createSsl(null, null, null, { rejectUnauthorized: false })
    : credentials.createInsecure()
// Node refuses an address as the name of a TLS server.
const named = scheme === 'grpcs' ? { 'grpc.ssl_target_name_override': 'localhost' } : {}
const client = new Echo(authority === '' ? `127.0.0.1:${scheme}` : authority, given, {
  ...limits,
  ...named,
}) as unknown as {
  echo(order: Order, answered: Answered<Order>): void
  echo(order: Order, metadata: Metadata, options: { deadline: number }, answered: Answered<Order>): void
  blob(blob: { data: Buffer }, answered: Answered<{ data: Buffer }>): void
  repeat(request: { count: number; order: Order }): ClientReadableStream<Order>
  collect(
    answered: Answered<{ count: number }>,
  ): { write(order: Order): boolean; end(): void } & NodeJS.EventEmitter
}

type Answered<T> = (error: ServiceError | null, reply: T) => void

const messages = 100_000
const data = Buffer.alloc(1024 * 1024)
const authorization = `Bearer ${'eyJhbGciOi'.repeat(80).slice(0, 793)}`

function promised<T>(start: (answered: Answered<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, reply) => (error ? reject(error) : resolve(reply))))
}

clientBench((order) => promised((answered) => client.echo(order, answered)), {
  async rich(n) {
    const id = randomBytes(24)
    const metadata = new Metadata()
    metadata.set('traceparent', `00-${id.toString('hex', 0, 16)}-${id.toString('hex', 16)}-01`)
    metadata.set('authorization', authorization)
    const order = nthOrder(n)
    const deadline = Date.now() + 20_000 + (n % 9973)
    const reply = await promised<Order>((answered) => client.echo(order, metadata, { deadline }, answered))
    return { count: 1, good: isEcho(order, reply) }
  },
  async blob() {
    const reply = await promised<{ data: Buffer }>((answered) => client.blob({ data }, answered))
    return { count: 1, good: reply.data.length === data.length }
  },
  async repeat(n) {
    const order = nthOrder(n)
    let count = 0
    for await (const each of client.repeat({ count: messages, order }))
      if (isEcho(order, each as Order)) count++
    return { count, good: count === messages }
  },
  async collect() {
    let stream: ReturnType<typeof client.collect> | undefined
    const reply = promised<{ count: number }>((answered) => (stream = client.collect(answered)))
    for (let i = 0; i < messages; i++) {
      if (!stream!.write(nthOrder(i))) await new Promise((resolve) => stream!.once('drain', resolve))
    }
    stream!.end()
    const { count } = await reply
    return { count, good: count === messages }
  },
})
