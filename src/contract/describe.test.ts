import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import * as z from 'zod'
import * as lowest from 'zod-lowest'
import { call } from './call.ts'
import { collection } from './collection.ts'
import { ContractError } from './contract-error.ts'
import { contract, contractInfo } from './contract.ts'
import { describe } from './describe.ts'
import { diff } from './diff.ts'
import { event } from './event.ts'
import { fault } from './fault.ts'
import { fromDescription } from './from-description.ts'
import { updateLock } from './lock-update.ts'
import type { ContractInfo } from './operation.ts'
import { stream } from './stream.ts'
import { task } from './task.ts'

const runs = 300 * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

const Order = z
  .object({
    id: z.string(),
    quantity: z.int32().min(1).max(100),
    state: z.enum(['open', 'paid']).meta({ id: 'State' }),
    labels: z.record(z.string(), z.string().nullable()),
    pair: z.tuple([z.string(), z.int64()]),
    payment: z.discriminatedUnion('by', [
      z.object({ by: z.literal('card'), number: z.string().regex(/^\d+$/) }).meta({ id: 'Card' }),
      z.object({ by: z.literal('cash') }).meta({ id: 'Cash' }),
    ]),
    note: z.string().default('none'),
    get parent() {
      return Order.optional()
    },
  })
  .meta({ id: 'Order', description: 'An order.' })

const Orders = contract(
  'acme.orders.v1',
  {
    place: call({
      input: Order,
      output: Order,
      faults: {
        outOfStock: fault('failed_precondition', z.object({ left: z.int32() }), {
          http: 409,
          doc: 'None left.',
        }),
        closed: fault('unavailable'),
      },
      rest: { route: 'POST /orders', status: 201, location: '/orders/{id}', headers: { note: 'X-Note' } },
      scopes: ['orders:write'],
      idempotency: 'keyed',
      timeout: '2s',
      doc: 'Places an order.',
      deprecated: true,
    }),
    list: call({
      input: z.object({ page: z.int32().optional() }),
      output: z.array(Order),
      rest: 'GET /orders',
    }),
    ping: call({}),
    watch: call({ output: stream(Order), rest: 'GET /orders:watch' }),
    upload: call({ input: stream(Order) }),
    placed: event({ payload: Order, orderBy: 'id' }),
    invoice: task({ input: Order, topic: 'billing.invoices' }),
    stock: collection({ key: z.string(), value: z.object({ left: z.int32() }) }),
  },
  { doc: 'Orders.', rest: { prefix: '/api' } },
)

const info = contractInfo(Orders)
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('a contract survives its description', () => {
  const again = fromDescription(json(describe(info)))

  assert.deepEqual(describe(again), describe(info))
  assert.equal(again.digest, info.digest)
  assert.equal(again.grpcPackage, 'acme.orders.v1')
  assert.deepEqual([...again.operations.keys()], [...info.operations.keys()])

  for (const [name, operation] of again.operations) {
    const original = info.operations.get(name)
    assert.equal(operation.id, original?.id)
    assert.equal(operation.contract, again)
    if (operation.kind === 'call' && original?.kind === 'call') {
      assert.deepEqual(operation.rest, original.rest)
      assert.equal(operation.streaming, original.streaming)
      if (operation.input !== undefined) assert.equal(operation.input.schema.types, again.types)
    }
  }
})

test('a description is checked: what is wrong is named by its path', () => {
  const cases: [path: (string | number)[], value: unknown, message: RegExp][] = [
    [['trunkline'], 2, /of version 1, this one is 2/],
    [['name'], 'Acme', /'acme'/],
    [
      ['types', 'Order', 'fields', 0, 'number'],
      0,
      /types\.Order\.fields\[0\]\.number: is no number of a field/,
    ],
    [['types', 'Order', 'fields', 0, 'number'], 2, /types\.Order\.fields: 2 is there twice/],
    [['types', 'Order', 'fields', 0, 'type', 'kind'], 'date', /fields\[0\]\.type\.kind: "date" is no kind/],
    [['types', 'Order', 'fields', 7, 'type', 'to'], 'Nothing', /there is no type 'Nothing'/],
    [['types', 'Card', 'fields', 1, 'type', 'checks', 0, 'source'], '(', /no regular expression/],
    [['types', 'State', 'values', 1, 'value'], 'open', /"open" is there twice/],
    [['types', 'Order', 'kind'], 'table', /"table" is none of object, enum, union/],
    [['operations', 'place', 'kind'], 'rpc', /operations\.place\.kind: "rpc"/],
    [['operations', 'place', 'faults', 'closed', 'code'], 'closed', /"closed" is no status code/],
    [['operations', 'place', 'rest', 'route'], 'POST /orders/{ident}', /'ident' is not a field/],
    [['operations', 'ping', 'rest', 'route'], 'GET /ping', /an implied route is/],
    [['operations', 'place', 'grpc'], 'Place', /no method of gRPC/],
    [['operations', 'then'], { kind: 'call' }, /cannot be called 'then'/],
    [['operations', 'placed', 'payload'], undefined, /operations\.placed\.payload: must be one message/],
  ]

  for (const [path, value, message] of cases) {
    const description = json(describe(info)) as Record<string | number, unknown>
    const parent = path.slice(0, -1).reduce((part, key) => part[key] as typeof description, description)
    parent[path.at(-1) as string] = value

    assert.throws(
      () => fromDescription(description),
      (error) => error instanceof ContractError && message.test(error.message),
      String(message),
    )
  }
})

test('any damage to a description is refused or harmless, never a crash', () => {
  const text = JSON.stringify(describe(info))
  const leaves: (readonly (string | number)[])[] = []
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    leaves.push(path)
    if (typeof value !== 'object' || value === null) return
    for (const [key, part] of Object.entries(value)) walk(part, [...path, key])
  }
  walk(JSON.parse(text), [])

  const junk = fc.oneof(
    fc.constantFrom<unknown>(null, [], {}, '', 0, -1, 1.5, true, '__proto__', undefined),
    fc.string(),
    fc.integer(),
  )

  fc.assert(
    fc.property(fc.constantFrom(...leaves.slice(1)), junk, (path, value) => {
      const description = JSON.parse(text) as Record<string | number, unknown>
      const parent = path.slice(0, -1).reduce((part, key) => part[key] as typeof description, description)
      parent[path.at(-1) as string] = value

      try {
        describe(fromDescription(description))
      } catch (error) {
        assert.ok(
          error instanceof ContractError,
          `${path.join('.')} = ${JSON.stringify(value)}: ${String(error)}`,
        )
      }
    }),
    { numRuns: runs },
  )
})

// ── Digest ──

const member = { a: z.string(), b: z.int32().optional() }

function small(shape: z.ZodRawShape, extra: object = {}, lock?: unknown): ContractInfo {
  const input = z.object(shape).meta({ id: 'Thing' })
  return contractInfo(
    contract(
      'acme.small.v1',
      { go: call({ input, ...extra }), ping: call({}) },
      lock === undefined ? {} : { lock },
    ),
  )
}

test('a digest is 16 hexadecimal digits, the same each time', () => {
  assert.match(info.digest, /^[0-9a-f]{16}$/)
  assert.equal(small(member).digest, small(member).digest)
})

test('docs, scopes and time-outs do not change the digest', () => {
  const documented = { a: z.string().meta({ description: 'The a.', deprecated: true }), b: member.b }
  assert.equal(
    small(documented, { doc: 'Goes.', deprecated: true, scopes: ['x'], timeout: '1s' }).digest,
    small(member).digest,
  )
})

test('releases of zod agree on the digest, although they write formats in other patterns', () => {
  const contractOf = (zod: typeof z): ContractInfo =>
    small({
      email: zod.email().meta({ examples: ['a@b.example'] }),
      id: zod.uuid().max(36),
      at: zod.iso.datetime(),
      on: zod.iso.date(),
      from: zod.ipv4(),
      code: zod.string().regex(/^[A-Z]+$/),
      quantity: zod.int32().min(1),
      payment: zod.discriminatedUnion('by', [zod.object({ by: zod.literal('card') })]),
    })
  const [ours, theirs] = [contractOf(z), contractOf(lowest as unknown as typeof z)]
  assert.notDeepEqual(ours.types, theirs.types)
  assert.equal(ours.digest, theirs.digest)
  assert.deepEqual(diff(describe(ours), describe(theirs)), [])

  const of = (schema: z.ZodType): ContractInfo => small({ a: schema })
  assert.equal(of(z.email()).digest, of(z.email().meta({ examples: ['a@b.example'] })).digest)
  assert.notEqual(of(z.email()).digest, of(z.string()).digest)
  assert.notEqual(of(z.email()).digest, of(z.email().max(9)).digest)
  assert.notEqual(of(z.string().regex(/a/)).digest, of(z.string().regex(/b/)).digest)
})

test('the order of declaration does not change the digest once numbers are locked', () => {
  const { lock } = updateLock(small(member), undefined)
  const reordered = { b: member.b, a: member.a }

  assert.equal(small(reordered, {}, lock).digest, small(member, {}, lock).digest)
  assert.notEqual(small(reordered).digest, small(member).digest)
})

test('whatever two peers must agree on changes the digest, and the difference names the field', () => {
  const ours = small(member)
  const cases: [ContractInfo, path: string, breaking: boolean, message: RegExp][] = [
    [
      small({ a: z.string(), b: z.string().optional() }),
      'Thing.b',
      true,
      /the type is int32 here and string there/,
    ],
    [small({ a: z.string(), b: z.int32() }), 'Thing.b', true, /it is optional here and required there/],
    [
      small({ a: z.string().nullable(), b: member.b }),
      'Thing.a',
      true,
      /string here and string or null there/,
    ],
    [small({ b: member.b, a: member.a }), 'Thing.b', true, /the number is 2 here and 1 there/],
    [small({ a: member.a }), 'Thing.b', false, /this field is only here/],
    [small({ ...member, c: z.string() }), 'Thing.c', true, /only there, and it is required/],
    [small({ ...member, c: z.string().optional() }), 'Thing.c', false, /only there/],
    [
      small({ a: z.string().max(5), b: member.b }),
      'Thing.a',
      false,
      /what is valid is unbounded here and maxLength 5 there/,
    ],
    [
      small({ a: z.string().meta({ presence: 'required' }), b: member.b }),
      'Thing.a',
      true,
      /the presence in protobuf is the usual one here and required there/,
    ],
    [
      small({ a: member.a, b: member.b.meta({ oneof: 'c' }) }),
      'Thing.b',
      false,
      /the oneof is the usual one here and c there/,
    ],
    [small(member, { output: z.string() }), 'go output', true, /nothing here and string there/],
    [
      small({ a: z.tuple([z.string().max(1)], z.string()), b: member.b }),
      'Thing.a',
      true,
      /string here and tuple of string and strings there/,
    ],
    [small(member, { faults: { gone: fault('not_found') } }), 'go fault gone', false, /only there/],
    [small(member, { grpc: 'shop.Things/Go' }), 'go grpc', true, /the method on gRPC/],
    [small(member, { rest: 'PUT /things' }), 'go rest route', true, /route on REST/],
    [small(member, { soap: { action: 'x' } }), 'go soap action', true, /the action on SOAP/],
    [small(member, { idempotency: 'keyed' }), 'go idempotency', false, /undeclared here and keyed there/],
  ]

  for (const [theirs, path, breaking, message] of cases) {
    assert.notEqual(ours.digest, theirs.digest, path)

    const difference = diff(describe(ours), describe(theirs)).find(
      (candidate) => candidate.path === path && message.test(candidate.message),
    )
    assert.ok(difference !== undefined, `${path}: ${JSON.stringify(diff(describe(ours), describe(theirs)))}`)
    assert.equal(difference.breaking, breaking, path)
  }
})

test('bounds inside of messages, lists, maps and tuples are differences too', () => {
  const list = (element: z.ZodType) => z.array(element)
  const shapes = [
    (bound: number) => z.string().max(bound),
    (bound: number) => list(z.string().max(bound)),
    (bound: number) => z.record(z.string().max(bound), z.string()),
    (bound: number) => z.record(z.string(), z.string().max(bound)),
    (bound: number) => z.tuple([z.string(), z.string().max(bound)]),
    (bound: number) => z.tuple([z.string()], z.string().max(bound)),
  ]

  for (const shape of shapes) {
    const [one, other] = [small(member, { output: shape(1) }), small(member, { output: shape(2) })]
    assert.notEqual(one.digest, other.digest)
    assert.deepEqual(
      diff(describe(one), describe(other)).map(({ path, breaking }) => [path, breaking]),
      [['go output', false]],
    )
  }
})

test('enums and unions differ by their values and variants', () => {
  const State = (...values: [string, ...string[]]) => z.enum(values).meta({ id: 'State' })
  const differences = (one: ContractInfo, other: ContractInfo) => diff(describe(one), describe(other))

  assert.deepEqual(
    differences(small({ s: State('open', 'paid') }), small({ s: State('paid', 'open', 'lost') })).map(
      ({ message }) => message,
    ),
    [
      'State.OPEN: the number is 1 here and 2 there',
      'State.PAID: the number is 2 here and 1 there',
      'State.LOST: this value is only there',
    ],
  )

  const card = z.object({ by: z.literal('card') }).meta({ id: 'Card' })
  const cash = z.object({ by: z.literal('cash') }).meta({ id: 'Cash' })
  const one = small({ p: z.discriminatedUnion('by', [card]).meta({ id: 'Payment' }) })
  const two = small({ p: z.discriminatedUnion('by', [cash, card]).meta({ id: 'Payment' }) })
  assert.deepEqual(
    differences(one, two).map(({ path }) => path),
    ['Payment."card"', 'Payment."cash"'],
  )
})

test('an operation that one side does not know breaks nothing', () => {
  const one = contractInfo(contract('acme.x.v1', { a: call({}) }))
  const two = contractInfo(contract('acme.x.v1', { a: call({}), b: call({}) }))

  assert.deepEqual(
    diff(describe(one), describe(two)).map(({ path, breaking }) => [path, breaking]),
    [['b', false]],
  )
  assert.deepEqual(
    diff(describe(two), describe(one)).map(({ path, breaking }) => [path, breaking]),
    [['b', false]],
  )
})

test('digests are equal exactly where there is no difference', () => {
  const scalars = {
    s: () => z.string(),
    i: () => z.int32(),
    l: () => z.int64(),
    d: () => z.date(),
    n: () => z.string().nullable(),
    a: () => z.array(z.string()),
    m: () => z.string().max(3),
  }
  const field = fc.record({
    type: fc.constantFrom(...(Object.keys(scalars) as (keyof typeof scalars)[])),
    presence: fc.constantFrom('required', 'optional'),
  })
  const shape = fc.dictionary(fc.constantFrom('a', 'b', 'c'), field, { noNullPrototype: true })
  const build = (fields: Record<string, { type: keyof typeof scalars; presence: string }>) =>
    small(
      Object.fromEntries(
        Object.entries(fields).map(([name, { type, presence }]) => [
          name,
          presence === 'optional' ? scalars[type]().optional() : scalars[type](),
        ]),
      ),
    )

  fc.assert(
    fc.property(shape, shape, (one, other) => {
      const [ours, theirs] = [build(one), build(other)]
      assert.equal(ours.digest === theirs.digest, diff(describe(ours), describe(theirs)).length === 0)
    }),
    { numRuns: runs },
  )
})
