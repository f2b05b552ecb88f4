// Opens our connections on demand, each proved by one call, and keeps them idle.

import { connect } from '../../src/index.ts'
import { answerOpens } from '../harness/idle-process.ts'
import { isEcho, order } from '../order.ts'
import { Echo } from './echo-contract.ts'

const url = process.argv[2] ?? ''
const clients: unknown[] = []

answerOpens(async () => {
  const client = connect(Echo, url)
  if (!isEcho(order, await client.echo(order))) throw new Error('not an echo')
  clients.push(client)
})
