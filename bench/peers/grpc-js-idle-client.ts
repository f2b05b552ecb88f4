// Opens grpc-js's connections on demand, each proved by one call, and keeps them idle: `node grpc-js-idle-client.ts URL`.

import { credentials } from '@grpc/grpc-js'
import { answerOpens } from '../harness/idle-process.ts'
import { type Order, isEcho, order } from '../order.ts'
import { Echo } from './grpc-js.ts'

const [, authority = ''] = (process.argv[2] ?? '').split('://')
const clients: unknown[] = []

// Else all clients of one server share a connection.
const options = { 'grpc.use_local_subchannel_pool': 1 }

answerOpens(async () => {
  const client = new Echo(authority, credentials.createInsecure(), options) as unknown as {
    echo(order: Order, answered: (error: Error | null, reply: Order) => void): void
  }
  const reply = await new Promise<Order>((resolve, reject) =>
    client.echo(order, (error, answer) => (error ? reject(error) : resolve(answer))),
  )
  if (!isEcho(order, reply)) throw new Error('not an echo')
  clients.push(client)
})
