import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { orders } from '../../examples/orders/service.ts'
import { ordersContract } from '../../test/support/command.ts'
import { runHere } from '../../test/support/run-here.ts'
import { type Server, call, contract, implement, serve } from '../index.ts'
import { rest, trunk } from '../wires/index.ts'

let server: Server
let secretive: Server
const log = { debug() {}, info() {}, warn() {}, error() {} }

before(async () => {
  const Second = contract('acme.second.v1', { ping: call({ rest: 'GET /second' }), only: call({}) })
  server = await serve([orders, implement(Second, { ping() {}, only() {} })], { port: 0, log })
  secretive = await serve(orders, { port: 0, log, wires: [trunk(), rest({ description: false })] })
})

after(async () => {
  await server.close({ grace: 0 })
  await secretive.close({ grace: 0 })
})

const order = '{"sku": "SKU-1", "quantity": 2, "price": 9.5}'

for (const scheme of ['trunk', 'http']) {
  const to = () => ['--to', `${scheme}://${server.authority}`]

  test(`over ${scheme}, call prints the answer as JSON`, async () => {
    const { code, stdout, stderr } = await runHere(['call', 'place', order, ...to()])
    const { id, ...rest } = JSON.parse(stdout)
    assert.match(id, /^ord_/)
    assert.deepEqual(rest, { sku: 'SKU-1', quantity: 2, price: 9.5, note: '', tags: [] })
    assert.equal(stderr, '')
    assert.equal(code, 0)
  })

  test(`over ${scheme}, call prints a stream as one line a message`, async () => {
    const { code, stdout } = await runHere(['call', 'watch', '{"count": 3}', ...to()])
    const lines = stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).quantity),
      [1, 2, 3],
    )
    assert.equal(code, 0)
  })

  test(`over ${scheme}, call sends a stream, one line a message`, async () => {
    const { stdout } = await runHere(['call', 'haggle', '{"bid": 1}\n\n{"bid": 2.5}\n', ...to()])
    assert.equal(stdout, '{"offer":2}\n{"offer":5}\n')
  })

  test(`over ${scheme}, a line that does not fit is named`, async () => {
    const { code, stderr } = await runHere([
      'call',
      'import',
      `${order}\n{"sku": "A", "quantity": 0}`,
      ...to(),
    ])
    assert.match(stderr, /line 2 does not fit NewOrder: [^]*quantity: expected an integer ≥ 1/)
    assert.equal(code, 1)
  })

  test(`over ${scheme}, a fault is printed with its code, message and detail`, async () => {
    const { code, stderr, stdout } = await runHere(['call', 'place', order.replace('SKU', 'NONE'), ...to()])
    assert.match(stderr, /failed_precondition: .*\n {2}fault outOfStock \{"sku":"NONE-1","left":0\}\n/)
    assert.deepEqual([code, stdout], [1, ''])
  })

  test(`over ${scheme}, values are those of our JSON both ways`, async () => {
    const sent = '{"method": "card", "last4": "4242", "expires": "2031-05-31"}'
    assert.deepEqual(JSON.parse((await runHere(['call', 'pay', sent, ...to()])).stdout), JSON.parse(sent))
  })

  test(`over ${scheme}, a call past its time-out says so`, async () => {
    const nap = ['call', 'sleep', '{"milliseconds": 60000}', '--timeout', '50ms', ...to()]
    const { code, stderr } = await runHere(nap)
    assert.match(stderr, /deadline_exceeded/)
    assert.equal(code, 1)
  })

  test(`over ${scheme}, -v tells metadata and timing on stderr`, async () => {
    const { stdout, stderr } = await runHere([
      'call',
      'get',
      '{"id": "x"}',
      '-v',
      '-H',
      'X-Tenant: acme',
      ...to(),
    ])
    assert.match(stderr, /^> acme\.orders\.v1\/get to .*\n> x-tenant: acme\n[^]*< over after [\d.]+ ms\n/)
    assert.equal(stdout, '')
  })
}

test('an operation is named in three ways', async () => {
  for (const name of ['only', 'acme.second.v1/only', 'acme.second.v1.only']) {
    assert.equal((await runHere(['call', name, '--to', `trunk://${server.authority}`])).code, 0, name)
  }
})

test('the contract can come from a module, and must when the server says nothing of itself', async () => {
  const words = ['call', 'place', order, '--to', `http://${secretive.authority}`]
  const without = await runHere(words)
  assert.equal(without.code, 1)
  assert.match(without.stderr, /does not describe itself[^]*--contract <module>/)
  assert.equal((await runHere([...words, '--contract', ordersContract])).code, 0)
})

const mistakes: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  [
    'a name in two contracts',
    ['ping'],
    2,
    /in several contracts[^]*acme\.orders\.v1\/ping[^]*acme\.second\.v1\/ping/,
  ],
  ['a name that is nearly one', ['plcae'], 2, /Did you mean 'place'\?[^]*acme\.orders\.v1 has place, get/],
  ['a full name that is nearly one', ['acme.orders.v1/plcae'], 2, /Did you mean 'acme\.orders\.v1\/place'\?/],
  ['an event', ['placed', '{}'], 2, /'placed' is an event, and only calls can be called/],
  ['input that is not JSON', ['place', '{sku: 1}'], 2, /the input is not JSON[^]*single quotes/],
  [
    'input that does not fit',
    ['place', '{"sku": "A", "quantity": "two"}'],
    1,
    /quantity: expected an integer ≥ 1 .*got "two"/,
  ],
  ['input that is missing', ['place'], 2, /needs an input, NewOrder\n {2}sku: expected/],
  ['input where there is none', ['acme.orders.v1/ping', '{}'], 2, /takes no input/],
  ['a header without a colon', ['only', '-H', 'tenant'], 2, /expected 'name: value', got 'tenant'/],
  [
    'a header that belongs to the wire',
    ['only', '-H', 'content-type: text/plain'],
    2,
    /belongs to the wire itself/,
  ],
  ['a time-out that is no time', ['only', '--timeout', 'soon'], 2, /expected a length of time such as 500ms/],
]

for (const [what, words, code, message] of mistakes) {
  test(`call: ${what}`, async () => {
    const outcome = await runHere(['call', ...words, '--to', `trunk://${server.authority}`])
    assert.match(outcome.stderr, message)
    assert.equal(outcome.code, code)
  })
}

const urls: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['no URL', [], 2, /--to is missing: the server's URL, such as trunk:\/\//],
  ['no scheme', ['--to', 'localhost:7000'], 2, /it begins with the wire: trunk:\/\/localhost:7000/],
  ['a scheme that is nearly one', ['--to', 'trnk://localhost:7000'], 2, /Did you mean 'trunk'\?/],
  ['a port that is none', ['--to', 'http://localhost:99999'], 2, /is no URL/],
  [
    'nobody there, over trunk',
    ['--to', 'trunk://127.0.0.1:1'],
    3,
    /trunk:\/\/127\.0\.0\.1:1: nothing listens there/,
  ],
  ['nobody there, over HTTP', ['--to', 'http://127.0.0.1:1'], 3, /nothing listens there/],
  [
    'nobody there, with a contract',
    ['--to', 'trunk://127.0.0.1:1', '--contract', ordersContract],
    3,
    /nothing listens/,
  ],
]

for (const [what, words, code, message] of urls) {
  test(`call: ${what}`, async () => {
    const outcome = await runHere(['call', 'ping', ...words])
    assert.match(outcome.stderr, message)
    assert.equal(outcome.code, code)
  })
}

test('that a server may not be running is said when nothing listens, and else only what went wrong', async () => {
  const absent = await runHere(['call', 'only', '--to', 'trunk://127.0.0.1:1'])
  assert.match(absent.stderr, /nothing listens there\nIs it running\? trunkline serve <module>\n$/)
  const plain = await runHere(['call', 'only', '--to', `https://${server.authority}`])
  assert.match(plain.stderr, /perhaps because it speaks no TLS there\n$/)
  assert.deepEqual([absent.code, plain.code], [3, 3])
})

test('describe shows what a module declares, and what a server serves, alike', async () => {
  const declared = await runHere(['describe', ordersContract])
  assert.match(declared.stdout, /^acme\.orders\.v1\n {2}digest [0-9a-f]{16}, field numbers from the lock/)
  assert.match(
    declared.stdout,
    /call place {2}Places an order\.\n[^]*fault {3}outOfStock: failed_precondition, HTTP 409/,
  )
  assert.match(declared.stdout, /REST {4}POST \/orders → 201\n {2}gRPC {4}acme\.orders\.v1\.Orders\/Place/)

  const served = await runHere(['describe', '--to', `trunk://${secretive.authority}`])
  assert.equal(served.stdout, declared.stdout)
})

test('describe --json is what fromDescription reads', async () => {
  const { fromDescription } = await import('../index.ts')
  const { stdout } = await runHere(['describe', '--json', '--to', `http://${server.authority}`])
  const contracts = (JSON.parse(stdout) as unknown[]).map(fromDescription)
  assert.deepEqual(
    contracts.map(({ name }) => name),
    ['acme.orders.v1', 'acme.second.v1'],
  )
})

test('describe wants one place to read from', async () => {
  assert.match((await runHere(['describe'])).stderr, /describe what\?/)
  assert.match((await runHere(['describe', 'x', '--to', 'trunk://x'])).stderr, /give one of them/)
})

const unknown: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'one that is nearly right',
    ['place', '{"sku": "A", "qantity": 1, "price": 1}'],
    /the input has a field that acme\.orders\.v1\/place does not know: qantity\n {2}qantity: Did you mean 'quantity'\?\nWith --lenient/,
  ],
  [
    'several',
    ['place', '{"sku": "A", "quantity": 1, "price": 1, "Note": "x", "zzz": {}}'],
    /has 2 fields that acme\.orders\.v1\/place does not know: Note\n {2}Note: Did you mean 'note'\?\n {2}zzz: NewOrder has sku, quantity, price, note, tags\n/,
  ],
  [
    'one of a variant',
    ['pay', '{"method": "cash", "iban": "x"}'],
    /acme\.orders\.v1\/pay does not know: iban\n {2}iban: Cash has method\n/,
  ],
  [
    'one in a line of a stream',
    ['import', `${order}\n{"sku": "A", "quantity": 1, "price": 1, "tag": []}`],
    /line 2: the input has a field that acme\.orders\.v1\/import does not know: tag\n {2}tag: Did you mean 'tags'\?/,
  ],
]

for (const [what, words, message] of unknown) {
  test(`call refuses a field that the operation does not have: ${what}`, async () => {
    const to = ['--to', `trunk://${server.authority}`]
    const refused = await runHere(['call', ...words, ...to])
    assert.match(refused.stderr, message)
    assert.deepEqual([refused.code, refused.stdout], [2, ''])
  })
}

test('call --lenient leaves out fields that the operation does not have', async () => {
  const given = '{"sku": "A", "quantity": 1, "price": 1, "colour": "red"}'
  const to = ['--to', `trunk://${server.authority}`]
  const { code, stdout, stderr } = await runHere(['call', 'place', given, '--lenient', ...to])
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal('colour' in JSON.parse(stdout), false)
  const stream = await runHere(['call', 'haggle', '{"bid": 1, "for": "x"}', '--lenient', ...to])
  assert.equal(stream.stdout, '{"offer":2}\n')
})
