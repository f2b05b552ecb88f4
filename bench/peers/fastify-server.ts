// fastify 5 with schemas both ways: validation by Ajv, output by fast-json-stringify; no logger.

import fastify from 'fastify'
import { serveBench } from '../harness/server-process.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'sku', 'quantity', 'price', 'note', 'tags'],
  properties: {
    id: { type: 'string' },
    sku: { type: 'string' },
    quantity: { type: 'integer' },
    price: { type: 'number' },
    note: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
  },
} as const

const app = fastify()
app.post('/echo', { schema: { body: schema, response: { 200: schema } } }, async (request) => request.body)

const url = await app.listen({ port: 0, host: '127.0.0.1' })
serveBench({ url: `${url}/echo` })
