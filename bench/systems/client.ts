// Our client with its defaults, over the wire that the URL names. The bench's certificates are made for one run.

import { connect } from '../../src/index.ts'
import { clientBench } from '../harness/client-process.ts'
import { Echo } from './echo-contract.ts'

const url = (process.argv[2] ?? '').replace(/\/echo$/, '')
const secure = url.split(':')[0]?.endsWith('s')
const client = connect(Echo, url, secure ? { tls: { rejectUnauthorized: false } } : {})
clientBench((order) => client.echo(order))
