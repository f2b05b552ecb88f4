import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { defaultHttp1Limits } from './limits.ts'
import { requestParser, responseParser } from './parser.ts'
import { cuts, recordRequests, recordResponses } from './recording.ts'

const runs = 100 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)
const latin1 = (text: string) => Buffer.from(text, 'latin1')

const requests: [string, string][] = [
  ['a GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a body by length', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
  ['a length with leading zeros', 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello'],
  [
    'a chunked body with extensions, upper and lower case, leading zeros and trailers',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n' +
      'a;name=value;q="x y"\r\n0123456789\r\n0A\r\n0123456789\r\n000;last\r\nX-One: 1\r\nx-two:2\r\n\r\n',
  ],
  ['empty lines before the request', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'three, pipelined',
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n\r' +
      '\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'a body that looks like a request',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n',
  ],
  [
    'values with tabs, obs-text and white space around them',
    'GET / HTTP/1.1\r\nHost:\t a \r\nX-A: b\tc \xe4\r\nX-Empty:\r\n\r\n',
  ],
  ['IPv6 and a port', 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n'],
  ['an absolute target', 'GET http://A:80?b HTTP/1.1\r\nHost: a:80\r\n\r\n'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'],
  ['an unusual method', 'M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\n'],
]

for (const [name, text] of requests) {
  test(`read, at every cut the same: ${name}`, () => {
    const whole = recordRequests([latin1(text)])
    assert.equal(whole.reason, undefined)
    assert.ok(whole.messages.length > 0 && whole.messages.every((message) => message.complete))
    for (const pieces of cuts(latin1(text))) assert.deepEqual(recordRequests(pieces), whole)
  })
}

test('a chunked body is its chunks, without what frames them', () => {
  const [message] = recordRequests([latin1(requests[3]?.[1] as string)]).messages
  assert.equal(message?.body, '01234567890123456789')
  assert.deepEqual(message?.trailers, ['x-one', '1', 'x-two', '2'])
})

test('values lose the white space around them, and keep the rest', () => {
  const [message] = recordRequests([latin1(requests[7]?.[1] as string)]).messages
  assert.deepEqual(message?.head.headers.list, ['host', 'a', 'x-a', 'b\tc \xe4', 'x-empty', ''])
})

test('an absolute target gives authority and path', () => {
  const [message] = recordRequests([latin1(requests[9]?.[1] as string)]).messages
  assert.equal(message?.head.authority, 'A:80')
  assert.equal(message?.head.target, '/?b')
})

for (const [field, version, keepAlive] of [
  ['X: y', '1.1', true],
  ['Connection: close', '1.1', false],
  ['Connection: x, Close ,y', '1.1', false],
  ['Connection: keep-alive', '1.0', true],
  ['Connection: Keep-Alive', '1.0', true],
  ['X: y', '1.0', false],
  ['Connection: keep-alive, close', '1.0', false],
] as const) {
  test(`HTTP/${version} with "${field}" ${keepAlive ? 'keeps the connection' : 'closes'}`, () => {
    const { messages } = recordRequests([latin1(`GET / HTTP/${version}\r\nHost: a\r\n${field}\r\n\r\n`)])
    assert.equal(messages[0]?.head.keepAlive, keepAlive)
  })
}

const responses: [string, string, string | undefined][] = [
  ['by length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', 'hi'],
  ['until close', 'HTTP/1.1 200 OK\r\n\r\nhi', 'hi'],
  ['without a reason', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi', 'hi'],
  ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi', 'hi'],
  ['cut short', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi', undefined],
  ['cut short in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi', undefined],
]

for (const [name, text, body] of responses) {
  test(`a response ${name}, at every cut the same`, () => {
    const whole = recordResponses([latin1(text)])
    assert.equal(whole.reason, undefined)
    assert.equal(whole.messages[0]?.complete, body !== undefined)
    assert.equal(whole.messages[0]?.body, body ?? 'hi')
    for (const pieces of cuts(latin1(text))) assert.deepEqual(recordResponses(pieces), whole)
  })
}

test('a response head that is not one is refused', () => {
  for (const line of [
    'HTTP/2 200 OK',
    'HTTP/1.1 99 No',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1  200 OK',
    'ICY 200 OK',
    '200 OK',
  ]) {
    assert.equal(recordResponses([latin1(`${line}\r\n\r\n`)]).failure, 400, line)
  }
})

test('a body that is held up stays with the caller', () => {
  const seen: string[] = []
  const parser = requestParser(defaultHttp1Limits, {
    head: () => (parser.hold = true),
    data: (bytes, start, end) => seen.push(bytes.latin1Slice(start, end)),
    end: () => seen.push('end'),
  })
  const bytes = latin1('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi')
  const at = parser.parse(bytes, 0, bytes.length)
  assert.equal(at, bytes.length - 2)
  assert.equal(parser.parse(bytes, at, bytes.length), at)
  assert.equal(parser.remaining, 2)
  parser.hold = false
  assert.equal(parser.parse(bytes, at, bytes.length), bytes.length)
  assert.deepEqual(seen, ['hi', 'end'])
})

test('the answer to HEAD has no body, whatever its length', () => {
  const statuses: number[] = []
  const parser = responseParser(defaultHttp1Limits, {
    head: (head) => statuses.push(head.status),
    data: () => assert.fail('no body'),
    end: () => assert.fail('no body'),
  })
  parser.bodiless = true
  const bytes = latin1('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n')
  assert.equal(parser.parse(bytes, 0, bytes.length), bytes.length)
  assert.ok(parser.done)
})

test('what is read of a stuck head stays bounded', () => {
  const parser = requestParser(defaultHttp1Limits, { head() {}, data() {}, end() {} })
  let fed = 0
  for (
    const piece = latin1('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    parser.failure === undefined;
    fed += piece.length
  ) {
    parser.parse(piece, 0, piece.length)
    assert.ok(fed < 2 * defaultHttp1Limits.headerSize)
  }
  assert.equal(parser.failure.status, 431)
})

// ── fuzz ──

const corpus = [...requests, ...responses].map(([, text]) => latin1(text))

/** A piece of the corpus with bytes changed, taken out, doubled or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(
      fc.record({
        at: fc.nat(400),
        kind: fc.constantFrom('set', 'delete', 'insert', 'double'),
        byte: fc.oneof(fc.constantFrom(...latin1('\r\n :;,\0\t0aA/=-\x80')), fc.nat(255)),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([seed, changes]) => {
    const bytes = [...seed]
    for (const { at, kind, byte } of changes) {
      const place = at % (bytes.length + 1)
      if (kind === 'set') bytes[Math.min(place, bytes.length - 1)] = byte
      else if (kind === 'delete') bytes.splice(place, 1 + (byte % 5))
      else if (kind === 'insert') bytes.splice(place, 0, byte)
      else bytes.splice(place, 0, ...bytes.slice(place, place + byte))
    }
    return Buffer.from(bytes)
  })

const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
const places = fc.array(fc.nat(500), { maxLength: 8 })

function cutAt(bytes: Buffer, at: readonly number[]): Buffer[] {
  const sorted = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
}

for (const [name, read] of [
  ['requests', recordRequests],
  ['responses', recordResponses],
] as const) {
  test(`fuzz: whatever comes as ${name}, nothing is thrown, and packets do not change the verdict`, () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: mutated }, noise), places, (bytes, at) => {
        const whole = read([bytes])
        const cut = read(cutAt(bytes, at))
        const single = read(Array.from(bytes, (byte) => Buffer.of(byte)))
        for (const other of [cut, single]) {
          assert.equal(other.failure, whole.failure)
          assert.deepEqual(other.messages, whole.messages)
        }
      }),
      { numRuns: runs * 10 },
    )
  })
}
