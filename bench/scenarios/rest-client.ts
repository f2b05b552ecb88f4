// The REST wire's client half against undici, on the same plain node:http server.

import { paired } from '../harness/paired.ts'

const server = ['peers/node-http-server.ts']

export default paired({
  title: 'REST client',
  about:
    'POST of the reference Order to the same node:http server, 64 callers over at most 64 keep-alive connections.',
  loads: [{ concurrency: 64 }],
  systems: [
    { name: 'trunkline, rest', server, client: ['systems/client.ts'] },
    {
      name: 'undici request',
      server,
      client: ['peers/undici-client.ts', 'request'],
      note: 'no validation, no deadline.',
    },
    {
      name: 'undici Pool',
      server,
      client: ['peers/undici-client.ts', 'pool'],
      note: 'no validation, no deadline.',
    },
    {
      name: 'node:http agent',
      server,
      client: ['peers/node-http-client.ts'],
      note: 'no validation, no deadline.',
    },
  ],
  promises: [{ against: 'undici request', concurrency: 64, of: 'client CPU', atLeast: 0.91 }],
})
