// grpc-js as a foreign peer: services of our contracts as its definitions, with our codecs for its bytes.

import * as grpcJs from '@grpc/grpc-js'
import { type Contract, contractInfo } from 'trunkline'
import { compileProtobuf } from '../../src/codec/protobuf/compile.ts'
import { Writer } from '../../src/codec/writer.ts'
import type { CallOperation, ContractInfo, Message } from '../../src/contract/operation.ts'

/** The definition of a contract's service, methods by the names of the operations. */
export function serviceDefinition(contract: Contract | ContractInfo): grpcJs.ServiceDefinition {
  const info = 'grpcService' in contract ? (contract as ContractInfo) : contractInfo(contract as Contract)
  const calls = [...info.operations.values()].filter((each) => each.kind === 'call')
  return Object.fromEntries(calls.map((call) => [call.name, methodDefinition(call)]))
}

function methodDefinition({ grpc, input, output }: CallOperation): grpcJs.MethodDefinition<unknown, unknown> {
  return {
    path: `/${grpc}`,
    requestStream: input?.stream === true,
    responseStream: output?.stream === true,
    requestSerialize: serializer(input),
    requestDeserialize: deserializer(input),
    responseSerialize: serializer(output),
    responseDeserialize: deserializer(output),
    originalName: grpc.slice(grpc.indexOf('/') + 1),
  }
}

function serializer(message: Message | undefined): (value: unknown) => Buffer {
  const codec = message && compileProtobuf(message.schema)
  return (value) => {
    const writer = new Writer()
    codec?.encode(value, writer)
    return writer.copy()
  }
}

function deserializer(message: Message | undefined): (bytes: Buffer) => unknown {
  const codec = message && compileProtobuf(message.schema)
  return (bytes) => codec?.decode(bytes, 0, bytes.length) ?? {}
}

/** A client of grpc-js, whose methods are called by name. */
export class ForeignClient {
  readonly #client: grpcJs.Client
  readonly #definition: grpcJs.ServiceDefinition

  constructor(
    contract: Contract,
    address: string,
    credentials: grpcJs.ChannelCredentials = grpcJs.credentials.createInsecure(),
    options: grpcJs.ClientOptions = {},
  ) {
    this.#client = new grpcJs.Client(address, credentials, options)
    this.#definition = serviceDefinition(contract)
  }

  #method(name: string): grpcJs.MethodDefinition<unknown, unknown> {
    return this.#definition[name] as grpcJs.MethodDefinition<unknown, unknown>
  }

  /** A unary call. What `seen` gets: the call itself, for its events. */
  call(
    name: string,
    input: unknown,
    metadata: grpcJs.Metadata = new grpcJs.Metadata(),
    options: grpcJs.CallOptions = {},
    seen: (call: grpcJs.ClientUnaryCall) => void = () => {},
  ): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name)
    return new Promise((resolve, reject) => {
      const done = (error: grpcJs.ServiceError | null, value?: unknown) =>
        error === null ? resolve(value) : reject(error)
      seen(
        this.#client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          input,
          metadata,
          options,
          done,
        ),
      )
    })
  }

  /** Streams the input and resolves with the one output. */
  collect(name: string, inputs: Iterable<unknown>): Promise<unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name)
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        (error, value) => (error === null ? resolve(value) : reject(error)),
      )
      for (const input of inputs) call.write(input)
      call.end()
    })
  }

  /** A streamed output. */
  stream(
    name: string,
    input: unknown,
    metadata = new grpcJs.Metadata(),
  ): grpcJs.ClientReadableStream<unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name)
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, input, metadata)
  }

  /** Both directions. */
  duplex(name: string): grpcJs.ClientDuplexStream<unknown, unknown> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name)
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

/** Serves a contract by grpc-js. Methods by the names of the operations. */
export async function foreignServer(
  contract: Contract | ContractInfo,
  handlers: grpcJs.UntypedServiceImplementation,
  credentials: grpcJs.ServerCredentials = grpcJs.ServerCredentials.createInsecure(),
  options: grpcJs.ServerOptions = {},
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = new grpcJs.Server(options)
  server.addService(serviceDefinition(contract), handlers)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown()
    },
  }
}

export { grpcJs }
