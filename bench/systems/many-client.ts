// Our clients, 32 with a connection each, called in turn: `node many-client.ts URL`.

import { connect } from '../../src/index.ts'
import { clientBench } from '../harness/client-process.ts'
import { Echo } from './echo-contract.ts'

const url = process.argv[2] ?? ''
const clients = Array.from({ length: 32 }, () => connect(Echo, url))
let next = 0

clientBench((order) => clients[next++ % clients.length]!.echo(order))
