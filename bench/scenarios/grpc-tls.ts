// The gRPC wire over TLS.

import { paired } from '../harness/paired.ts'

const grpcJs = 'grpc-js over TLS'

export default paired({
  title: 'gRPC over TLS',
  about: 'Echo of the reference Order over one connection of TLS 1.3.',
  loads: [{ concurrency: 64 }],
  systems: [
    {
      name: 'trunkline, gRPC over TLS',
      server: ['systems/server.ts', 'grpcs'],
      client: ['systems/client.ts'],
    },
    { name: grpcJs, server: ['peers/grpc-js-server.ts', 'tls'], client: ['peers/grpc-js-client.ts'] },
  ],
  promises: [{ against: grpcJs, concurrency: 64, of: 'rate', atLeast: 18 }],
})
