// A server under test: reads from standard input how to serve, and says where.

import { serve } from 'trunkline'
import { connectRpc, grpc, grpcWeb } from 'trunkline/wires'
import type { z } from 'zod'
import { quiet } from '../../support/quiet-log.ts'
import { service } from './handlers.ts'
import { type ServerRequest, type ServerResponse, codecsOf, messages } from './messages.ts'

const { decode, encode } = codecsOf<z.infer<typeof ServerRequest>, z.infer<typeof ServerResponse>>('server')

for await (const message of messages()) {
  const { useTls, serverCreds, messageReceiveLimit } = decode(message)
  const pem = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()
  const server = await serve(service, {
    port: 0,
    log: quiet,
    wires: [
      grpc({ compression: 'gzip' }),
      grpcWeb({ compression: 'gzip', origins: ['*'] }),
      connectRpc({ compression: 'gzip', origins: ['*'] }),
    ],
    limits: {
      // A deadline of the server's own would be taken for one that was sent.
      callTimeout: 2_000_000_000,
      ...(messageReceiveLimit > 0 ? { messageSize: messageReceiveLimit } : {}),
    },
    ...(useTls ? { tls: { cert: pem(serverCreds?.cert), key: pem(serverCreds?.key) } } : {}),
  })
  process.stdout.write(
    encode({ host: '127.0.0.1', port: server.port, pemCert: serverCreds?.cert ?? new Uint8Array() }),
  )
}
