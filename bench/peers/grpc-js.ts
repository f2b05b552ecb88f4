// What grpc-js's client and server share: the service, as @grpc/proto-loader reads it.

import { join } from 'node:path'
import { type ServiceClientConstructor, loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const definition = loadSync(join(import.meta.dirname, 'go-echo', 'echo.proto'))
const loaded = loadPackageDefinition(definition) as unknown as {
  bench: { echo: { v1: { Echo: ServiceClientConstructor } } }
}

export const Echo = loaded.bench.echo.v1.Echo

/** 64 MiB, as the others have it. */
export const limits = {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': 64 * 1024 * 1024,
}
