import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const definition = loadSync(fileURLToPath(new URL('../shop.proto', import.meta.url)), {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
})

/** The service as grpc-js makes it of the .proto file. */
export const { Shop } = (
  grpc.loadPackageDefinition(definition) as unknown as {
    demo: { shop: { v1: { Shop: grpc.ServiceClientConstructor } } }
  }
).demo.shop.v1
