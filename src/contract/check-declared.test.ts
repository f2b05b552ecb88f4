import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { call, collection, contract, ContractError, event, fault, stream, task } from 'trunkline'

/** The same functions as plain JavaScript sees them. */
const loose = { call, collection, contract, event, fault, stream, task } as unknown as Readonly<
  Record<string, (...given: unknown[]) => unknown>
>

const Id = z.object({ id: z.string() })

function refused(declare: () => unknown, message: string | RegExp): void {
  assert.throws(declare, (error) => {
    assert.ok(error instanceof ContractError, String(error))
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })
}

/** A contract of the one operation `it`. */
const of = (operation: unknown) => loose['contract']?.('acme.x.v1', { it: operation })
const withFault = (...given: unknown[]) => of(call({ faults: { gone: loose['fault']?.(...given) as never } }))

const examples: Readonly<Record<string, string>> = {
  call: 'call({ input: z.object({ id: z.string() }) })',
  task: 'task({ input: z.object({ id: z.string() }) })',
  event: 'event({ payload: z.object({ id: z.string() }) })',
  collection: 'collection({ key: z.string(), value: z.object({ left: z.int32() }) })',
}

for (const [kind, example] of Object.entries(examples)) {
  test(`${kind}() of what is no object says what it takes, with an example`, () => {
    const given: readonly (readonly [unknown, string])[] = [
      [null, 'null'],
      [5, '5'],
      ['GET /x', '"GET /x"'],
      [[Id], 'an array'],
      [() => {}, 'a function'],
      [Id, 'a schema'],
    ]
    for (const [value, words] of given) {
      refused(() => loose[kind]?.(value), `${kind}() takes an object, got ${words}; write ${example}`)
    }
  })
}

test('what an event or a collection cannot do without is asked for by name, and the operation is named', () => {
  refused(() => loose['event']?.(), `event() takes an object, got nothing; write ${examples['event']}`)
  refused(
    () => loose['collection']?.(),
    `collection() takes an object, got nothing; write ${examples['collection']}`,
  )
  refused(
    () => of(loose['event']?.({})),
    'acme.x.v1/it: payload is missing; write event({ payload: z.object({ … }) })',
  )
  refused(
    () => of(loose['collection']?.({ value: Id })),
    /^acme\.x\.v1\/it: key is missing; write collection\(/,
  )
  refused(() => of(loose['collection']?.({ key: z.string() })), /^acme\.x\.v1\/it: value is missing; write /)
})

test('a call and a task need nothing', () => {
  assert.ok(of(call()))
  assert.ok(of(task()))
})

const noSchemas: readonly (readonly [string, unknown, RegExp])[] = [
  ['a number', 5, /got 5; write one such as z\.object/],
  ['null', null, /got null; write one such as/],
  ['a text', 'string', /got "string"; write one/],
  ['its fields alone', { id: z.string() }, /got an object; write z\.object\(\{ … \}\) around its fields$/],
  ['a function of the library', z.string, /got a function; call it, as in z\.string\(\)$/],
  ['a fault', fault('not_found'), /got a fault; write it into faults: /],
]

for (const [what, value, message] of noSchemas) {
  test(`instead of a schema: ${what}`, () => {
    for (const operation of [
      loose['call']?.({ input: value }),
      loose['call']?.({ input: loose['stream']?.(value) }),
      loose['task']?.({ input: value }),
    ]) {
      refused(() => of(operation), /^acme\.x\.v1\/it input: expected a schema, /)
      refused(() => of(operation), message)
    }
    refused(() => of(loose['event']?.({ payload: value })), message)
    refused(() => withFault('not_found', value), message)
  })
}

test('stream() takes a schema, and no stream', () => {
  refused(
    () => of(loose['call']?.({ output: loose['stream']?.() })),
    'acme.x.v1/it output: expected a schema, got stream() of nothing; write stream(z.object({ … }))',
  )
  refused(
    () => of(loose['call']?.({ output: loose['stream']?.(stream(Id)) })),
    /got a stream of a stream; write stream\(/,
  )
  refused(() => of(event({ payload: stream(Id) as never })), /payload is one message and no stream/)
})

test('fault() takes a code; one that is nearly right, and a status of HTTP, are recognised', () => {
  refused(
    () => withFault(),
    /^acme\.x\.v1\/it fault gone: fault\(\) takes a status code, as in fault\('not_found'\)/,
  )
  for (const wrong of ['not_fond', 'NOT_FOUND', 404]) {
    refused(() => withFault(wrong), /is no status code: did you mean fault\('not_found'\)\?$/)
  }
  refused(() => withFault('gone'), /"gone" is no status code: write one of canceled, /)
  refused(() => withFault({ code: 'not_found' }), /an object is no status code: write one of /)
  refused(
    () => withFault('not_found', { http: 410 }),
    /options come after the detail: write fault\('not_found', undefined, /,
  )
  refused(() => withFault('not_found', Id, null), /fault gone: expected \{ http, doc \}, got null$/)
})

test('faults are an object of faults', () => {
  for (const wrong of [5, null, [fault('not_found')], Id]) {
    refused(
      () => of(loose['call']?.({ faults: wrong })),
      /^acme\.x\.v1\/it: faults: expected an object such as /,
    )
  }
  refused(
    () => of(loose['call']?.({ faults: { gone: 'not_found' } })),
    /fault gone: declare it with fault\(code\)/,
  )
})

test('what all operations can say is checked, and a misspelt setting is recognised', () => {
  refused(
    () => of(loose['call']?.({ inptu: Id })),
    "acme.x.v1/it: 'inptu' is no option; did you mean 'input'?",
  )
  refused(() => of(loose['event']?.({ payload: Id, payloads: Id })), /did you mean 'payload'\?$/)
  refused(
    () => of(loose['event']?.({ payload: Id, orderBy: 'idd' })),
    /orderBy: 'idd' must be .* did you mean 'id'\?$/,
  )
  refused(
    () => of(loose['call']?.({ scopes: 'a' })),
    `acme.x.v1/it: scopes: expected a list such as ['orders:write'], got "a"`,
  )
  refused(() => of(loose['task']?.({ doc: 5 })), 'acme.x.v1/it: doc: expected a text, got 5')
  refused(() => of(loose['call']?.({ deprecated: 'yes' })), /deprecated: expected true or false, got "yes"/)
  refused(() => of(loose['call']?.({ soap: { element: 5 } })), /soap: element: expected a text, got 5/)
})

test('contract() says what it takes', () => {
  refused(() => loose['contract']?.(), /a contract needs a name such as 'acme\.orders\.v1', got undefined/)
  refused(() => loose['contract']?.('acme.x.v1', [call()]), /the second argument is the operations/)
  refused(
    () => loose['contract']?.('acme.x.v1', {}, { rest: { prefix: 5 } }),
    /rest: prefix: expected a text, got 5/,
  )
  refused(
    () => loose['contract']?.('acme.x.v1', {}, Id),
    /expected \{ lock, grpc, soap, rest, topic, doc \}, got a schema/,
  )
})
