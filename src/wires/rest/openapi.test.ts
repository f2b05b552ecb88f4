import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { fault } from '../../contract/fault.ts'
import { stream } from '../../contract/stream.ts'
import { docsHeaders, docsHtml } from './docs-page.ts'
import { exportOpenApi } from './openapi.ts'

const Order = z
  .object({
    id: z.string().max(64),
    status: z.enum(['open', 'paid']).meta({ id: 'Status' }),
    total: z.int64().min(0n),
    note: z.string().nullable().optional().describe('For <people> & "machines".'),
    bytes: z.instanceof(Uint8Array),
    weights: z.record(z.string(), z.number().min(0)),
    get parts() {
      return z.array(Order)
    },
  })
  .meta({ id: 'Order', description: 'An order.' })

const Shop = contract('acme.shop.v2', {
  place: call({
    doc: 'Places an order. It is paid later.',
    input: Order.omit({ id: true, parts: true }).meta({ id: 'NewOrder' }),
    output: Order,
    faults: {
      outOfStock: fault('failed_precondition', z.object({ left: z.int32() }).meta({ id: 'Left' }), {
        http: 409,
        doc: 'There are too few.',
      }),
      closed: fault('aborted'),
    },
    rest: { route: 'POST /orders', status: 201, location: '/orders/{id}' },
    idempotency: 'keyed',
  }),
  replace: call({
    input: z.strictObject({
      id: z.string(),
      dry: z.boolean().default(false),
      tenant: z.string().optional(),
      name: z.string(),
    }),
    rest: { route: 'PUT /orders/{id}', query: ['dry'], headers: { tenant: 'X-Tenant' } },
  }),
  find: call({
    input: z.object({ tags: z.array(z.string()), limit: z.int32().max(50) }),
    output: z.array(Order),
    rest: 'GET /orders',
    deprecated: true,
  }),
  chat: call({ input: stream(Order), output: stream(z.object({ text: z.string() }).meta({ id: 'Line' })) }),
  ping: call({}),
})

const document = exportOpenApi([contractInfo(Shop)], { servers: ['https://api.acme.example'] })
const { paths, components } = document

suite('OpenAPI', () => {
  test('says what it is about', () => {
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(document.info, { title: 'acme.shop.v2', version: '2' })
    assert.deepEqual(document.servers, [{ url: 'https://api.acme.example' }])
    assert.deepEqual(Object.keys(paths), [
      '/orders',
      '/orders/{id}',
      '/acme.shop.v2/chat',
      '/acme.shop.v2/ping',
    ])
  })

  test('has bodies, Location and every declared fault with its detail', () => {
    const place = paths['/orders']?.['post']
    assert.equal(place?.operationId, 'place')
    assert.equal(place.summary, 'Places an order.')
    assert.deepEqual(place.requestBody, {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/NewOrder' } } },
    })
    assert.deepEqual(Object.keys(place.responses).sort(), ['201', '400', '409', 'default'])
    assert.ok(place.responses['201']?.headers?.['Location'])
    assert.match(
      JSON.stringify(place.responses['409']),
      /"detail":\{"\$ref":"#\/components\/schemas\/Left"\}/,
    )
    assert.match(
      place.responses['409']?.description ?? '',
      /outOfStock: There are too few\. closed: declared fault/,
    )
    assert.deepEqual(
      place.parameters?.map(({ name }) => name),
      ['idempotency-key'],
    )
  })

  test('has parameters where they travel, and a body of what is left', () => {
    const replace = paths['/orders/{id}']?.['put']
    assert.deepEqual(replace?.parameters, [
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'dry', in: 'query', required: false, schema: { type: 'boolean', default: false } },
      { name: 'x-tenant', in: 'header', required: false, schema: { type: 'string' } },
    ])
    assert.deepEqual(replace?.requestBody?.content['application/json']?.schema, {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    })
    assert.deepEqual(replace?.responses['204'], { description: 'Done; there is no body.' })

    const find = paths['/orders']?.['get']
    assert.equal(find?.deprecated, true)
    assert.deepEqual(
      find.parameters?.map(({ name, required }) => [name, required]),
      [
        ['tags', false],
        ['limit', true],
      ],
    )
  })

  test('has streams as the list of their messages, in both media types', () => {
    const chat = paths['/acme.shop.v2/chat']?.['post']
    const items = { $ref: '#/components/schemas/Line' }
    assert.deepEqual(chat?.requestBody?.content, {
      'application/x-ndjson': { schema: { type: 'array', items: { $ref: '#/components/schemas/Order' } } },
    })
    const content = chat?.responses['200']?.content ?? {}
    assert.deepEqual(Object.keys(content), ['application/x-ndjson', 'text/event-stream'])
    assert.deepEqual(content['application/x-ndjson'], { schema: { type: 'array', items } })
  })

  test('has the named types, recursion included', () => {
    const order = components.schemas['Order'] as { properties: Record<string, unknown>; required: string[] }
    assert.deepEqual(order.properties['parts'], {
      type: 'array',
      items: { $ref: '#/components/schemas/Order' },
    })
    assert.deepEqual(order.properties['status'], { $ref: '#/components/schemas/Status' })
    assert.deepEqual(components.schemas['Status'], { type: 'string', enum: ['open', 'paid'] })
    assert.deepEqual((order.properties['note'] as { type: unknown }).type, ['string', 'null'])
    assert.deepEqual(order.required, ['id', 'status', 'total', 'bytes', 'weights', 'parts'])

    const total = order.properties['total'] as { type: unknown; pattern: string; minimum: number }
    assert.deepEqual([total.type, total.minimum], [['string', 'integer'], 0])
    assert.match('9223372036854775807', new RegExp(total.pattern))
    assert.doesNotMatch('-1', new RegExp(total.pattern))
  })

  test('every reference points to something', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
    assert.ok(references.length > 5)
    for (const [, name] of references) assert.ok(components.schemas[name ?? ''], String(name))
  })

  test('keeps types of one name apart, and operations too, where contracts differ', () => {
    const other = contract('acme.other.v1', {
      place: call({ input: z.object({ other: z.string() }).meta({ id: 'NewOrder' }), rest: 'POST /others' }),
    })
    const both = exportOpenApi([contractInfo(Shop), contractInfo(other)])
    assert.ok(both.components.schemas['acme.shop.v2.NewOrder'])
    assert.ok(both.components.schemas['acme.other.v1.NewOrder'])
    assert.equal(both.paths['/others']?.['post']?.operationId, 'acme_other_v1_place')
    assert.equal(both.paths['/orders/{id}']?.['put']?.operationId, 'replace')
  })
})

suite('the page for people', () => {
  const html = docsHtml(document, '/openapi.json')

  test('loads nothing, runs nothing, and escapes what others wrote', () => {
    assert.doesNotMatch(html, /<script|<img|<link|https?:\/\/(?!api\.acme)|\son\w+=|style="/)
    assert.match(html, /For &lt;people&gt; &amp; &quot;machines&quot;\./)
    const policy = docsHeaders()[3]
    assert.match(policy ?? '', /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}';/)
  })

  test('has every operation, with a line to try it', () => {
    for (const path of Object.keys(paths))
      assert.ok(html.includes(`<code>${path}</code>`) || html.includes(path), path)
    assert.match(
      html,
      /curl -X POST -H &#39;content-type: application\/json&#39; -d &#39;\{…\}&#39; &quot;\$BASE\/orders&quot;/,
    )
  })
})
