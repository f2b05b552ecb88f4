// connectrpc's packages as foreign peers: services of our contracts as protobuf-es's descriptors, made from those that
// server reflection gives.

import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type DescService, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { create } from '@bufbuild/protobuf'
import type { ServiceImpl, Transport } from '@connectrpc/connect'
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node'
import * as web from '@connectrpc/connect-web'
import { type Contract, contractInfo } from 'trunkline'
import { reflectedFiles } from 'trunkline/wires'

/** The service of a contract. */
export function serviceOf(contract: Contract): DescService {
  const info = contractInfo(contract)
  const file = reflectedFiles([info]).map(({ bytes }) => fromBinary(FileDescriptorProtoSchema, bytes))
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }))
  const service = registry.getService(info.grpcService)
  if (service === undefined) throw new Error(`no service ${info.grpcService}`)
  return service
}

export interface Kind {
  readonly name: string
  /** Whether a request can be a stream, and whether both directions flow at once. */
  readonly streamsIn: boolean
  readonly duplex: boolean
  transport(baseUrl: string): Transport
}

const both = { streamsIn: true, duplex: true }
const half = { streamsIn: true, duplex: false }
const none = { streamsIn: false, duplex: false }

/** Every protocol, version and codec of theirs. */
export const kinds: readonly Kind[] = [
  { name: 'gRPC', ...both, transport: (baseUrl) => createGrpcTransport({ baseUrl }) },
  {
    name: 'gRPC in JSON',
    ...both,
    transport: (baseUrl) => createGrpcTransport({ baseUrl, useBinaryFormat: false }),
  },
  ...(['1.1', '2'] as const).flatMap((httpVersion): Kind[] => [
    {
      name: `gRPC-Web over HTTP/${httpVersion}`,
      ...none,
      transport: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion }),
    },
    {
      name: `gRPC-Web in JSON over HTTP/${httpVersion}`,
      ...none,
      transport: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion, useBinaryFormat: false }),
    },
    {
      name: `Connect over HTTP/${httpVersion}`,
      ...(httpVersion === '2' ? both : half),
      transport: (baseUrl) => createConnectTransport({ baseUrl, httpVersion, useBinaryFormat: true }),
    },
    {
      name: `Connect in JSON by GET over HTTP/${httpVersion}`,
      ...(httpVersion === '2' ? both : half),
      transport: (baseUrl) =>
        createConnectTransport({ baseUrl, httpVersion, useBinaryFormat: false, useHttpGet: true }),
    },
    {
      name: `Connect by GET, compressed, over HTTP/${httpVersion}`,
      ...(httpVersion === '2' ? both : half),
      transport: (baseUrl) =>
        createConnectTransport({
          baseUrl,
          httpVersion,
          useBinaryFormat: true,
          useHttpGet: true,
          compressMinBytes: 1,
        }),
    },
  ]),
  {
    name: 'gRPC-Web by fetch',
    ...none,
    transport: (baseUrl) => web.createGrpcWebTransport({ baseUrl }),
  },
  { name: 'Connect by fetch', ...none, transport: (baseUrl) => web.createConnectTransport({ baseUrl }) },
]

/** A server of theirs, over HTTP/1.1 or over HTTP/2 in plaintext. */
export async function foreignServer(
  service: DescService,
  implementation: Partial<ServiceImpl<DescService>>,
  version: '1.1' | '2',
): Promise<AsyncDisposable & { readonly port: number }> {
  const handler = connectNodeAdapter({ routes: (router) => router.service(service, implementation) })
  const server = version === '2' ? http2.createServer(handler) : http.createServer(handler)
  const sessions = new Set<{ destroy(): void }>()
  server.on(version === '2' ? 'session' : 'connection', (session: { destroy(): void }) =>
    sessions.add(session),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
