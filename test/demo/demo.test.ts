import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { implement, serve, type In } from 'trunkline'
import { NewOrder, type Order, Orders } from '../../examples/orders/contract.ts'
import { checkRound } from '../../examples/orders/demo-check.ts'
import { clientOf } from '../../examples/orders/demo-clients.ts'
import { type ForeignCall, foreignRow, tellForeign } from '../../examples/orders/demo-foreign.ts'
import { readOrders, wrongLines } from '../../examples/orders/demo-input.ts'
import { Statistics, percentile } from '../../examples/orders/demo-statistics.ts'
import { tableLines } from '../../examples/orders/demo-table.ts'
import honest from '../../examples/orders/service.ts'
import { signal } from '../support/events.ts'
import { root, runningScript, script, shell } from '../support/command.ts'
import { refused } from '../support/refused.ts'

const sample = readFileSync(join(root, 'examples/orders/orders.ndjson'), 'utf8')
const orders: unknown[] = sample
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

test('the sample is of at least 1,000 orders, in several languages, with some that are refused', () => {
  const good = orders.filter((order) => NewOrder.safeParse(order).success)
  const gone = orders.filter((order) => String((order as { sku?: unknown }).sku).startsWith('NONE'))
  assert.ok(orders.length >= 1000)
  assert.ok(orders.length - good.length >= 20)
  assert.ok(gone.length >= 50)
  assert.ok(new Set(orders.map((order) => (order as { note?: string }).note)).size >= 15)
})

test('the sample is what its script writes', async () => {
  const { stdout } = await script('examples/orders/demo-orders.ts', [])
  assert.equal(stdout, sample)
})

test('one round checks every reply, of two servers over every wire, and exits with 0', async () => {
  const { code, stdout, stderr } = await script('examples/orders/demo.ts', ['--once', '--port', '0'])
  assert.equal(stderr, '')
  assert.match(stdout, /1200 orders over 3 wires: \d+ calls in [\d.]+ s, 0 problems\n$/)
  assert.equal(
    stdout.match(/^(trunk|gRPC|REST) +127\.0\.0\.1:\d+ +\d+ calls, \d+ faults on purpose: as expected$/gm)
      ?.length,
    6,
  )
  assert.equal(code, 0)
})

test('orders come from stdin when they are piped', async () => {
  const stdin = '{"sku": "A", "quantity": 1, "price": 1}\n{"sku": "NONE-1", "quantity": 1, "price": 1}\n'
  const { code, stdout } = await script('examples/orders/demo.ts', ['--once', '--port', '0'], { stdin })
  assert.match(stdout, /\n2 orders over 3 wires/)
  assert.equal(code, 0)
})

test('orders that break a rule are pointed out by line, counted, and sent all the same', async () => {
  const stdin = [
    '{"sku": "A", "quantity": 1, "price": 1}',
    '',
    '{"sku": "a b", "quantity": 0, "price": 1}',
    '5',
    '',
  ].join('\n')
  const { code, stdout } = await script(
    'examples/orders/demo.ts',
    ['--once', '--port', '0', '--orders', '-'],
    { stdin },
  )
  assert.match(stdout, /^stdin: 2 of 3 orders break a rule of the contract, and will be refused:\n/)
  assert.match(stdout, /\n {2}line 3: sku: .*; quantity: .*\n {2}line 4: Invalid input: expected object/)
  assert.match(stdout, /\n3 orders over 3 wires/)
  assert.equal(code, 0)
})

test('of many wrong orders the first ten are shown, and those of the sample are counted alone', async () => {
  const { from, orders: read, wrong } = await readOrders(join(root, 'examples/orders/orders.ndjson'))
  const shown = wrongLines({ from: 'my.ndjson', orders: read, wrong })
  assert.equal(shown.length, 12)
  assert.equal(shown.at(-1), `  and ${wrong.length - 10} more`)
  assert.equal(wrongLines({ from, orders: read, wrong }).length, 1)
  assert.deepEqual(wrongLines({ from, orders: read, wrong: [] }), [])
  for (const { line } of wrong) assert.equal(NewOrder.safeParse(orders[line - 1]).success, false)
})

test('stdin that nobody writes to leaves the sample', async () => {
  await using silent = runningScript('examples/orders/demo.ts', ['--once', '--port', '0'])
  await silent.until(/^1200 orders over 3 wires/)
  assert.equal((await silent.ended).code, 0)
})

for (const [what, words, stdin, message] of [
  ['a line that is not JSON', ['--orders', '-'], '{}\nhello\n', /stdin, line 2 is not JSON/],
  ['a file that is not there', ['--orders', 'no.ndjson'], '', /there is no file 'no\.ndjson'/],
  ['a rate that is none', ['--rate', 'fast'], '', /--rate: expected a number above 0, or max/],
] as const) {
  test(`the demo says what is wrong: ${what}`, async () => {
    const { code, stderr } = await script('examples/orders/demo.ts', ['--once', ...words], { stdin })
    assert.match(stderr, message)
    assert.equal(code, 1)
  })
}

type OrderValue = In<typeof Order>

/** A service that answers as the honest one, but for what is given. */
function liar(lies: Partial<Parameters<typeof implement<typeof Orders>>[1]>) {
  const kept = new Map<string, OrderValue>()
  let next = 0
  return implement(Orders, {
    place(order, ctx) {
      if (order.sku.startsWith('NONE')) throw ctx.fault.outOfStock({ sku: order.sku, left: 0 })
      const placed = { ...order, id: `ord_${next++}` }
      kept.set(placed.id, placed)
      return placed
    },
    get({ id }, ctx) {
      const order = kept.get(id)
      if (order === undefined) throw ctx.fault.noSuchOrder({ id })
      return order
    },
    replace(order) {
      kept.set(order.id, order)
      return order
    },
    cancel({ id }) {
      kept.delete(id)
    },
    search: ({ sku }) => ({ orders: [...kept.values()].filter((order) => order.sku === sku) }),
    *watch({ sku = '', count }) {
      for (let i = 1; i <= count; i++)
        yield { id: `ord_${i}`, sku, quantity: i, price: 1, note: '', tags: [] }
    },
    async import(placed) {
      let count = 0
      let total = 0
      for await (const { price, quantity } of placed) {
        count++
        total += price * quantity
      }
      return { count, total }
    },
    async *haggle(bids) {
      for await (const { bid } of bids) yield { offer: bid * 2 }
    },
    echo: (order) => order,
    everything: (value) => value,
    pay: (payment) => payment,
    ping() {},
    async sleep({ milliseconds }, ctx) {
      if (milliseconds > 1000) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
    },
    async fail({ code }) {
      const { CallError } = await import('trunkline')
      throw new CallError(code, 'as asked')
    },
    ...lies,
  })
}

async function problemsOf(service: ReturnType<typeof liar>): Promise<readonly string[]> {
  await using server = await serve(service, {
    port: 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await using client = clientOf({ name: 'trunk', scheme: 'trunk' }, [server], new Statistics())
  const { problems } = await checkRound({ spread: client, own: client }, orders.slice(0, 60))
  return problems
}

test('the round finds nothing wrong with an honest server, and counts the faults that were meant to come', async () => {
  assert.deepEqual(await problemsOf(liar({})), [])
  assert.deepEqual(await problemsOf(honest), [])
})

const lies: readonly (readonly [string, Parameters<typeof liar>[0], RegExp])[] = [
  [
    'an order that comes back changed',
    { place: (order) => ({ ...order, id: 'ord_1', price: order.price + 1 }) },
    /^order 1: /,
  ],
  [
    'an order that is sold although there is none',
    { place: (order) => ({ ...order, id: 'ord_1' }) },
    /^order 6: was answered, and must fail with outOfStock/,
  ],
  [
    'an order that is forgotten',
    {
      get: ({ id }, ctx) => {
        throw ctx.fault.noSuchOrder({ id })
      },
    },
    /^get, replace, search and cancel/,
  ],
  ['a cancellation that does nothing', { cancel() {} }, /^get, replace, search and cancel: was answered/],
  ['an echo of something else', { echo: (order) => ({ ...order, note: '' }) }, /^echo: /],
  ['a value that is lost', { everything: (value) => ({ ...value, nullable: 'x' }) }, /^everything: /],
  ['another payment', { pay: () => ({ method: 'cash' }) }, /^pay by card: /],
  ['a stream that ends early', { *watch() {} }, /^watch: /],
  [
    'a sum that is wrong',
    {
      import: async (placed) => {
        let count = 0
        for await (const _ of placed) count++
        return { count, total: 1 }
      },
    },
    /^import: /,
  ],
  [
    'an offer that is not twice the bid',
    {
      async *haggle(bids) {
        for await (const { bid } of bids) yield { offer: bid }
      },
    },
    /^haggle: /,
  ],
  ['no failure where one was asked for', { fail() {} }, /^fail: was answered, and must fail with aborted/],
  ['no sleep', { async sleep() {} }, /^sleep past its deadline: was answered/],
]

for (const [what, lie, problem] of lies) {
  test(`the round finds ${what}`, async () => {
    const problems = await problemsOf(liar(lie))
    assert.ok(
      problems.some((each) => problem.test(each)),
      problems.join('\n'),
    )
  })
}

test('percentiles are the nearest rank', () => {
  assert.equal(percentile([1, 2, 3, 4], 0.5), 2)
  assert.equal(percentile([1, 2, 3, 4], 0.99), 4)
  assert.ok(Number.isNaN(percentile([], 0.5)))
})

test('calls without the mark of the demo are told, with how they ended', async () => {
  const told: ForeignCall[] = []
  const both = signal()
  const filter = tellForeign(({ foreign }) => {
    told.push(...foreign)
    if (told.length >= 2) both.resolve()
  })
  await using server = await serve(honest, { port: 0, filters: [filter] })
  await using own = clientOf({ name: 'trunk', scheme: 'trunk' }, [server], new Statistics())
  await own.ping()

  assert.equal((await fetch(`http://${server.authority}/ping`)).status, 204)
  assert.equal((await fetch(`http://${server.authority}/orders/none`)).status, 404)
  await own.ping()
  await both.promise
  assert.deepEqual(
    told.map(({ wire, failed }) => [foreignRow(wire), failed]),
    [
      ['REST, others', false],
      ['REST, others', true],
    ],
  )
  assert.ok(told.every(({ milliseconds }) => milliseconds >= 0))
})

test('the table has a row a wire and server, with what the last interval brought', () => {
  const statistics = new Statistics()
  for (let n = 1; n <= 10; n++) statistics.record('trunk', '127.0.0.1:7000', n, n === 10)
  statistics.record('http', '127.0.0.1:7001', 2, false)
  assert.deepEqual(tableLines(statistics.take(2)), [
    'wire   server          calls/s  p50 ms  p99 ms  calls  faults',
    'http   127.0.0.1:7001        1    2.00    2.00      1       0',
    'trunk  127.0.0.1:7000        5    5.00   10.00     10       1',
  ])
  assert.equal(
    tableLines(statistics.take(1))[2],
    'trunk  127.0.0.1:7000        0       –       –     10       1',
  )
})

test('while the demo runs, what it prints to try works as printed; Ctrl-C drains and exits with 0', async () => {
  await using demo = runningScript('examples/orders/demo.ts', [
    '--port',
    '0',
    '--orders',
    'examples/orders/orders.ndjson',
  ])
  const head = await demo.until(/^wire /)

  const lines = head.filter((line) => /^ {2}(curl|grpcurl|npm) /.test(line)).map((line) => line.trim())
  assert.equal(lines.length, 8)
  const there = new Set<string>()
  for (const name of ['curl', 'grpcurl', 'npm']) {
    if ((await shell(`command -v ${name}`)).code === 0) there.add(name)
  }
  for (const line of lines.filter((each) => there.has(each.split(' ', 1)[0] as string))) {
    const { code, stdout, stderr } = await shell(line)
    assert.equal(code, 0, `${line}\n${stderr}`)
    assert.match(stdout, /ord_|acme\.orders\.v1/, line)
    assert.equal(stderr, '', line)
  }

  const servers = head.flatMap((line) => / on (?<at>\S+) \(/.exec(line)?.groups?.['at'] ?? [])
  assert.equal(servers.length, 2)
  const wanted = new Set(servers.flatMap((at) => [`trunk ${at}`, `gRPC ${at}`, `REST ${at}`]))
  // What was tried above has rows of its own.
  wanted
    .add(`trunk, others ${servers[0]}`)
    .add(`gRPC, others ${servers[1]}`)
    .add(`REST, others ${servers[1]}`)
  while (wanted.size > 0) {
    const [wire, at] = (await demo.line()).split(/ {2,}/)
    wanted.delete(`${wire} ${at}`)
  }

  demo.child.kill('SIGINT')
  await demo.until(/^ending: /)
  assert.deepEqual(await demo.ended, { code: 0, signal: null })
})

test('servers end with the demo, even when it is killed', async () => {
  await using demo = runningScript('examples/orders/demo.ts', [
    '--port',
    '0',
    '--orders',
    'examples/orders/orders.ndjson',
  ])
  const head = await demo.until(/^wire /)
  const servers = head.flatMap((line) => / on (?<at>\S+) \(/.exec(line)?.groups?.['at'] ?? [])
  demo.child.kill('SIGKILL')
  await demo.ended

  for (const at of servers) await refused(Number(at.split(':').at(-1)))
})
