import assert from 'node:assert/strict'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import zlib from 'node:zlib'
import * as z from 'zod'
import { connect } from '../../client/connect.ts'
import { CallError } from '../../call/error.ts'
import { call } from '../../contract/call.ts'
import { contract } from '../../contract/contract.ts'
import { fault } from '../../contract/fault.ts'
import { stream } from '../../contract/stream.ts'
import type { Limits } from '../../call/limits.ts'
import { implement } from '../../server/implement.ts'
import { serve } from '../../server/serve.ts'
import { rest } from './index.ts'

const Book = z.object({ title: z.string(), year: z.int32() })

const Library = contract('acme.library.v1', {
  get: call({
    input: z.object({ isbn: z.string(), full: z.boolean().optional(), tenant: z.string() }),
    output: Book,
    faults: { lent: fault('failed_precondition', z.object({ until: z.date() }), { http: 409 }) },
    rest: { route: 'GET /books/{isbn}', headers: { tenant: 'X-Tenant' } },
  }),
  add: call({ input: Book, output: Book, rest: 'POST /books' }),
  drop: call({ input: z.object({ isbn: z.string() }), rest: 'DELETE /books/{isbn}' }),
  list: call({ output: stream(Book), rest: 'GET /books' }),
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A foreign server, and a client of it. */
async function foreign(answer: Answer, limits: Partial<Limits> = {}) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = connect(Library, `http://127.0.0.1:${port}/api/v2/`, {
    limits,
    wires: [rest({ compression: true })],
  })

  return {
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const query = { isbn: '1/2', tenant: 'acme' }
const book = { title: 'Emma', year: 1815 }

async function caught(run: Promise<unknown>): Promise<CallError> {
  const error: unknown = await run.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.origin, 'downstream')
  return error
}

suite('REST client', () => {
  test('sends fields where the route says, with what every request has', async () => {
    let seen: IncomingMessage | undefined
    await using peer = await foreign((request, response) => {
      seen = request
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.setHeader('x-answer', '42')
      response.end(JSON.stringify(book))
    })

    const heads: unknown[] = []
    const got = await peer.client.get(
      { ...query, full: true },
      {
        timeout: '2s',
        metadata: { 'x-request-id': 'r1', 'x-key-bin': Uint8Array.of(251, 255) },
        idempotencyKey: 'k1',
        onReply: ({ metadata }) => heads.push(metadata.get('x-answer')),
      },
    )

    assert.deepEqual(got, book)
    assert.deepEqual(heads, ['42'])
    assert.equal(seen?.url, '/api/v2/books/1%2F2?full=true')
    const { headers } = seen
    assert.equal(headers['x-tenant'], 'acme')
    assert.equal(headers['x-request-id'], 'r1')
    assert.equal(headers['x-key-bin'], '+/8')
    assert.equal(headers['idempotency-key'], 'k1')
    assert.match(String(headers['trunkline-timeout']), /^\d{1,4}ms$/)
    assert.equal(headers['accept'], 'application/json, application/problem+json')
    assert.equal(headers['accept-encoding'], 'zstd, br, gzip')
  })

  test('reads compressed answers, and answers without a body where none is expected', async () => {
    await using peer = await foreign((request, response) => {
      if (request.method === 'DELETE') {
        response.statusCode = 204
        response.end()
        return
      }
      response.setHeader('content-type', 'application/json')
      response.setHeader('content-encoding', 'gzip')
      response.end(zlib.gzipSync(JSON.stringify(book)))
    })
    assert.deepEqual(await peer.client.get(query), book)
    assert.equal(await peer.client.drop({ isbn: '1' }), undefined)
  })

  test('understands our problems with their faults', async () => {
    await using peer = await foreign((_, response) => {
      response.writeHead(409, {
        'content-type': 'application/problem+json',
        'retry-after': '3',
        'x-more': 'yes',
      })
      response.end(
        JSON.stringify({
          status: 409,
          detail: 'lent',
          code: 'failed_precondition',
          fault: { name: 'lent', detail: { until: '2027-01-01T00:00:00.000Z' } },
          processed: 'no',
        }),
      )
    })
    const error = await caught(peer.client.get(query))
    assert.equal(error.code, 'failed_precondition')
    assert.equal(error.http, 409)
    assert.deepEqual(error.fault, { name: 'lent', detail: { until: new Date('2027-01-01') } })
    assert.deepEqual([error.retryAfter, error.processed, error.metadata.get('x-more')], [3000, 'no', 'yes'])
  })

  test('makes the best of foreign errors', async () => {
    const cases: [number, string, string, string, RegExp][] = [
      [404, 'application/json', '{"message":"no such book"}', 'not_found', /^no such book$/],
      [401, 'application/json', '{"error":{"message":"token?"}}', 'unauthenticated', /^token\?$/],
      [422, 'application/problem+json', '{"title":"Bad","detail":"year"}', 'invalid_argument', /^year$/],
      [503, 'text/html', '<h1>down</h1>', 'unavailable', /answered 503: <h1>down/],
      [502, 'text/plain', '', 'unavailable', /answered 502 without a body/],
      [500, 'application/json', `{"message":"${'x'.repeat(9000)}"}`, 'internal', /^x{500}…$/],
      [302, 'text/plain', 'over there', 'unknown', /answered 302: over there/],
    ]
    for (const [status, type, body, code, message] of cases) {
      await using peer = await foreign((_, response) => {
        response.writeHead(status, { 'content-type': type })
        response.end(body)
      })
      const error = await caught(peer.client.add(book))
      assert.equal(error.code, code)
      assert.match(error.message, message)
    }
  })

  test('says what came instead of what the contract promises', async () => {
    const cases: [string | undefined, string, RegExp][] = [
      [
        'text/html',
        '<html>',
        /expected application\/json, but the server answered content type 'text\/html'/,
      ],
      [undefined, '{}', /answered no content type/],
      ['application/json', '', /answered 200 without a body/],
      [
        'application/json',
        '{"title":"Emma"}',
        /does not fit the contract: year: expected .*integer.*, got nothing/,
      ],
      ['application/json', '{"title":', /not valid JSON at byte 9/],
    ]
    for (const [type, body, message] of cases) {
      await using peer = await foreign((_, response) => {
        response.writeHead(200, type === undefined ? {} : { 'content-type': type })
        response.end(body)
      })
      const error = await caught(peer.client.add(book))
      assert.equal(error.code, 'internal')
      assert.match(error.message, message)
    }
  })

  test('refuses answers that are too large, announced or not, before and after decompression', async () => {
    const large = JSON.stringify({ ...book, title: 'x'.repeat(5000) })
    const ways: Answer[] = [
      (_, response) => response.end(large),
      (_, response) => {
        response.write(large)
        response.end()
      },
      (_, response) => {
        response.setHeader('content-encoding', 'gzip')
        response.end(zlib.gzipSync(large))
      },
    ]
    for (const way of ways) {
      await using peer = await foreign(
        (request, response, body) => {
          response.setHeader('content-type', 'application/json')
          way(request, response, body)
        },
        { messageSize: 1000 },
      )
      assert.equal((await caught(peer.client.add(book))).code, 'resource_exhausted')
    }
  })

  test('an input that does not fit never leaves', async () => {
    await using peer = await foreign(() => assert.fail('nothing should arrive'))
    const wrong = await caught(peer.client.add({ title: 'Emma', year: 1.5 }))
    assert.deepEqual([wrong.code, wrong.processed], ['invalid_argument', 'no'])
    const unsendable = await caught(peer.client.get({ isbn: '..', tenant: 'a' }))
    assert.match(unsendable.message, /^isbn: /)
  })

  test('a connection that is cut is unavailable', async () => {
    await using peer = await foreign((request) => request.socket.destroy())
    const error = await caught(peer.client.add(book))
    assert.deepEqual([error.code, error.processed], ['unavailable', 'maybe'])
  })

  test('speaks over a Unix socket, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-rest-'))
    const path = join(folder, 'socket')
    const echo = contract('acme.echo.v1', { echo: call({ input: Book, output: Book, rest: 'POST /echo' }) })
    const server = await serve(implement(echo, { echo: (value) => value }), { path, wires: [rest()] })
    const client = connect(echo, `http+unix://${path}`)
    assert.deepEqual(await client.echo(book), book)
    await client[Symbol.asyncDispose]()
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  suite('streams', () => {
    const collect = async (books: AsyncIterable<unknown>) => {
      const all: unknown[] = []
      let error: unknown
      try {
        for await (const each of books) all.push(each)
      } catch (thrown) {
        error = thrown
      }
      return {
        all,
        code: CallError.is(error) ? error.code : error,
        message: (error as Error | undefined)?.message,
      }
    }
    const line = `${JSON.stringify(book)}\n`

    test('of NDJSON and of server-sent events are the same', async () => {
      for (const [type, text] of [
        ['application/x-ndjson', line + line.trimEnd()],
        ['application/jsonl; charset=utf-8', `${line}\n${line}`],
        [
          'text/event-stream',
          `data: ${line}\n: hello\n\nevent: message\ndata: ${line}\nevent: end\ndata: {}\n\n`,
        ],
      ] as const) {
        await using peer = await foreign((_, response) => {
          response.setHeader('content-type', type)
          response.end(text)
        })
        assert.deepEqual(await collect(peer.client.list()), {
          all: [book, book],
          code: undefined,
          message: undefined,
        })
      }
    })

    test('end with the error that the server wrote', async () => {
      for (const [type, text] of [
        ['application/x-ndjson', `${line}{"$problem":{"code":"aborted","detail":"{no} more"}}\n`],
        [
          'text/event-stream',
          `data: ${line}\nevent: problem\ndata: {"code":"aborted","detail":"{no} more"}\n\n`,
        ],
      ] as const) {
        await using peer = await foreign((_, response) => {
          response.setHeader('content-type', type)
          response.end(text)
        })
        assert.deepEqual(await collect(peer.client.list()), {
          all: [book],
          code: 'aborted',
          message: '{no} more',
        })
      }
    })

    test('that are cut are unavailable, and wrong messages name the field', async () => {
      await using cut = await foreign((request, response) => {
        response.setHeader('content-type', 'application/x-ndjson')
        response.write(line, () => request.socket.destroy())
      })
      assert.equal((await collect(cut.client.list())).code, 'unavailable')

      await using wrong = await foreign((_, response) => {
        response.setHeader('content-type', 'application/x-ndjson')
        response.end(`${line}{"title":"x"}\n${line}`)
      })
      const { all, code, message } = await collect(wrong.client.list())
      assert.deepEqual([all, code], [[book], 'internal'])
      assert.match(String(message), /does not fit the contract: year/)
    })

    test('of another content type are refused', async () => {
      await using peer = await foreign((_, response) => {
        response.setHeader('content-type', 'application/json')
        response.end('[]')
      })
      assert.match(
        String((await collect(peer.client.list())).message),
        /expected application\/x-ndjson or text\/event-stream/,
      )
    })
  })
})
