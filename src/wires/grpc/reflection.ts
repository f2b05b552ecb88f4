/** Server reflection: the services, and the files that describe them, for grpcurl and whoever has no contract. */
import type { Handler } from '../../call/handler.ts'
import type { ContractInfo } from '../../contract/operation.ts'
import { statusTable } from '../../contract/status.ts'
import type { Host } from '../wire.ts'
import { operationOf } from './own-contract.ts'
import type { ReflectedFile } from './proto/index.ts'
import type { ReflectedFiles } from './reflected-files.ts'
import {
  type ReflectionRequest,
  type ReflectionResponse,
  reflectionV1,
  reflectionV1Alpha,
} from './reflection-contract.ts'
import type { OwnService } from './server.ts'

type Answer = Omit<ReflectionResponse, 'validHost' | 'originalRequest'>

/**
 * The service in both versions.
 *
 * @param names The full names of all services that are served, in order.
 * @param contracts What they are described by.
 */
export function reflectionServices(
  host: Host,
  names: readonly string[],
  contracts: readonly ContractInfo[],
): readonly OwnService[] {
  let files: Promise<ReflectedFiles> | undefined
  const filesOf = () => (files ??= makeFiles(contracts))

  async function* answers(requests: AsyncIterable<ReflectionRequest>): AsyncGenerator<ReflectionResponse> {
    const sent = new Set<string>()
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, ...(await answer(request, sent)) }
    }
  }

  async function answer(request: ReflectionRequest, sent: Set<string>): Promise<Answer> {
    if (request.listServices !== undefined) {
      return { listServicesResponse: { service: names.map((name) => ({ name })) } }
    }

    try {
      return answerFromFiles(await filesOf(), request, sent)
    } catch (error) {
      host.log.error({ err: error }, 'grpc: the contracts cannot be described to reflection clients')
      return failure('internal', error instanceof Error ? error.message : String(error))
    }
  }

  const handler: Handler = (call) => ({
    output: answers(call.input() as AsyncIterable<ReflectionRequest>),
    metadata: undefined,
    trailers: undefined,
  })
  return [reflectionV1, reflectionV1Alpha].map(
    (contract) => new Map([[operationOf(contract, 'serverReflectionInfo'), handler]]),
  )
}

/** What knows .proto files is loaded when somebody asks for one: it would be a third of a server's start. */
async function makeFiles(contracts: readonly ContractInfo[]): Promise<ReflectedFiles> {
  const { ReflectedFiles: Files } = await import('./reflected-files.ts')
  return new Files(contracts)
}

function answerFromFiles(files: ReflectedFiles, request: ReflectionRequest, sent: Set<string>): Answer {
  const { fileByFilename, fileContainingSymbol, fileContainingExtension, allExtensionNumbersOfType } = request
  const described = (file: ReflectedFile | undefined, what: string): Answer =>
    file === undefined
      ? failure('not_found', `there is no ${what}`)
      : { fileDescriptorResponse: { fileDescriptorProto: files.withImports(file, sent) } }

  if (fileByFilename !== undefined)
    return described(files.byPath(fileByFilename), `file ${shown(fileByFilename)}`)
  if (fileContainingSymbol !== undefined) {
    return described(files.bySymbol(fileContainingSymbol), `symbol ${shown(fileContainingSymbol)}`)
  }
  if (fileContainingExtension !== undefined) {
    const { containingType, extensionNumber } = fileContainingExtension
    return failure('not_found', `${shown(containingType)} has no extension ${extensionNumber}`)
  }
  if (allExtensionNumbersOfType !== undefined) {
    if (files.bySymbol(allExtensionNumbersOfType) === undefined) {
      return failure('not_found', `there is no type ${shown(allExtensionNumbersOfType)}`)
    }
    return { allExtensionNumbersResponse: { baseTypeName: allExtensionNumbersOfType, extensionNumber: [] } }
  }
  return failure('invalid_argument', 'the request asks for nothing that is known')
}

function failure(code: keyof typeof statusTable, message: string): Answer {
  return { errorResponse: { errorCode: statusTable[code].number, errorMessage: message } }
}

/** Foreign text in a message: bounded. */
function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
