/**
 * The names of contracts and operations: what is allowed, and what they are called on each wire when nobody says so.
 *
 *     contract  = segment *( "." segment )          acme.orders.v1
 *     segment   = lower *( lower / digit / "_" )    the last one may be a version: v1, v2beta1
 *     operation = alpha *( alpha / digit / "_" )    place, placeOrder, place_order, UnaryCall
 *
 * Both are narrower than any one wire needs, so that a name means the same on all of them without escaping.
 */
import { pascalCase } from '../schema/names.ts'
import { ContractError } from './contract-error.ts'

const segmentGrammar = /^[a-z][a-z0-9_]*$/
const versionGrammar = /^v(?:0|[1-9]\d*)(?:(?:alpha|beta)[1-9]\d*)?$/
const operationGrammar = /^[A-Za-z][A-Za-z0-9_]*$/

/** `shop.Orders`: identifiers of protobuf with dots between. */
const protoNameGrammar = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/

const maximumContractName = 128
const maximumOperationName = 64

/** Names whose meaning to JavaScript a client's member would take away. */
const membersOfEverything: ReadonlySet<string> = new Set([
  'then',
  'toJSON',
  'prototype',
  ...Object.getOwnPropertyNames(Object.prototype),
])

/** Throws unless a contract may have this name. */
export function checkContractName(name: string): void {
  if (typeof name !== 'string' || name === '') {
    throw new ContractError(
      'contract_name',
      `a contract needs a name such as 'acme.orders.v1', got ${JSON.stringify(name) ?? typeof name}`,
    )
  }

  if (name.length > maximumContractName) {
    throw new ContractError(
      'contract_name',
      `contract '${name.slice(0, 40)}…': a name may have ${maximumContractName} characters, this one has ${name.length}`,
    )
  }

  const segments = name.split('.')
  const wrong = segments.find((segment) => !segmentGrammar.test(segment))

  if (wrong !== undefined) {
    throw new ContractError(
      'contract_name',
      `contract '${name}': ${wrong === '' ? 'an empty segment' : `the segment '${wrong}'`} cannot be part of a name: ` +
        `write lower-case letters, digits and '_' that begin with a letter, with dots between${suggestContractName(name)}`,
    )
  }

  const last = segments.at(-1) as string

  if (/^v\d/.test(last) && !versionGrammar.test(last)) {
    throw new ContractError(
      'contract_name',
      `contract '${name}': '${last}' is no version: write v1, v2, or v2beta1`,
    )
  }

  if (segments[0] === 'trunkline') {
    throw new ContractError(
      'contract_name',
      `contract '${name}': names that begin with 'trunkline' are reserved for the contracts every server answers; ` +
        `begin with the name of your organisation: 'acme.${segments.slice(1).join('.') || 'orders'}'`,
    )
  }
}

function suggestContractName(name: string): string {
  const better = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[./\\:]+/)
    .map((segment) => segment.replace(/[^a-z0-9_]+/g, '_').replace(/^[^a-z]+|_+$/g, ''))
    .filter((segment) => segment !== '')
    .join('.')

  return better === '' ? '' : `: '${better}'`
}

/** Throws unless an operation may have this name. */
export function checkOperationName(contract: string, name: string): void {
  if (membersOfEverything.has(name)) {
    throw new ContractError(
      'operation_name',
      `contract '${contract}': an operation cannot be called '${name}', which means something else on every JavaScript ` +
        `object; call it '${name.replaceAll('_', '')}It', and give it its foreign name by grpc:, rest: or topic:`,
    )
  }

  if (!operationGrammar.test(name)) {
    const better = name
      .replace(/^[^A-Za-z]+/, '')
      .replace(/[^A-Za-z0-9_]+(.)?/g, (_, next: string | undefined) => next?.toUpperCase() ?? '')

    throw new ContractError(
      'operation_name',
      `contract '${contract}': '${name}' cannot be an operation's name: write letters, digits and '_', beginning with a ` +
        `letter${better === '' ? ', such as placeOrder' : `: '${better}'`}`,
    )
  }

  if (name.length > maximumOperationName) {
    throw new ContractError(
      'operation_name',
      `contract '${contract}': an operation's name may have ${maximumOperationName} characters, ` +
        `'${name.slice(0, 40)}…' has ${name.length}`,
    )
  }
}

/** The gRPC service of a contract: the last segment that is no version, in the contract's own package. */
export function defaultGrpcService(contract: string): string {
  const segments = contract.split('.')
  const noun = segments.findLast((segment) => !versionGrammar.test(segment)) ?? (segments.at(-1) as string)

  return `${contract}.${pascalCase(noun)}`
}

/** Throws unless `shop.Orders` is a full name on gRPC. */
export function checkProtoName(where: string, name: string): void {
  if (typeof name === 'string' && protoNameGrammar.test(name)) return

  throw new ContractError(
    'operation_name',
    `${where}: ${JSON.stringify(name)} is no name on gRPC: write package.Service with letters, digits and '_', such as 'shop.Orders'`,
  )
}

/** Splits `shop.Orders/PlaceOrder`. */
export function parseGrpcMethod(where: string, path: string): { service: string; method: string } {
  const [service = '', method = '', ...more] = typeof path === 'string' ? path.split('/') : []

  if (more.length > 0 || !protoNameGrammar.test(service) || !operationGrammar.test(method)) {
    throw new ContractError(
      'operation_name',
      `${where}: grpc: ${JSON.stringify(path)} is no method of gRPC: write package.Service/Method, such as 'shop.Orders/PlaceOrder'`,
    )
  }

  return { service, method }
}

/** Throws unless a topic may have this name on every engine (dots become dashes where they must). */
export function checkTopic(where: string, topic: string): void {
  if (typeof topic === 'string' && topic.length <= 200 && /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(topic))
    return

  throw new ContractError(
    'operation_name',
    `${where}: topic: ${JSON.stringify(topic)} cannot be a topic's name: write letters, digits, '_' and '-' with dots between, at most 200 characters`,
  )
}
