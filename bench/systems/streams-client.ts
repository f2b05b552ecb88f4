// Opens streams of our client on demand, each proved by its first Order, and leaves them open: nothing more comes.
// `node streams-client.ts watch|converse URL`: streams from the server, or both ways. A client for every thousand.

import { connect } from '../../src/index.ts'
import { answerOpens } from '../harness/idle-process.ts'
import { isEcho, order } from '../order.ts'
import { Mixed } from './mixed-contract.ts'

const perClient = 1000

const [kind, url = ''] = process.argv.slice(2)
const waiting: Promise<unknown>[] = []
const never = Promise.withResolvers<void>()
let client = connect(Mixed, url)

answerOpens(async () => {
  if (waiting.length % perClient === 0) client = connect(Mixed, url)
  const orders = kind === 'watch' ? client.watch(order) : client.converse(one())
  const iterator = orders[Symbol.asyncIterator]()
  const { value } = await iterator.next()
  if (value === undefined || !isEcho(order, value)) throw new Error('not an echo')
  waiting.push(iterator.next())
})

async function* one() {
  yield order
  await never.promise
}
