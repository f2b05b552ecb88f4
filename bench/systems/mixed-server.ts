// Our server of the mixed load with its defaults, and metrics on. `node mixed-server.ts [SCHEME]`: one port, all wires; the client
// is given a URL of the one that is named, or the port.

import { implement, serve } from '../../src/index.ts'
import { serveBench } from '../harness/server-process.ts'
import { Mixed, handlers } from './mixed-contract.ts'

const server = await serve(implement(Mixed, handlers), { port: 0, admin: { port: 0 } })

const scheme = process.argv[2]
serveBench(scheme === undefined ? { port: server.port } : { url: `${scheme}://127.0.0.1:${server.port}` })
