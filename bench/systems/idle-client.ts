// Opens our connections on demand, each proved by one call, and keeps them idle. `node idle-client.ts shared|alone URL`:
// clients that share their wires, and with these the compiled codecs, or clients that have nothing in common.

import { connect } from '../../src/index.ts'
import { defaultWires } from '../../src/wires/index.ts'
import { answerOpens } from '../harness/idle-process.ts'
import { isEcho, order } from '../order.ts'
import { Echo } from './echo-contract.ts'

const [kind, url = ''] = process.argv.slice(2)
const options = kind === 'shared' ? { wires: defaultWires() } : {}
const clients: unknown[] = []

answerOpens(async () => {
  const client = connect(Echo, url, options)
  if (!isEcho(order, await client.echo(order))) throw new Error('not an echo')
  clients.push(client)
})
