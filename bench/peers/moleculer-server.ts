// Moleculer over its TCP transporter, JSON serializer (its default), no tracing, no metrics, no parameter validation.

import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { serveBench } from '../harness/server-process.ts'

const { ServiceBroker } = createRequire(import.meta.url)('moleculer')

// The client's node must know where this one listens, and this one where the client's is: both ports are chosen here.
const [own, other] = [await freePort(), await freePort()]

const broker = new ServiceBroker({
  nodeID: 'server',
  logger: false,
  transporter: {
    type: 'TCP',
    options: {
      port: own,
      udpDiscovery: false,
      urls: [`tcp://127.0.0.1:${own}/server`, `tcp://127.0.0.1:${other}/client`],
    },
  },
})

broker.createService({
  name: 'orders',
  actions: { echo: (context: { params: unknown }) => context.params },
})

await broker.start()
serveBench({ url: `${own},${other}` })

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
