// The client of moleculer-server.ts.

import { createRequire } from 'node:module'
import { clientBench } from '../harness/client-process.ts'

const { ServiceBroker } = createRequire(import.meta.url)('moleculer')
const [server, own] = (process.argv[2] ?? '').split(',')

const broker = new ServiceBroker({
  nodeID: 'client',
  logger: false,
  transporter: {
    type: 'TCP',
    options: {
      port: Number(own),
      udpDiscovery: false,
      urls: [`tcp://127.0.0.1:${server}/server`, `tcp://127.0.0.1:${own}/client`],
    },
  },
})

await broker.start()
await broker.waitForServices('orders', 30_000)

clientBench((order) => broker.call('orders.echo', order))
