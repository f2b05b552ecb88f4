/** From a declared call to a `CallOperation`. */
import { pascalCase } from '../schema/names.ts'
import type { CallDeclaration } from './call.ts'
import { ContractError } from './contract-error.ts'
import { parseDuration } from './duration.ts'
import type { Fault } from './fault.ts'
import { parseGrpcMethod } from './names.ts'
import { nearest } from './nearest.ts'
import type { CallOperation, FaultInfo, Idempotency, Streaming } from './operation.ts'
import { checkOptions, checkText, commonOf } from './options.ts'
import { impliedRoute, resolveRoute } from './rest.ts'
import type { Scope } from './scope.ts'
import { isStatusCode, statusFromHttp, statusTable } from './status.ts'
import { isSchema, valueInWords } from './value-in-words.ts'

export function resolveCall(scope: Scope, key: string, declaration: CallDeclaration): CallOperation {
  const { info, read, restPrefix } = scope
  const id = `${info.name}/${key}`
  const written: CallDeclaration['options'] = declaration.options
  checkOptions(id, written, [
    'input',
    'output',
    'faults',
    'rest',
    'scopes',
    'idempotency',
    'timeout',
    'doc',
    'deprecated',
    'grpc',
    'soap',
  ])
  checkOptions(`${id}: soap`, written.soap ?? {}, ['action', 'element'])
  checkIdempotency(id, written.idempotency)
  checkText(`${id}: soap: action`, written.soap?.action)
  checkText(`${id}: soap: element`, written.soap?.element)

  const name = pascalCase(key)
  const input = read(declaration.input, `${name}Request`, `${id} input`)
  const output = read(declaration.output, `${name}Response`, `${id} output`)

  const faults: Record<string, FaultInfo> = {}
  checkFaults(id, declaration.faults)
  for (const [fault, declared] of Object.entries(declaration.faults)) {
    faults[fault] = resolveFault(
      scope,
      `${id} fault ${fault}`,
      fault,
      `${name}${pascalCase(fault)}`,
      declared,
    )
  }

  const routed = { id, input, output, idempotency: written.idempotency }
  const grpc =
    written.grpc === undefined
      ? { service: info.grpcService, method: name }
      : parseGrpcMethod(id, written.grpc)
  const separator = /[/:#]$/.test(info.soapNamespace) ? '' : info.soapNamespace.startsWith('urn:') ? '#' : '/'

  return {
    kind: 'call',
    contract: info,
    name: key,
    id,
    ...commonOf(id, written),
    streaming: streamingOf(input?.stream === true, output?.stream === true),
    input,
    output,
    faults,
    rest:
      written.rest === undefined
        ? impliedRoute(routed, restPrefix)
        : resolveRoute(routed, written.rest, restPrefix),
    idempotency: written.idempotency,
    timeout: written.timeout === undefined ? undefined : parseDuration(written.timeout, `${id}: timeout`),
    grpc: `${grpc.service}/${grpc.method}`,
    soap: {
      action: written.soap?.action ?? `${info.soapNamespace}${separator}${key}`,
      element: written.soap?.element ?? key,
    },
  }
}

function resolveFault(
  scope: Scope,
  where: string,
  name: string,
  message: string,
  declared: Fault,
): FaultInfo {
  if (declared?.kind !== 'fault') {
    throw new ContractError('contract_option', `${where}: declare it with fault(code) or fault(code, schema)`)
  }

  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || name in Object.prototype) {
    throw new ContractError(
      'operation_name',
      `${where}: '${name}' cannot be a fault's name: write letters, digits and '_', such as outOfStock`,
    )
  }

  if (!isStatusCode(declared.code)) throw noStatusCode(where, declared.code)

  checkOptions(where, declared.options, ['http', 'doc'])
  const { http, doc } = declared.options

  if (http !== undefined && (!Number.isInteger(http) || http < 400 || http > 599)) {
    throw new ContractError('contract_option', `${where}: http: ${http} is no error: write 400 to 599`)
  }

  if (isOptions(declared.detail)) {
    throw new ContractError(
      'contract_option',
      `${where}: options come after the detail: write fault('${declared.code}', undefined, { … })`,
    )
  }
  const detail = scope.read(declared.detail, message, where)

  if (detail?.stream === true) {
    throw new ContractError(
      'contract_option',
      `${where}: a fault ends the call, so its detail cannot be a stream`,
    )
  }

  return { name, code: declared.code, detail, http, ...(doc === undefined ? {} : { doc }) }
}

function checkFaults(id: string, faults: unknown): void {
  if (typeof faults === 'object' && faults !== null && !Array.isArray(faults) && !isSchema(faults)) return

  throw new ContractError(
    'contract_option',
    `${id}: faults: expected an object such as { notThere: fault('not_found') }, got ${valueInWords(faults)}`,
  )
}

/** Says which code was meant: by its spelling, or by the HTTP status that somebody wrote instead. */
function noStatusCode(where: string, code: unknown): ContractError {
  const codes = Object.keys(statusTable)
  const near = typeof code === 'string' ? nearest(code, codes) : undefined
  const meant = near ?? (typeof code === 'number' && code >= 400 ? statusFromHttp(code) : undefined)
  const wrong =
    code === undefined
      ? "fault() takes a status code, as in fault('not_found')"
      : `${valueInWords(code)} is no status code`
  const advice = meant === undefined ? `write one of ${codes.join(', ')}` : `did you mean fault('${meant}')?`

  return new ContractError('contract_option', `${where}: ${wrong}: ${advice}`)
}

/** Whether somebody left out the detail, and not its place. */
function isOptions(detail: unknown): boolean {
  if (typeof detail !== 'object' || detail === null || isSchema(detail)) return false
  const names = Object.keys(detail)
  return names.length > 0 && names.every((name) => name === 'http' || name === 'doc')
}

function checkIdempotency(id: string, idempotency: Idempotency | undefined): void {
  if (idempotency === undefined || ['safe', 'idempotent', 'keyed'].includes(idempotency)) return

  throw new ContractError(
    'contract_option',
    `${id}: idempotency: ${JSON.stringify(idempotency)}: write 'safe', 'idempotent' or 'keyed'`,
  )
}

/** Two booleans as a word. */
export function streamingOf(input: boolean, output: boolean): Streaming {
  if (input) return output ? 'bidirectional' : 'client_streaming'
  return output ? 'server_streaming' : 'unary'
}
