// Our server with its defaults, and metrics on. `node server.ts trunk|rest` says which URL the client is given.

import { implement, serve } from '../../src/index.ts'
import { serveBench } from '../harness/server-process.ts'
import { Echo } from './echo-contract.ts'

const server = await serve(implement(Echo, { echo: (order) => order }), { port: 0, admin: { port: 0 } })
const urls = { trunk: `trunk://127.0.0.1:${server.port}`, rest: `http://127.0.0.1:${server.port}/echo` }

serveBench({ url: urls[process.argv[2] === 'rest' ? 'rest' : 'trunk'] })
