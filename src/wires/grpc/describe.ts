/**
 * What a foreign server says of itself by server reflection: a contract for each of its services. Asks by `v1`, and by
 * `v1alpha` where that is not there.
 */
import { Call } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import { ContractError } from '../../contract/contract-error.ts'
import { type ContractDescription, describe } from '../../contract/describe.ts'
import { statusFromNumber } from '../../contract/status.ts'
import type { HttpTransport } from '../../http/exchange.ts'
import type { DescribeOptions } from '../wire.ts'
import { GrpcChannel } from '../grpc-family/channel.ts'
import { operationOf } from './own-contract.ts'
import type { FileNode } from './proto/ast.ts'
import { decodeFile } from './proto/decode-descriptor.ts'
import { ProtoError, contractFromDescriptors } from './proto/index.ts'
import { wellKnownFile } from './proto/well-known.ts'
import {
  type ReflectionRequest,
  type ReflectionResponse,
  reflectionV1,
  reflectionV1Alpha,
} from './reflection-contract.ts'

/** Services that say nothing of what a server is for. */
const everyServers = /^grpc\.(?:reflection|health|channelz)\./

/**
 * The contracts of all services of a server; one that its own descriptors do not make understood is left out, unless it is the
 * only one. Rejects with `CallError`; `unimplemented` when the server has no reflection.
 */
export async function describeByReflection(
  transport: HttpTransport,
  options: DescribeOptions,
): Promise<readonly ContractDescription[]> {
  const channel = new GrpcChannel(transport, options, { format: 'proto', compression: undefined })
  try {
    return await ask(new Conversation(channel, options, reflectionV1), options)
  } catch (error) {
    if (!CallError.is(error) || error.code !== 'unimplemented') throw error
    return ask(new Conversation(channel, options, reflectionV1Alpha), options)
  }
}

async function ask(
  conversation: Conversation,
  { log }: DescribeOptions,
): Promise<readonly ContractDescription[]> {
  try {
    const { listServicesResponse } = await conversation.ask({ host: '', listServices: '*' })
    const names = (listServicesResponse?.service ?? []).map(({ name }) => name)
    const descriptions: ContractDescription[] = []
    let failure: CallError | undefined
    for (const name of names.filter((each) => !everyServers.test(each))) {
      const described = await conversation.describe(name)
      if (!CallError.is(described)) {
        descriptions.push(described)
        continue
      }
      failure ??= described
      log.warn({ service: name, err: described }, 'a service cannot be described, and is left out')
    }
    if (failure !== undefined && descriptions.length === 0) throw failure
    return descriptions
  } finally {
    conversation.end()
  }
}

/** One question after the other, on one call. */
class Conversation {
  readonly #peer: string
  readonly #call: Call
  readonly #answers: Promise<AsyncIterator<ReflectionResponse>>
  /** The question that was asked and not sent yet, or who waits for one. */
  #next = Promise.withResolvers<ReflectionRequest | undefined>()
  /** What the server has given, by path. */
  readonly #files = new Map<string, { readonly bytes: Uint8Array; readonly node: FileNode }>()

  constructor(channel: GrpcChannel, { peer }: DescribeOptions, contract: typeof reflectionV1) {
    this.#peer = peer.address
    this.#call = new Call(
      operationOf(contract, 'serverReflectionInfo'),
      undefined,
      this.#questions(),
      undefined,
      peer,
    )
    this.#answers = channel
      .call(this.#call)
      .then(({ output }) => (output as AsyncIterable<ReflectionResponse>)[Symbol.asyncIterator]())
    this.#answers.catch(() => undefined)
  }

  async *#questions(): AsyncGenerator<ReflectionRequest> {
    for (;;) {
      const question = await this.#next.promise
      if (question === undefined) return
      this.#next = Promise.withResolvers()
      yield question
    }
  }

  /** The answer. Rejects with CallError. */
  async ask(question: ReflectionRequest): Promise<ReflectionResponse> {
    this.#next.resolve(question)
    const answer = await (await this.#answers).next()
    if (answer.done === true) throw this.#failure('internal', 'the server ended its answers')
    const { errorResponse } = answer.value
    if (errorResponse === undefined) return answer.value
    throw this.#failure(statusFromNumber(errorResponse.errorCode), errorResponse.errorMessage)
  }

  /** Returns an error that is of this service only, and throws one of the whole conversation. */
  async describe(service: string): Promise<ContractDescription | CallError> {
    try {
      return describe(contractFromDescriptors(await this.#filesOf(service), service))
    } catch (error) {
      if (error instanceof ProtoError || error instanceof ContractError)
        return this.#failure('internal', `${service}: ${error.message}`)
      if (CallError.is(error) && error.code === 'not_found') return error
      throw error
    }
  }

  /** The files that a service needs, its own and all that they import, as far as the server has them. */
  async #filesOf(service: string): Promise<readonly Uint8Array[]> {
    const asked = new Set<string>()
    this.#add(await this.ask({ host: '', fileContainingSymbol: service }))
    for (;;) {
      const missing = this.#missing().find((path) => !asked.has(path))
      if (missing === undefined) return [...this.#files.values()].map(({ bytes }) => bytes)
      asked.add(missing)
      try {
        this.#add(await this.ask({ host: '', fileByFilename: missing }))
      } catch (error) {
        // What is only named for its options is often not there.
        if (!CallError.is(error) || error.code !== 'not_found') throw error
      }
    }
  }

  #missing(): string[] {
    const imports = [...this.#files.values()].flatMap(({ node }) => node.imports)
    return imports
      .map(({ path }) => path)
      .filter((path) => !this.#files.has(path) && wellKnownFile(path) === undefined)
  }

  #add({ fileDescriptorResponse }: ReflectionResponse): void {
    for (const bytes of fileDescriptorResponse?.fileDescriptorProto ?? []) {
      const node = decodeFile(bytes)
      this.#files.set(node.path, { bytes, node })
    }
  }

  #failure(code: CallError['code'], why: string): CallError {
    return new CallError(code, `${this.#peer}: reflection: ${why}`, { origin: 'downstream' })
  }

  end(): void {
    this.#next.resolve(undefined)
    this.#call.cancel(new CallError('canceled', 'all was asked', { origin: 'downstream' }))
  }
}
