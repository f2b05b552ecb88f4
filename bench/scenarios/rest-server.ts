// The REST wire's server half under wrk.

import { paired } from '../harness/paired.ts'

const client = ['peers/wrk-client.ts']

export default paired({
  title: 'REST server',
  about:
    'POST of the reference Order, echoed, 64 keep-alive connections of wrk, one core for the server. The client column is the ' +
    'process that starts wrk, not wrk.',
  loads: [{ concurrency: 64 }],
  systems: [
    { name: 'trunkline, rest', server: ['systems/server.ts', 'rest'], client },
    {
      name: 'fastify with schemas',
      server: ['peers/fastify-server.ts'],
      client,
      note: 'validates input by Ajv, writes output by fast-json-stringify, no deadline, no metrics.',
    },
    {
      name: 'node:http',
      server: ['peers/node-http-server.ts'],
      client,
      note: 'JSON.parse and JSON.stringify without validation or routes.',
    },
  ],
  promises: [{ against: 'fastify with schemas', concurrency: 64, of: 'rate', atLeast: 1 }],
})
