/** OpenAPI 3.1 of contracts: pure, from what contracts resolve to. */
import {
  type JsonSchema,
  type JsonSchemaOptions,
  fieldSchema,
  namedSchema,
  objectSchema,
  slotSchema,
} from '../../codec/json/json-schema.ts'
import type { CallOperation, ContractInfo, FaultInfo, Message } from '../../contract/operation.ts'
import { statusTable } from '../../contract/status.ts'
import { jsonName } from '../../schema/names.ts'
import type { Field } from '../../schema/type.ts'
import { objectOf } from './input.ts'
import { ndjsonTypes } from './ndjson.ts'
import { problemSchema } from './problem-schema.ts'
import { problemType } from './problem.ts'
import { sseType } from './sse.ts'
import { supports } from './supports.ts'

/** What an OpenAPI document says of the service besides its contracts. */
export interface OpenApiOptions {
  /** Default: the contracts' names. */
  readonly title?: string
  /** Default: the version in the contract's name, or `1`. */
  readonly version?: string
  /** Default: the contracts' own. */
  readonly description?: string
  /** Base URLs. Default: where the document was read from. */
  readonly servers?: readonly string[]
}

/** An OpenAPI 3.1 document as plain JSON. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
  readonly security: readonly []
}

/** One operation of a document. */
export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly deprecated?: true
  readonly parameters?: readonly OpenApiParameter[]
  readonly requestBody?: {
    readonly required: boolean
    readonly description?: string
    readonly content: OpenApiContent
  }
  readonly responses: Readonly<Record<string, OpenApiResponse>>
}

/** One parameter of an operation. */
export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly deprecated?: true
  readonly schema: JsonSchema
}

/** One answer of an operation. */
export interface OpenApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema: JsonSchema }>>
  readonly content?: OpenApiContent
}

/** Schemas by media type. */
export type OpenApiContent = Readonly<Record<string, { readonly schema: JsonSchema }>>

/**
 * The OpenAPI 3.1 document of contracts: every call that REST carries, its parameters and bodies, each declared fault,
 * and all named types.
 *
 * @param contracts What `contractInfo` returns, or `server.contracts`.
 * @param options See `OpenApiOptions`.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo } from 'trunkline'
 * import { exportOpenApi } from 'trunkline/wires'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'POST /ping' }) })
 * const document = exportOpenApi([contractInfo(Ping)])
 * console.log(Object.keys(document.paths)) // [ '/ping' ]
 * ```
 */
export function exportOpenApi(
  contracts: readonly ContractInfo[],
  options: OpenApiOptions = {},
): OpenApiDocument {
  const nameOf = componentNames(contracts)
  const schemas: Record<string, JsonSchema> = { Problem: problemSchema }
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const idOf = operationIds(contracts)

  for (const contract of contracts) {
    const refer = (name: string) => `#/components/schemas/${nameOf(contract, name)}`
    const using: JsonSchemaOptions = { types: contract.types, refer }

    for (const operation of callsOf(contract)) {
      const { method, path } = operation.rest
      const described = describeOperation(operation, idOf(operation), using)
      paths[path] = { ...paths[path], [method.toLowerCase()]: described }
    }
    for (const name of reachable(contract)) {
      const named = contract.types[name]
      if (named !== undefined) schemas[nameOf(contract, name)] = namedSchema(named, using)
    }
  }

  const description =
    options.description ??
    contracts
      .map(({ doc }) => doc ?? '')
      .filter(Boolean)
      .join('\n\n')
  return {
    openapi: '3.1.0',
    info: {
      title: options.title ?? contracts.map(({ name }) => name).join(', '),
      version: options.version ?? versionOf(contracts),
      ...(description === '' ? {} : { description }),
    },
    servers: (options.servers ?? ['/']).map((url) => ({ url })),
    tags: contracts.map(({ name, doc }) => ({ name, ...(doc === undefined ? {} : { description: doc }) })),
    paths,
    components: { schemas },
    security: [],
  }
}

function callsOf(contract: ContractInfo): CallOperation[] {
  return [...contract.operations.values()].filter(
    (operation): operation is CallOperation => operation.kind === 'call' && supports(operation) === true,
  )
}

/** `acme.orders.v2` → `2` */
function versionOf(contracts: readonly ContractInfo[]): string {
  const [first] = contracts
  return (contracts.length === 1 && /\.v(\d\w*)$/.exec(first?.name ?? '')?.[1]) || '1'
}

/** Two contracts may use one name for different types; then it gets the contract's name before it. */
function componentNames(
  contracts: readonly ContractInfo[],
): (contract: ContractInfo, name: string) => string {
  const users = new Map<string, Set<ContractInfo>>([['Problem', new Set()]])
  for (const contract of contracts) {
    for (const name of reachable(contract)) users.set(name, (users.get(name) ?? new Set()).add(contract))
  }

  return (contract, name) => {
    const plain = name !== 'Problem' && (users.get(name)?.size ?? 0) < 2
    return (plain ? name : `${contract.name}.${name}`).replace(/[^A-Za-z0-9._-]/g, '_')
  }
}

/** `place`, or, where two contracts have one, `acme_orders_v1_place`. */
function operationIds(contracts: readonly ContractInfo[]): (operation: CallOperation) => string {
  const counts = new Map<string, number>()
  for (const { name } of contracts.flatMap(callsOf)) counts.set(name, (counts.get(name) ?? 0) + 1)
  return ({ name, id }) => (counts.get(name) === 1 ? name : id.replace(/[^A-Za-z0-9]/g, '_'))
}

/** The named types that calls over REST use, with all that they use. */
function reachable(contract: ContractInfo): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { kind, to } = value as { kind?: unknown; to?: unknown }
    if (typeof to === 'string' && (kind === 'ref' || kind === undefined) && !names.has(to)) {
      names.add(to)
      visit(contract.types[to])
    }
    for (const part of Object.values(value)) visit(part)
  }

  for (const { input, output, faults } of callsOf(contract)) {
    const details = Object.values(faults).map(({ detail }) => detail)
    for (const message of [input, output, ...details]) if (message !== undefined) visit(message.schema.root)
  }
  return names
}

function describeOperation(
  operation: CallOperation,
  operationId: string,
  using: JsonSchemaOptions,
): OpenApiOperation {
  const { contract, doc, deprecated, input } = operation
  const parameters = parametersOf(operation, using)
  const [summary, ...more] = doc === undefined ? [] : doc.split(/(?<=\.)\s+/)

  return {
    operationId,
    tags: [contract.name],
    ...(summary === undefined ? {} : { summary }),
    ...(more.length === 0 ? {} : { description: doc }),
    ...(deprecated === true ? { deprecated } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(input === undefined ? {} : { requestBody: bodyOf(operation, input, using) }),
    responses: responsesOf(operation, using),
  }
}

function parametersOf(
  { input, rest, idempotency }: CallOperation,
  using: JsonSchemaOptions,
): OpenApiParameter[] {
  const fields = input === undefined || input.stream ? [] : (objectOf(input)?.fields ?? [])
  const parameter = (name: string, place: OpenApiParameter['in'], header?: string): OpenApiParameter => {
    const field = fields.find((candidate) => candidate.name === name) as Field
    const { description, deprecated, ...schema } = fieldSchema(field, using)
    return {
      name: header ?? (place === 'path' ? name : jsonName(field)),
      in: place,
      required: place === 'path' || isRequired(field),
      ...(typeof description === 'string' ? { description } : {}),
      ...(deprecated === true ? { deprecated } : {}),
      schema,
    }
  }

  const parameters = [
    ...rest.parameters.map((name) => parameter(name, 'path')),
    ...rest.query.map((name) => parameter(name, 'query')),
    ...Object.entries(rest.headers).map(([name, header]) => parameter(name, 'header', header)),
  ]
  if (idempotency === 'keyed' && !Object.values(rest.headers).includes('idempotency-key')) {
    parameters.push({
      name: 'idempotency-key',
      in: 'header',
      required: false,
      description: 'A text of the caller’s choice that stays the same when the request is repeated.',
      schema: { type: 'string' },
    })
  }
  return parameters
}

/** Whether a sender must say it: a list outside of a body may be empty, and is then not there. */
function isRequired(field: Field): boolean {
  return field.optional !== true && field.default === undefined && field.type.kind !== 'list'
}

function bodyOf(
  { rest }: CallOperation,
  input: Message,
  using: JsonSchemaOptions,
): OpenApiOperation['requestBody'] {
  if (input.stream) {
    const content = { [ndjsonTypes[0]]: { schema: ndjsonSchema(input, using) } }
    return { required: false, description: 'A stream: one JSON message a line; empty for none.', content }
  }

  const object = objectOf(input)
  if (object === undefined) return jsonBody(true, slotSchema(input.schema.root, using))

  const whole = object.fields.find(({ name }) => name === rest.body)
  if (whole !== undefined) return jsonBody(isRequired(whole), fieldSchema(whole, using))

  const placed = new Set([...rest.parameters, ...rest.query, ...Object.keys(rest.headers)])
  const left = object.fields.filter(({ name }) => !placed.has(name))
  if (left.length === 0 && placed.size > 0) return undefined

  const needed = left.some((field) => field.optional !== true && field.default === undefined)
  return jsonBody(
    needed,
    placed.size === 0 ? slotSchema(input.schema.root, using) : objectSchema(object, left, using),
  )
}

function jsonBody(required: boolean, schema: JsonSchema): OpenApiOperation['requestBody'] {
  return { required, content: { 'application/json': { schema } } }
}

/** The content of a sequential media type as the list of its messages, which is how OpenAPI 3.2 understands it. */
function ndjsonSchema(message: Message, using: JsonSchemaOptions): JsonSchema {
  return { type: 'array', items: slotSchema(message.schema.root, using) }
}

/** Server-sent events as the list of their events. */
function sseSchema(message: Message, using: JsonSchemaOptions): JsonSchema {
  const contentSchema = slotSchema(message.schema.root, using)
  return {
    type: 'array',
    items: {
      type: 'object',
      required: ['data'],
      properties: {
        event: { type: 'string', enum: ['message', 'problem', 'end'], default: 'message' },
        data: { type: 'string', contentMediaType: 'application/json', contentSchema },
      },
    },
  }
}

function responsesOf(operation: CallOperation, using: JsonSchemaOptions): Record<string, OpenApiResponse> {
  const { rest, faults, input } = operation
  const responses: Record<string, OpenApiResponse> = { [rest.status]: successOf(operation, using) }
  const byStatus = new Map<number, FaultInfo[]>()

  for (const fault of Object.values(faults)) {
    const status = fault.http ?? statusTable[fault.code].http
    byStatus.set(status, [...(byStatus.get(status) ?? []), fault])
  }
  if (input !== undefined && !byStatus.has(400)) {
    responses['400'] = problemResponse('The input does not fit.', problemReference)
  }
  for (const [status, group] of byStatus) {
    const description = group.map(({ name, doc }) => `${name}: ${doc ?? 'declared fault'}`).join(' ')
    const schemas = group.map((fault) => faultSchema(fault, using))
    responses[status] = problemResponse(description, { anyOf: [...schemas, problemReference] })
  }

  responses['default'] = problemResponse('Any other error.', problemReference)
  return responses
}

const problemReference: JsonSchema = { $ref: '#/components/schemas/Problem' }

function problemResponse(description: string, schema: JsonSchema): OpenApiResponse {
  return { description, content: { [problemType]: { schema } } }
}

function faultSchema({ name, code, detail }: FaultInfo, using: JsonSchemaOptions): JsonSchema {
  const fault: JsonSchema = {
    type: 'object',
    properties: {
      name: { const: name },
      ...(detail === undefined ? {} : { detail: slotSchema(detail.schema.root, using) }),
    },
    required: detail === undefined ? ['name'] : ['name', 'detail'],
  }
  return {
    title: name,
    allOf: [
      problemReference,
      { type: 'object', properties: { code: { const: code }, fault }, required: ['code', 'fault'] },
    ],
  }
}

function successOf({ output, rest, streaming }: CallOperation, using: JsonSchemaOptions): OpenApiResponse {
  const headers =
    rest.location === undefined
      ? {}
      : {
          headers: {
            Location: {
              description: `Where it is now: ${rest.location}`,
              schema: { type: 'string', format: 'uri-reference' },
            },
          },
        }

  if (output === undefined) return { description: 'Done; there is no body.', ...headers }
  if (!output.stream) {
    const schema = slotSchema(output.schema.root, using)
    return { description: 'The answer.', ...headers, content: { 'application/json': { schema } } }
  }

  const description =
    'A stream. NDJSON has one message a line, and ends with {"$problem": …} if it failed; server-sent events have ' +
    'one message in the data of each event, and end with an event "end", or "problem" if it failed.' +
    (streaming === 'bidirectional' ? ' It may begin before the request has ended.' : '')
  const content = {
    [ndjsonTypes[0]]: { schema: ndjsonSchema(output, using) },
    [sseType]: { schema: sseSchema(output, using) },
  }
  return { description, content }
}
