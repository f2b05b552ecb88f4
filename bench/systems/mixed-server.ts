// Our server of the mixed load with its defaults, and metrics on. `node mixed-server.ts`: one port, all wires.

import { implement, serve } from '../../src/index.ts'
import { serveBench } from '../harness/server-process.ts'
import { Mixed, handlers } from './mixed-contract.ts'

const server = await serve(implement(Mixed, handlers), { port: 0, admin: { port: 0 } })

serveBench({ port: server.port })
