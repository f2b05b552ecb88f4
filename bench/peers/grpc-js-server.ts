// grpc-js's server: `node grpc-js-server.ts [tls]`.

import {
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  Server,
  ServerCredentials,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { serveBench } from '../harness/server-process.ts'
import type { Order } from '../order.ts'
import { Echo, limits } from './grpc-js.ts'

const server = new Server(limits)

server.addService(Echo.service, {
  echo: (call: ServerUnaryCall<Order, Order>, answer: sendUnaryData<Order>) => answer(null, call.request),
  blob: (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => answer(null, call.request),
  async repeat(call: ServerWritableStream<{ count: number; order: Order }, Order>) {
    const { count, order } = call.request
    for (let i = 0; i < count; i++) {
      if (!call.write(order)) await new Promise((resolve) => call.once('drain', resolve))
    }
    call.end()
  },
  collect(call: ServerReadableStream<Order, { count: number }>, answer: sendUnaryData<{ count: number }>) {
    let count = 0
    call.on('data', () => count++)
    call.on('end', () => answer(null, { count }))
  },
})

async function credentials(): Promise<ServerCredentials> {
  if (process.argv[2] !== 'tls') return ServerCredentials.createInsecure()
  const { certificate } = await import('../../test/support/certificate.ts')
  const { key, cert } = certificate()
  return ServerCredentials.createSsl(null, [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }])
}

const port = await new Promise<number>((resolve, reject) => {
  void credentials().then((given) =>
    server.bindAsync('127.0.0.1:0', given, (error, bound) => (error ? reject(error) : resolve(bound))),
  )
})

serveBench({ url: `${process.argv[2] === 'tls' ? 'grpcs' : 'grpc'}://127.0.0.1:${port}` })
