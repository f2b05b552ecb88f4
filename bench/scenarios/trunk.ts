// The trunk wire against what Node services use between themselves today, and against the socket itself.

import { paired } from '../harness/paired.ts'

const moleculer = 'Moleculer TCP'
const ws = 'ws + JSON'
const overTls = 'trunkline, trunk over TLS'

export default paired({
  title: 'Calls over trunk',
  about:
    'Echo of the reference Order over one connection. Ours with its defaults and metrics on: validation both ways, a deadline on ' +
    'every call, cancellation, flow control, context.',
  loads: [{ concurrency: 1 }, { concurrency: 64 }, { concurrency: 512 }],
  systems: [
    { name: 'trunkline, trunk', server: ['systems/server.ts', 'trunk'], client: ['systems/client.ts'] },
    {
      name: overTls,
      server: ['systems/server.ts', 'trunks'],
      client: ['systems/client.ts'],
      note: 'the same over TLS 1.3.',
    },
    {
      name: moleculer,
      server: ['peers/moleculer-server.ts'],
      client: ['peers/moleculer-client.ts'],
      note: 'JSON, no validation, no deadline, discovery and heartbeats by default.',
    },
    {
      name: ws,
      server: ['peers/ws-json-server.ts'],
      client: ['peers/ws-json-client.ts'],
      note: 'one id a call, no validation, no deadline, no errors, no flow control.',
    },
    {
      name: 'net echo',
      server: ['peers/net-echo-server.ts'],
      client: ['peers/net-echo-client.ts'],
      note: 'bytes of the same length without any codec or protocol: the ceiling.',
    },
  ],
  promises: [
    { against: moleculer, concurrency: 64, of: 'CPU', atLeast: 5 },
    { against: ws, concurrency: 64, of: 'CPU', atLeast: 5 },
    { against: moleculer, concurrency: 64, of: 'rate', atLeast: 8 },
    { against: ws, concurrency: 64, of: 'rate', atLeast: 5 },
    { against: moleculer, concurrency: 512, of: 'CPU', atLeast: 5 },
    { against: ws, concurrency: 512, of: 'CPU', atLeast: 5 },
  ],
  ceilings: [{ by: overTls, concurrency: 64, of: 'server CPU', atMost: 3.3 }],
})
