/** Imported services as a module of TypeScript that declares their contracts with zod. */
import { defaultGrpcService } from '../../../../contract/names.ts'
import type { CallOperation, Message } from '../../../../contract/operation.ts'
import type { Named } from '../../../../schema/type.ts'
import { componentsOf } from '../components.ts'
import { type ImportedService, needsGrpcName } from '../to-contract.ts'

import { constNames, isTaken } from './const-names.ts'
import { jsonLiteral, key, quoted, textLines, width } from './literal.ts'
import { referencesOf } from './references.ts'
import { type SchemaContext, enumLines, objectLines, rootExpression } from './schema.ts'

/** What a module that was written here begins with: the command line replaces no others. */
const header = '// Written by `trunkline import proto`'

/** The text of a module. `source` is the .proto file; `lockFile` how the module imports its lock. */
export function moduleText(services: readonly ImportedService[], source: string, lockFile: string): string {
  const types: Record<string, Named> = {}
  const valueDocs = new Map<string, ReadonlyMap<string, string>>()
  for (const service of services) {
    Object.assign(types, service.info.types)
    for (const [name, docs] of service.valueDocs) valueDocs.set(name, docs)
  }

  const names = constNames(Object.keys(types))
  const contracts = contractNames(services, new Set(names.values()))
  const constOf = (type: string): string => names.get(type) ?? type
  const none: ReadonlyMap<string, string> = new Map()

  const declarations = componentsOf(Object.keys(types), (name) => referencesOf(types[name] as Named)).flatMap(
    (component) => {
      const first = component[0] as string
      const recursive = component.length > 1 || referencesOf(types[first] as Named).includes(first)
      const together = new Set(recursive ? component : [])

      return component.map((name) => {
        const context: SchemaContext = { constOf, together, valueDocs: valueDocs.get(name) ?? none }
        const type = types[name] as Named
        if (type.kind === 'object') return objectLines(name, type, context)
        if (type.kind === 'enum') return enumLines(name, type, context)
        throw new Error(`no import gives a ${type.kind}`)
      })
    },
  )

  const context: SchemaContext = { constOf, together: new Set(), valueDocs: none }
  const written = services.map((service, index) =>
    contractLines(service, contracts[index] as string, context),
  )
  const streams = services.some(({ info }) =>
    [...info.operations.values()].some(
      (one) => one.kind === 'call' && (one.input?.stream === true || one.output?.stream === true),
    ),
  )
  const calls = services.some(({ info }) => info.operations.size > 0)
  const imports = [...(calls ? ['call'] : []), 'contract', ...(streams ? ['stream'] : [])]

  const sections = [
    [
      `${header} from ${source}: run it again when that changes.`,
      `import { ${imports.join(', ')} } from 'trunkline'`,
      ...(declarations.length === 0 && !written.some((lines) => lines.some((line) => /\bz\./.test(line)))
        ? []
        : ["import * as z from 'zod'"]),
      `import lock from ${quoted(lockFile)} with { type: 'json' }`,
    ],
    ...declarations,
    ...written,
  ]
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** A contract is called as its service, unless a type is called that. */
function contractNames(services: readonly ImportedService[], used: Set<string>): string[] {
  return services.map(({ service: { local } }) => {
    let name = [local, `${local}Service`].find((one) => !used.has(one) && !isTaken(one)) ?? `${local}Contract`
    for (let count = 2; used.has(name); count += 1) name = `${local}Contract${count}`
    used.add(name)
    return name
  })
}

function contractLines(
  { info, service, routes }: ImportedService,
  name: string,
  context: SchemaContext,
): string[] {
  const operations = [...info.operations.values()].filter((one) => one.kind === 'call')
  const members = operations.flatMap((call) => callLines(call, service, routes.get(call.name), context))
  const options = [
    ...(defaultGrpcService(info.name) === service.name ? [] : [`grpc: ${quoted(service.name)}`]),
    'lock',
  ]

  return [
    `export const ${name} = contract(`,
    `  ${quoted(info.name)},`,
    ...(members.length === 0 ? ['  {},'] : ['  {', ...members.map((line) => `    ${line}`), '  },']),
    ...optionLines(info.doc, options),
    ')',
  ]
}

function optionLines(doc: string | undefined, options: readonly string[]): string[] {
  const said = doc === undefined ? [] : [`doc: ${quoted(doc)}`]
  const line = `  { ${[...said, ...options].join(', ')} },`
  if (line.length <= width || doc === undefined) return [line]
  return [
    '  {',
    ...propertyLines('doc', doc, 4).map((one) => `    ${one}`),
    ...options.map((one) => `    ${one},`),
    '  },',
  ]
}

function callLines(
  call: CallOperation,
  service: ImportedService['service'],
  route: { readonly route: string; readonly body?: string } | undefined,
  context: SchemaContext,
): string[] {
  const side = (message: Message): string => {
    const schema = rootExpression(message.schema.root, context)
    return message.stream ? `stream(${schema})` : schema
  }

  const short = [
    ...(call.input === undefined ? [] : [`input: ${side(call.input)}`]),
    ...(call.output === undefined ? [] : [`output: ${side(call.output)}`]),
    ...(route === undefined
      ? []
      : [`rest: ${route.body === undefined ? quoted(route.route) : jsonLiteral({ ...route })}`]),
    ...(call.idempotency === undefined ? [] : [`idempotency: ${quoted(call.idempotency)}`]),
    ...(call.deprecated === true ? ['deprecated: true'] : []),
    ...(needsGrpcName(service, call.name, call.grpc) ? [`grpc: ${quoted(call.grpc)}`] : []),
  ]

  const said = call.doc === undefined ? [] : [`doc: ${quoted(call.doc)}`]
  const line = `${key(call.name)}: call({ ${[...said, ...short].join(', ')} }),`
  if (line.length <= width - 4)
    return [said.length + short.length === 0 ? `${key(call.name)}: call(),` : line]
  return [
    `${key(call.name)}: call({`,
    ...(call.doc === undefined ? [] : propertyLines('doc', call.doc, 6).map((one) => `  ${one}`)),
    ...short.map((one) => `  ${one},`),
    '}),',
  ]
}

function propertyLines(name: string, text: string, indent: number): string[] {
  const lines = textLines(text, indent, name.length + 3)
  if (lines.length === 1) return [`${name}: ${lines[0]},`]
  return [`${name}:`, ...lines.map((line, index) => `  ${line}${index === lines.length - 1 ? ',' : ''}`)]
}
