// Our client with its defaults, over the wire that the URL names.

import { connect } from '../../src/index.ts'
import { clientBench } from '../harness/client-process.ts'
import { Echo } from './echo-contract.ts'

const client = connect(Echo, (process.argv[2] ?? '').replace(/\/echo$/, ''))
clientBench((order) => client.echo(order))
