import assert from 'node:assert/strict'
import test from 'node:test'
import {
  CallError,
  type Filter,
  type Implementation,
  Metadata,
  type ServeOptions,
  call,
  connect,
  contract,
  contractInfo,
  event,
  implement,
  serve,
  stream,
  toNodeHandler,
  updateLock,
} from 'trunkline'
import { rest, trunk } from 'trunkline/wires'
import * as z from 'zod'
import { quiet, rememberingLog } from '../../test/support/quiet-log.ts'
import { rawConnection } from '../../test/support/raw-http.ts'

const Text = z.object({ text: z.string() })
const Echo = contract('test.echo.v1', { say: call({ input: Text, output: Text, rest: 'POST /say' }) })
const Other = contract('test.other.v1', { say: call({ input: Text, output: Text, rest: 'POST /other' }) })
const echo = implement(Echo, { say: (input) => input })

const refused = (options: unknown, message: RegExp | string) =>
  assert.rejects(serve(echo, { port: 0, log: quiet, ...(options as ServeOptions) }), {
    name: 'TypeError',
    message,
  })

test('an unknown option is refused, with the one that was meant', async () => {
  await refused({ prot: 7000 }, "serve: there is no option 'prot'; did you mean 'port'?")
  await refused({ autenticate: () => undefined }, /did you mean 'authenticate'\?/)
  await refused({ quux: 1 }, /there is no option 'quux'; there are port, host, path, wires, /)
  await refused({ admin: { prot: 1 } }, "serve: admin: there is no option 'prot'; did you mean 'port'?")
})

test('an option of the wrong type is refused with what it must be', async () => {
  await refused({ port: '7000' }, 'serve: port: expected an integer from 0 to 65535, got "7000"')
  await refused({ port: 70_000 }, /expected an integer from 0 to 65535, got 70000/)
  await refused({ host: 1 }, /host: expected a string/)
  await refused({ filters: [1] }, /filters: expected an array of filters, which are functions, got an array/)
  await refused({ filters: () => undefined }, /filters: expected an array .*, got a function/)
  await refused({ wires: ['trunk'] }, /wires: expected an array of wires, such as trunk\(\) and rest\(\)/)
  await refused({ authenticate: {} }, /authenticate: expected a function/)
  await refused({ log: console.log }, /log: expected a logger with debug, info, warn and error/)
  await refused({ fallback: {} }, /fallback: expected a function .*fromNodeHandler\(app\)/)
  await refused({ tls: {} }, 'serve: tls: a server needs key and cert (PEM), or pfx')
  await refused({ path: '/tmp/x', port: 1 }, /path is a Unix socket instead of port and host/)
  await assert.rejects(
    serve(echo, 7000 as unknown as ServeOptions),
    /serve: expected an object of options, got 7000/,
  )
})

test('a limit that does not exist or is none is refused', async () => {
  const limited = (limits: object) => serve(echo, { port: 0, log: quiet, limits })
  await assert.rejects(limited({ messageSiez: 1 }), /limits\.messageSiez is no limit; there are messageSize/)
  await assert.rejects(
    limited({ messageSize: 0 }),
    /limits\.messageSize: expected a positive finite number, got 0/,
  )
  await assert.rejects(
    limited({ idleTimeout: Infinity }),
    /limits\.idleTimeout: expected a positive finite number/,
  )
  await assert.rejects(
    limited({ idleTimeout: 2 ** 31 }),
    /limits\.idleTimeout: expected at most 2147483647 ms/,
  )
  const server = await limited({ messageSize: undefined, idleTimeout: 1000 })
  assert.equal(server.internals.host.limits.messageSize, 16 * 1024 * 1024)
  await server.close()
})

test('an option of implement that does not exist is refused, with the one that was meant', () => {
  const made = (options: unknown) => () => implement(Echo, { say: (input) => input }, options as never)
  assert.throws(
    made({ filter: [] }),
    /implement\(test\.echo\.v1\): there is no option 'filter'; did you mean 'filters'\?/,
  )
  assert.throws(
    made({ filters: () => {} }),
    /filters: expected an array of filters, which are functions, got a function/,
  )
  assert.throws(
    made({ operations: { say: { filter: [] } } }),
    /implement\(test\.echo\.v1\): operations: say: there is no option 'filter'; did you mean 'filters'\?/,
  )
})

test('what is no implementation is refused', async () => {
  for (const what of [Echo, {}, [], [echo, {}], undefined]) {
    await assert.rejects(
      serve(what as unknown as Implementation, { port: 0 }),
      /serve: expected what implement\(contract, handlers\) returned/,
    )
  }
  await assert.rejects(serve([echo, echo], { port: 0 }), /the contract test\.echo\.v1 is implemented twice/)
})

test('handlers and operations must fit each other', () => {
  const made = (handlers: object, options?: object) => () =>
    implement(Echo, handlers as never, options as never)
  assert.throws(made({}), /implement\(test\.echo\.v1\): there is no handler for the call 'say'/)
  assert.throws(made({ say: 5 }), {
    message: "implement(test.echo.v1): the handler of 'say' must be a function, got number 5",
  })
  assert.throws(made({ say: 'x' }), /the handler of 'say' must be a function, got string "x"$/)
  assert.throws(made({ say: null }), /the handler of 'say' must be a function, got null$/)
  assert.throws(made({ say: {} }), /the handler of 'say' must be a function, got an object$/)
  assert.throws(made({ say: () => ({}), sya() {} }), /'sya' is no operation; did you mean 'say'\?/)
  assert.throws(made({ say: () => ({}), find() {} }), /'find' is no operation; there are say/)
  assert.throws(
    made({ say() {} }, { operations: { sya: {} } }),
    /filters for 'sya', which is no call; did you mean 'say'\?/,
  )
  for (const nothing of [undefined, null, 5]) {
    assert.throws(
      made(nothing as never),
      /implement\(test\.echo\.v1\): the second argument is the handlers, such as \{ say\(input, ctx\) \{ … \} \}; got /,
    )
  }
  class Service {
    say(input: { text: string }) {
      return { text: `${this.prefix}${input.text}` }
    }
    readonly prefix = '> '
    helper() {}
  }
  assert.equal(implement(Echo, new Service()).info.name, 'test.echo.v1')
})

test('several contracts are served by one server', async () => {
  const other = implement(Other, { say: ({ text }) => ({ text: text.toUpperCase() }) })
  await using server = await serve([echo, other], { port: 0, log: quiet })
  assert.deepEqual(
    server.contracts.map(({ name }) => name),
    ['test.echo.v1', 'test.other.v1'],
  )
  for (const target of [server, `trunk://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port}`]) {
    await using first = connect(Echo, target)
    await using second = connect(Other, target)
    assert.equal((await first.say({ text: 'a' })).text, 'a')
    assert.equal((await second.say({ text: 'a' })).text, 'A')
  }
})

test('scopes that nothing could check are refused at the start', async () => {
  const Guarded = contract('test.guarded.v1', { act: call({ scopes: ['act:do'] }) })
  const guarded = implement(Guarded, { act() {} })
  await assert.rejects(serve(guarded, { port: 0, log: quiet }), {
    name: 'TypeError',
    message: /test\.guarded\.v1\/act asks for the scope act:do, .* pass authenticate/,
  })
  assert.throws(() => toNodeHandler(guarded), /asks for the scope act:do/)
  const server = await serve(guarded, { port: 0, log: quiet, authenticate: () => undefined })
  await server.close()
})

test('in production, wires that need numbers want a lock', async (t) => {
  const before = process.env.NODE_ENV
  t.after(() => {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  })
  process.env.NODE_ENV = 'production'
  await assert.rejects(serve(echo, { port: 0, log: quiet }), {
    name: 'TypeError',
    message:
      /test\.echo\.v1 has no lock, and trunk, grpc.* needs field numbers .* Run `trunkline lock <module>`/,
  })
  const server = await serve(echo, { port: 0, log: quiet, wires: [rest()] })
  await server.close()

  const { lock } = updateLock(contractInfo(Echo), undefined)
  const Locked = contract('test.echo.v1', { say: Echo.say }, { lock })
  const locked = await serve(implement(Locked, { say: (input) => input }), {
    port: 0,
    log: quiet,
    wires: [trunk()],
  })
  await locked.close()
})

test('events, tasks and collections are said not to be carried', async () => {
  const Eventful = contract('test.eventful.v1', { ping: call({}), happened: event({ payload: Text }) })
  const log = rememberingLog()
  await using _ = await serve(implement(Eventful, { ping() {} }), { port: 0, log })
  assert.deepEqual(log.lines[0], {
    level: 'warn',
    fields: { contract: 'test.eventful.v1', operations: ['happened'] },
    message: 'not served: no engine carries events, tasks and collections yet',
  })
})

test('filters run from the server over the contract to the operation, and are composed once', async () => {
  const order: string[] = []
  const composed: string[] = []
  const named =
    (name: string): Filter =>
    (next) => {
      composed.push(name)
      return (each) => {
        order.push(name)
        return next(each)
      }
    }
  const implementation = implement(
    Echo,
    {
      say(input) {
        order.push('handler')
        return input
      },
    },
    { filters: [named('contract')], operations: { say: { filters: [named('operation')] } } },
  )
  await using server = await serve(implementation, {
    port: 0,
    log: quiet,
    filters: [named('outer'), named('inner')],
    authenticate() {
      order.push('authenticate')
      return undefined
    },
  })
  await using client = connect(Echo, server)
  for (let i = 0; i < 3; i++) await client.say({ text: 'x' })
  const once = ['authenticate', 'outer', 'inner', 'contract', 'operation', 'handler']
  assert.deepEqual(order, [...once, ...once, ...once])
  assert.deepEqual(composed.sort(), ['contract', 'inner', 'operation', 'outer'])
})

for (const scheme of ['trunk', 'http']) {
  test(`a filter may answer, refuse, wait, and change metadata, over ${scheme}`, async () => {
    const seen: unknown[] = []
    const filter: Filter = (next) => (each) => {
      switch (each.metadata.text('x-do')) {
        case 'answer':
          return { output: { text: 'from the filter' }, metadata: undefined, trailers: undefined }
        case 'throw':
          throw new CallError('permission_denied', 'not you')
        case 'crash':
          throw new Error('secret')
        case 'reject':
          return Promise.reject(new CallError('aborted', 'later'))
        case 'wait':
          each.metadata.set('x-added', 'by the filter')
          return (async () => {
            await new Promise(setImmediate)
            const reply = await next(each)
            const metadata = new Metadata({ 'x-reply': 'changed' })
            return { ...reply, metadata }
          })()
        default:
          return next(each)
      }
    }
    const implementation = implement(Echo, {
      say(input, ctx) {
        seen.push(ctx.metadata.get('x-added'))
        return input
      },
    })
    await using server = await serve(implementation, { port: 0, log: quiet, filters: [filter] })
    await using client = connect(Echo, `${scheme}://127.0.0.1:${server.port}`)
    const ask = (what: string) => client.say({ text: 'x' }, { metadata: { 'x-do': what } })

    assert.deepEqual(await ask('answer'), { text: 'from the filter' })
    await assert.rejects(ask('throw'), { code: 'permission_denied', message: 'not you' })
    await assert.rejects(ask('crash'), { code: 'internal', message: /^internal error [0-9a-f-]{36}$/ })
    await assert.rejects(ask('reject'), { code: 'aborted' })
    assert.deepEqual(seen, [])
    let reply: unknown
    const options = {
      metadata: { 'x-do': 'wait' },
      onReply: (head: { metadata: { get(name: string): unknown } }) => (reply = head.metadata.get('x-reply')),
    }
    assert.deepEqual(await client.say({ text: 'y' }, options), { text: 'y' })
    assert.deepEqual([seen, reply], [['by the filter'], 'changed'])
  })

  test(`a refused caller costs no decoding, over ${scheme}`, async () => {
    let refinements = 0
    const Counted = Text.refine(() => {
      refinements++
      return true
    })
    const Guarded = contract('test.guarded.v1', {
      write: call({ input: Counted, output: Text, scopes: ['write'], rest: 'POST /write' }),
      upload: call({ input: stream(Text), output: Text, rest: 'POST /upload' }),
    })
    let handled = 0
    const guarded = implement(Guarded, {
      write(input) {
        handled++
        return input
      },
      async upload(messages) {
        for await (const { text } of messages) return { text }
        return { text: '' }
      },
    })
    await using server = await serve(guarded, {
      port: 0,
      log: quiet,
      authenticate({ metadata, peer, operation }) {
        assert.ok(peer.address.startsWith('127.0.0.1:'))
        assert.equal(operation.contract.name, 'test.guarded.v1')
        const token = metadata.text('authorization')
        if (token === 'Bearer wrong') throw new CallError('unauthenticated', 'unknown token')
        return token === undefined
          ? undefined
          : { id: 'ada', scopes: token === 'Bearer write' ? ['write'] : [] }
      },
    })
    await using client = connect(Guarded, `${scheme}://127.0.0.1:${server.port}`)
    const write = (authorization?: string) =>
      client.write({ text: 'x' }, authorization === undefined ? {} : { metadata: { authorization } })

    await assert.rejects(write(), { code: 'unauthenticated', message: 'credentials are needed' })
    await assert.rejects(write('Bearer read'), { code: 'permission_denied', message: 'not allowed' })
    await assert.rejects(write('Bearer wrong'), { code: 'unauthenticated', message: 'unknown token' })
    assert.deepEqual([refinements, handled], [0, 0])
    assert.deepEqual(await write('Bearer write'), { text: 'x' })
    // The answer is no refined message: once for the input.
    assert.deepEqual([refinements, handled], [1, 1])
  })
}

test("over HTTP, a refused caller's body is not even read", async () => {
  const Guarded = contract('test.guarded.v1', {
    write: call({ input: Text, output: Text, scopes: ['write'], rest: 'POST /write' }),
  })
  await using server = await serve(implement(Guarded, { write: (input) => input }), {
    port: 0,
    log: quiet,
    authenticate: async ({ metadata }) =>
      metadata.has('authorization') ? { id: 'a', scopes: ['write'] } : undefined,
  })
  const ask = async (authorization: string) => {
    const raw = await rawConnection(server.port)
    raw.socket.write(
      `POST /write HTTP/1.1\r\nhost: x\r\n${authorization}content-type: application/json\r\n` +
        'content-length: 12\r\nexpect: 100-continue\r\n\r\n',
    )
    return raw
  }

  const refusal = await ask('')
  await refusal.until('"credentials are needed"')
  assert.match(refusal.text(), /^HTTP\/1\.1 401 /, 'no 100 Continue: nobody asked for the body')
  refusal.socket.destroy()

  const welcome = await ask('authorization: Bearer x\r\n')
  await welcome.until('HTTP/1.1 100 Continue\r\n\r\n')
  welcome.socket.write('{"text":"x"}')
  await welcome.until('{"text":"x"}')
  welcome.socket.destroy()
})

test('an authentication that fails by itself is internal, and its text stays here', async () => {
  const log = rememberingLog()
  await using server = await serve(echo, {
    port: 0,
    log,
    authenticate: () => Promise.reject(new Error('the key store is at 10.0.0.7')),
  })
  await using client = connect(Echo, server)
  await assert.rejects(client.say({ text: 'x' }), { code: 'internal', message: /^internal error/ })
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
})

test('without a wire on HTTP, an HTTP request is refused by closing', async () => {
  await using server = await serve(echo, { port: 0, log: quiet, wires: [trunk()] })
  const raw = await rawConnection(server.port)
  raw.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await raw.closed
  assert.equal(raw.text(), '')
})

test('a fallback that throws is answered with 500 and logged', async () => {
  const log = rememberingLog()
  const fallback = () => {
    throw new Error('secret')
  }
  await using server = await serve(echo, { port: 0, log, fallback })
  const answer = await fetch(`http://127.0.0.1:${server.port}/unknown`)
  assert.deepEqual([answer.status, await answer.text()], [500, ''])
  assert.ok(log.lines.some(({ message }) => message === 'answering an HTTP request failed'))
})

test('a URL that no wire listens to is refused', async () => {
  await refused({ listen: ['amqp://127.0.0.1/calls'] }, /no wire listens to amqp:\/\/127\.0\.0\.1\/calls/)
  await refused({ listen: 'amqp://x' }, /listen: expected an array of URLs/)
})
