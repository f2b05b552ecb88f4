// Our server with its defaults, and metrics on. `node server.ts trunk|trunks|rest|grpc|grpcs` says which URL the client is given.

import { implement, serve } from '../../src/index.ts'
import { serveBench } from '../harness/server-process.ts'
import { Echo, handlers } from './echo-contract.ts'

const wire = process.argv[2] ?? 'trunk'
const secure = wire.endsWith('s')
const { certificate } = secure ? await import('../../test/support/certificate.ts') : {}

const server = await serve(implement(Echo, handlers), {
  port: 0,
  admin: { port: 0 },
  ...(certificate === undefined ? {} : { tls: certificate() }),
})

serveBench({
  url: `${wire === 'rest' ? 'http' : wire}://127.0.0.1:${server.port}${wire === 'rest' ? '/echo' : ''}`,
})
