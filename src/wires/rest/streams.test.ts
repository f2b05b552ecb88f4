import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { suite, test } from 'node:test'
import zlib from 'node:zlib'
import * as z from 'zod'
import { restServer, send } from '../../../test/support/rest-server.ts'
import { CallError } from '../../call/error.ts'
import type { Outcome } from '../../call/call.ts'
import type { Filter } from '../../call/handler.ts'
import { call } from '../../contract/call.ts'
import { contract } from '../../contract/contract.ts'
import { fault } from '../../contract/fault.ts'
import { stream } from '../../contract/stream.ts'
import { implement } from '../../server/implement.ts'

const Item = z.object({ n: z.int32().min(0) }).meta({ id: 'Item' })

const Flow = contract('acme.flow.v1', {
  count: call({
    input: z.object({ to: z.int32(), failAt: z.int32().optional() }),
    output: stream(Item),
    faults: { stuck: fault('aborted', Item) },
    rest: 'GET /count',
  }),
  anything: call({ output: stream(z.json()), rest: 'GET /anything' }),
  endless: call({ output: stream(z.string()), rest: 'GET /endless' }),
  silent: call({ output: stream(Item), rest: 'GET /silent' }),
  sum: call({ input: stream(Item), output: z.object({ sum: z.int32() }), rest: 'POST /sum' }),
  double: call({ input: stream(Item), output: stream(Item), rest: 'POST /double' }),
})

let yielded = 0

const flow = implement(Flow, {
  async *count({ to, failAt }, ctx) {
    ctx.reply.metadata.set('x-first', '1')
    for (let n = 0; n < to; n++) {
      if (n === failAt) throw ctx.fault.stuck({ n })
      yield { n }
    }
    ctx.reply.trailers.set('x-last', String(to))
  },
  anything: () => [{ a: 1 }, { $problem: 'mine' }] as z.core.util.JSONType[],
  *endless() {
    for (;;) {
      yielded++
      yield 'x'.repeat(1000)
    }
  },
  async *silent(_, ctx) {
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
    yield { n: 0 }
  },
  async sum(items) {
    let sum = 0
    for await (const { n } of items) sum += n
    return { sum }
  },
  async *double(items) {
    for await (const { n } of items) yield { n: n * 2 }
  },
})

const ndjson = { 'content-type': 'application/x-ndjson' }

suite('REST streams', async () => {
  const outcomes: ((outcome: Outcome) => void)[] = []
  const watch: Filter = (next) => (current) => {
    current.onEnd((outcome) => outcomes.shift()?.(outcome))
    return next(current)
  }
  /** How the next call ends. */
  const nextOutcome = () => new Promise<Outcome>((resolve) => outcomes.push(resolve))

  const server = await restServer([flow as never], { filters: [watch], limits: { messageSize: 1000 } })
  test.after(() => server[Symbol.asyncDispose]())
  const get = (path: string, headers = {}) => send(`${server.url}${path}`, { headers })
  const post = (path: string, body: string | Buffer, headers = {}) =>
    send(`${server.url}${path}`, { method: 'POST', headers: { ...ndjson, ...headers }, body })

  suite('out', () => {
    test('are NDJSON by default: one message a line, trailers for those who read them', async () => {
      const answer = await get('/count?to=3', { te: 'trailers' })
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/x-ndjson'])
      assert.equal(answer.text, '{"n":0}\n{"n":1}\n{"n":2}\n')
      assert.equal(answer.headers['x-first'], '1')
      assert.equal(answer.trailers['x-last'], '3')
      assert.deepEqual((await get('/count?to=3')).trailers, {})
      assert.equal((await get('/count?to=0')).text, '')
    })

    test('are server-sent events for those who accept them, with an end', async () => {
      const answer = await get('/count?to=2', { accept: 'text/event-stream' })
      assert.equal(answer.headers['content-type'], 'text/event-stream')
      assert.equal(answer.text, 'data: {"n":0}\n\ndata: {"n":1}\n\nevent: end\ndata: {}\n\n')
    })

    test('are nothing that Accept leaves out', async () => {
      assert.equal((await get('/count?to=2', { accept: 'application/json' })).status, 406)
      const jsonl = await get('/count?to=1', { accept: 'application/jsonl' })
      assert.equal(jsonl.headers['content-type'], 'application/jsonl')
    })

    test('that fail before the first message have the status of the error', async () => {
      const answer = await get('/count?to=3&failAt=0')
      assert.equal(answer.status, 409)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
    })

    test('that fail later end with a line, or an event, that no message can be', async () => {
      const lines = (await get('/count?to=3&failAt=2')).text.trimEnd().split('\n')
      assert.deepEqual(lines.slice(0, 2), ['{"n":0}', '{"n":1}'])
      const { $problem } = JSON.parse(lines[2] ?? '') as { $problem: Record<string, unknown> }
      assert.deepEqual($problem['fault'], { name: 'stuck', detail: { n: 2 } })

      const events = (await get('/count?to=3&failAt=2', { accept: 'text/event-stream' })).text.split('\n\n')
      assert.match(events[2] ?? '', /^event: problem\ndata: \{"type":"urn:trunkline:fault:/)

      const anything = (await get('/anything')).text.trimEnd().split('\n')
      assert.equal(anything[0], '{"a":1}')
      assert.match(anything[1] ?? '', /^\{"\$problem":\{"type":"urn:trunkline:code:internal"/)
    })

    test('to HEAD have a head and run no further', async () => {
      const answer = await send(`${server.url}/endless`, { method: 'HEAD' })
      assert.deepEqual([answer.status, answer.text], [200, ''])
    })

    test('wait for a slow reader, and end with it', async () => {
      yielded = 0
      const outcome = nextOutcome()
      const sent = request(`${server.url}/endless`, { agent: false })
      sent.end()
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.pause()

      // The generator stands still once the buffers between here and there are full.
      let before = -1
      while (before !== yielded) {
        before = yielded
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.ok(yielded < 20_000, `${yielded} messages of 1 kB were made for nobody`)

      sent.destroy()
      assert.equal((await outcome).error?.code, 'canceled')
    })

    test('give way to other calls though they never wait', async () => {
      const sent = request(`${server.url}/endless`, { agent: false })
      sent.end()
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.resume()
      assert.equal((await get('/count?to=1')).text, '{"n":0}\n')
      sent.destroy()
    })

    test('of a caller that goes away before the first message are canceled', async () => {
      const outcome = nextOutcome()
      const sent = request(`${server.url}/silent`, { agent: false })
      sent.on('error', () => undefined)
      sent.end()
      // The head goes out alone after a second without a message.
      await once(sent, 'response')
      sent.destroy()
      assert.equal((await outcome).error?.code, 'canceled')
    })
  })

  suite('in', () => {
    test('are NDJSON: blank lines are ignored, the last line may lack its end', async () => {
      assert.equal((await post('/sum', '{"n":1}\n\n{"n":2}\r\n{"n":3}')).text, '{"sum":6}')
      assert.equal((await post('/sum', '')).text, '{"sum":0}')
    })

    test('can be compressed', async () => {
      const answer = await post('/sum', zlib.gzipSync('{"n":1}\n{"n":2}\n'), { 'content-encoding': 'gzip' })
      assert.equal(answer.text, '{"sum":3}')
    })

    test('name the message and the field that is wrong', async () => {
      const answer = await post('/sum', '{"n":1}\n{"n":-2}\n')
      assert.equal(answer.status, 400)
      const { errors } = JSON.parse(answer.text) as { errors: unknown }
      assert.deepEqual(errors, [{ path: '[1].n', message: 'expected an integer ≥ 0, got -2' }])
    })

    test('have another content type than JSON, and bounded lines', async () => {
      const json = { 'content-type': 'application/json' }
      assert.equal((await post('/sum', '{"n":1}', json)).status, 415)
      assert.equal((await post('/sum', `{"n":${' '.repeat(2000)}1}`)).status, 413)
    })

    test('and out flow at the same time', async () => {
      const sent = request(`${server.url}/double`, { method: 'POST', headers: ndjson, agent: false })
      const lines = linesOf(sent)
      for (const n of [1, 2, 3]) {
        sent.write(`{"n":${n}}\n`)
        assert.equal(await lines.next(), `{"n":${n * 2}}`)
      }
      sent.end()
      assert.equal(await lines.next(), undefined)
    })

    test('that are cut cancel the call', async () => {
      const outcome = nextOutcome()
      const sent = request(`${server.url}/double`, { method: 'POST', headers: ndjson, agent: false })
      sent.on('error', () => undefined)
      const lines = linesOf(sent)
      sent.write('{"n":1}\n')
      await lines.next()
      sent.destroy()
      const { error, received } = await outcome
      assert.ok(CallError.is(error))
      assert.deepEqual([error.code, received], ['canceled', 1])
    })
  })
})

/** Reads the answer line by line; `undefined` at its end. */
function linesOf(sent: ClientRequest): { next: () => Promise<string | undefined> } {
  async function* lines(): AsyncGenerator<string, undefined> {
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    let rest = ''
    for await (const piece of answer) {
      const parts = (rest + String(piece)).split('\n')
      rest = parts.pop() ?? ''
      yield* parts
    }
    return undefined
  }

  const iterator = lines()
  return { next: async () => (await iterator.next()).value }
}
