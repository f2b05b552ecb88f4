/** The page for people: the OpenAPI document as HTML, without a script or a request to anywhere. */
import { createHash } from 'node:crypto'
import type { JsonSchema } from '../../codec/json/json-schema.ts'
import type { OpenApiDocument, OpenApiOperation } from './openapi.ts'

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 5.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
.gone { text-decoration: line-through; }
`

/** Header fields of the page: nothing is loaded, nothing runs, nobody may frame it. */
export function docsHeaders(): string[] {
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  return [
    'content-type',
    'text/html; charset=utf-8',
    'content-security-policy',
    policy,
    'x-content-type-options',
    'nosniff',
    'referrer-policy',
    'no-referrer',
  ]
}

/** @param openapi where the document itself is, if anywhere */
export function docsHtml(document: OpenApiDocument, openapi: string | undefined): string {
  const { info, paths, components } = document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${text(info.title)} <small>${text(info.version)}</small></h1>
${info.description === undefined ? '' : `<p>${text(info.description)}</p>`}
${openapi === undefined ? '' : `<p><a href="${text(openapi)}">OpenAPI document</a></p>`}
<h2>Operations</h2>
${operations.map((each) => operationHtml(each.method, each.path, each.operation)).join('\n')}
<h2>Types</h2>
${Object.entries(components.schemas).map(typeHtml).join('\n')}
</body>
</html>
`
}

function operationHtml(method: string, path: string, operation: OpenApiOperation): string {
  const { operationId, summary, description, deprecated, parameters = [], requestBody, responses } = operation
  const about = description ?? summary
  return `<details id="${text(operationId)}">
<summary><b>${method}</b><code${deprecated === true ? ' class="gone"' : ''}>${text(path)}</code> ${text(summary ?? operationId)}</summary>
${deprecated === true ? '<p><b>Deprecated.</b></p>' : ''}
${about === undefined ? '' : `<p>${text(about)}</p>`}
${parameters.length === 0 ? '' : table(['Parameter', 'In', 'Type', ''], parameters.map(parameterRow))}
${requestBody === undefined ? '' : `<h3>Body</h3>${contents(requestBody.content)}`}
<h3>Answers</h3>
${table(
  ['Status', '', 'Body'],
  Object.entries(responses).map(([status, response]) => [
    text(status),
    text(response.description),
    contents(response.content ?? {}),
  ]),
)}
<h3>Try it</h3>
<pre>${text(curl(method, path, operation))}</pre>
</details>`
}

function parameterRow(parameter: NonNullable<OpenApiOperation['parameters']>[number]): string[] {
  const { name, in: place, required, description, schema } = parameter
  const note = [required ? 'required' : '', description ?? ''].filter(Boolean).join('; ')
  return [`<code>${text(name)}</code>`, place, typeOf(schema), text(note)]
}

function typeHtml([name, schema]: [string, JsonSchema]): string {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>
  const required = new Set((schema['required'] ?? []) as string[])
  const rows = Object.entries(properties).map(([property, of]) => [
    `<code>${text(property)}</code>`,
    typeOf(of),
    text(
      [required.has(property) ? 'required' : '', String(of['description'] ?? '')].filter(Boolean).join('; '),
    ),
  ])
  const body = rows.length === 0 ? `<p>${typeOf(schema)}</p>` : table(['Field', 'Type', ''], rows)
  const about = schema['description'] === undefined ? '' : `<p>${text(String(schema['description']))}</p>`
  return `<details id="type-${text(name)}"><summary><code>${text(name)}</code></summary>${about}${body}</details>`
}

function contents(content: Readonly<Record<string, { readonly schema: JsonSchema }>>): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<div><code>${text(type)}</code> ${typeOf(schema)}</div>`)
    .join('')
}

/** A schema in a few words. */
function typeOf(schema: JsonSchema): string {
  const reference = schema['$ref']
  if (typeof reference === 'string') {
    const name = reference.slice(reference.lastIndexOf('/') + 1)
    return `<a href="#type-${text(name)}">${text(name)}</a>`
  }

  const data = (schema['items'] as { properties?: { data?: JsonSchema } } | undefined)?.properties?.data
  if (data !== undefined) return `events of ${typeOf(data['contentSchema'] as JsonSchema)}`
  const either = (schema['oneOf'] ?? schema['anyOf']) as JsonSchema[] | undefined
  if (either !== undefined) return either.map(typeOf).join(' or ')
  if (schema['allOf'] !== undefined) return text(String(schema['title'] ?? 'all of several'))
  if (schema['const'] !== undefined) return `<code>${text(JSON.stringify(schema['const']))}</code>`
  if (schema['enum'] !== undefined) {
    return (schema['enum'] as unknown[])
      .map((value) => `<code>${text(JSON.stringify(value))}</code>`)
      .join(' ')
  }
  if (schema['items'] !== undefined) return `list of ${typeOf(schema['items'] as JsonSchema)}`
  const values = schema['additionalProperties']
  if (typeof values === 'object') return `map of ${typeOf(values as JsonSchema)}`

  const type = Array.isArray(schema['type'])
    ? schema['type'].join(' or ')
    : String(schema['type'] ?? 'any JSON')
  const format = schema['format'] ?? schema['contentEncoding']
  return text(format === undefined ? type : `${type} (${String(format)})`)
}

function curl(method: string, path: string, { requestBody, responses }: OpenApiOperation): string {
  const parts = ['curl']
  if (method !== 'GET') parts.push('-X', method)
  const [type] = Object.keys(requestBody?.content ?? {})
  if (type !== undefined) {
    parts.push('-H', `'content-type: ${type}'`, type.endsWith('ndjson') ? '-T messages.ndjson' : "-d '{…}'")
  }
  if (Object.values(responses).some(({ content }) => content?.['text/event-stream'] !== undefined))
    parts.push('-N')
  return [...parts, `"$BASE${path}"`].join(' ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')
  return `<table><tr>${cells('th', head)}</tr>${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</table>`
}

/** What may stand as text or in a quoted attribute. */
function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
