/** The schema of problem+json as it is written in problem.ts. */
import type { JsonSchema } from '../../codec/json/json-schema.ts'
import { statusTable } from '../../contract/status.ts'

export const problemSchema: JsonSchema = {
  type: 'object',
  description: 'An error (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What happened, for people.' },
    code: {
      type: 'string',
      description: 'The status code of gRPC that stands for it.',
      enum: Object.keys(statusTable),
    },
    fault: {
      type: 'object',
      description: 'The declared fault that it is.',
      required: ['name'],
      properties: { name: { type: 'string' }, detail: {} },
    },
    errors: {
      type: 'array',
      description: 'What is wrong with the input, field by field.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
    retryAfter: { type: 'number', description: 'Milliseconds to wait before another try.', minimum: 0 },
    processed: { const: 'no', description: 'No handler saw the request; it may be repeated.' },
  },
}
