// Shapes by which two readers of one byte stream can be made to disagree about where a request ends, and other
// requests that no honest peer sends. Each is refused with its status, the connection is closed, and the bytes behind
// it are not read: however the packets are cut.
import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { collect } from '../http/body.ts'
import { HttpHeaders } from '../http/headers.ts'
import { cuts, recordRequests } from './recording.ts'
import { serveHttp1 } from './server.ts'

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`
const chunks = (body: string) => post('Transfer-Encoding: chunked', body)

const shapes: [string, string, number][] = [
  [
    'Content-Length repeated with another value',
    post('Content-Length: 5\r\nContent-Length: 6', 'hello!'),
    400,
  ],
  [
    'Content-Length repeated with the same value',
    post('Content-Length: 5\r\nContent-Length: 5', 'hello'),
    400,
  ],
  ['Content-Length as a list', post('Content-Length: 5, 5', 'hello'), 400],
  ['Content-Length negative', post('Content-Length: -5', 'hello'), 400],
  ['Content-Length with a plus sign', post('Content-Length: +5', 'hello'), 400],
  ['Content-Length hexadecimal', post('Content-Length: 0x5', 'hello'), 400],
  ['Content-Length with a fraction', post('Content-Length: 5.0', 'hello'), 400],
  ['Content-Length empty', post('Content-Length:', 'hello'), 400],
  ['Content-Length with a blank inside', post('Content-Length: 1 0', 'hello'), 400],
  ['Content-Length beyond what a number holds', post('Content-Length: 18446744073709551621', 'hello'), 400],
  [
    'Content-Length in a second field with leading zeros',
    post('Content-Length: 5\r\nContent-Length: 05', 'x'),
    400,
  ],
  [
    'Content-Length before Transfer-Encoding',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    400,
  ],
  [
    'Content-Length after Transfer-Encoding',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
    400,
  ],
  ['Transfer-Encoding: chunked, chunked', post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n'), 400],
  [
    'Transfer-Encoding repeated',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    400,
  ],
  ['Transfer-Encoding: gzip, chunked', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'), 400],
  ['Transfer-Encoding: chunked, gzip', post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'), 400],
  ['Transfer-Encoding: identity', post('Transfer-Encoding: identity', '0\r\n\r\n'), 400],
  ['Transfer-Encoding: xchunked', post('Transfer-Encoding: xchunked', '0\r\n\r\n'), 400],
  ['Transfer-Encoding with a parameter', post('Transfer-Encoding: chunked;q=1', '0\r\n\r\n'), 400],
  ['Transfer-Encoding quoted', post('Transfer-Encoding: "chunked"', '0\r\n\r\n'), 400],
  ['Transfer-Encoding with a vertical tab', post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n'), 400],
  ['a tab around Transfer-Encoding', post('Transfer-Encoding:\tchunked', '0\r\n\r\n'), 400],
  ['a tab around Content-Length', post('Content-Length: 5\t', 'hello'), 400],
  ['Transfer-Encoding empty', post('Transfer-Encoding:', '0\r\n\r\n'), 400],
  [
    'Transfer-Encoding in HTTP/1.0',
    'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a blank before the colon', post('Content-Length : 5', 'hello'), 400],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked', '0\r\n\r\n'), 400],
  ['a blank before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['a folded field (obs-fold)', post('X-A: b\r\n c: d'), 400],
  ['a folded Transfer-Encoding', post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n'), 400],
  ['a bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['a bare LF between fields', 'GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n', 400],
  ['bare LFs throughout', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  ['a bare LF at the end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['a bare CR between fields', 'GET / HTTP/1.1\r\nHost: a\rX-A: b\r\n\r\n', 400],
  ['a bare CR before CRLF', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n', 400],
  ['NUL in a value', post('X-A: b\0c'), 400],
  ['NUL in a name', post('X-\0A: b'), 400],
  ['NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a control character in a value', post('X-A: b\x01c'), 400],
  ['DEL in a value', post('X-A: b\x7fc'), 400],
  ['an invalid character in a name', post('X(A): b'), 400],
  ['a name beyond ASCII', post('X-Ä: b'), 400],
  ['an empty name', post(': b'), 400],
  ['a line without a colon', post('nonsense'), 400],
  ['Host missing', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['Host repeated with another value', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['Host repeated with the same value', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['Host empty', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ['Host with a blank', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['Host with user information', 'GET / HTTP/1.1\r\nHost: user@a\r\n\r\n', 400],
  ['Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['Host as a list', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400],
  ['Host with a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
  ['Host invalid in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a b\r\n\r\n', 400],
  ['an absolute target with another Host', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target with user information', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target without a slash', 'GET index.html HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with a fragment', 'GET /#a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target beyond ASCII', 'GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target with a blank', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['the target * without OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 400],
  ['CONNECT with a path', 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method that is no token', 'GE(T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two blanks after the method', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab after the method', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a blank before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a blank after the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['a version in lower case', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1.10', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['an expectation other than 100-continue', post('Expect: 200-ok\r\nContent-Length: 1', 'x'), 417],
  ['a request line that is too long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['a request line that never ends', `GET /${'x'.repeat(9000)}`, 414],
  ['a head that is too large', post(`X-A: ${'x'.repeat(40_000)}`), 431],
  ['a head that never ends', post(`X-A: ${'x'.repeat(40_000)}`).slice(0, -4), 431],
  ['more fields than allowed', post('a: b\r\n'.repeat(200).slice(0, -2)), 431],
  ['empty lines without end', '\r\n'.repeat(6), 400],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01', 400],

  ['a chunk size that is no number', chunks('z\r\n'), 400],
  ['a chunk size that is empty', chunks('\r\n'), 400],
  ['a chunk size that is negative', chunks('-1\r\n'), 400],
  ['a chunk size with 0x', chunks('0x1\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk size with a blank before it', chunks(' 1\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk size with a blank behind it', chunks('1 \r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk size beyond what a number holds', chunks('fffffffffffffffff\r\n'), 400],
  ['a chunk size that wraps around', chunks('10000000000000005\r\nhello\r\n0\r\n\r\n'), 400],
  ['a chunk size with a bare LF', chunks('1\nx\r\n0\r\n\r\n'), 400],
  ['a chunk size with a bare CR', chunks('1\rx\r\n0\r\n\r\n'), 400],
  ['a chunk that is longer than its size', chunks('1\r\nxy\r\n0\r\n\r\n'), 400],
  ['a chunk that ends with a bare LF', chunks('1\r\nx\n0\r\n\r\n'), 400],
  ['a chunk that ends with a bare CR', chunks('1\r\nx\r0\r\n\r\n'), 400],
  ['a chunk extension with a bare LF', chunks('1;a\nb\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk extension with a bare CR', chunks('1;a\rb\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk extension with NUL', chunks('1;a\0\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk extension without a name', chunks('1;=b\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk extension beyond ASCII', chunks('1;\x80\r\nx\r\n0\r\n\r\n'), 400],
  ['a chunk extension with an open quote', chunks('1;a="b\r\nx\r\n0\r\n\r\n'), 400],
  ['chunk extensions without end', chunks(`1;${'a'.repeat(20_000)}`), 400],
  [
    'chunk extensions without end, spread over chunks',
    chunks(`1;${'a'.repeat(900)}\r\nx\r\n`.repeat(20)),
    400,
  ],
  ['a last chunk that ends with a bare LF', chunks('0\r\n\n'), 400],
  ['a last chunk that ends with a bare CR', chunks('0\r\n\rx'), 400],
  ['a trailer with a bare LF', chunks('0\r\na: b\nc: d\r\n\r\n'), 400],
  ['a trailer that is folded', chunks('0\r\na: b\r\n c\r\n\r\n'), 400],
  ['a trailer without a colon', chunks('0\r\nnonsense\r\n\r\n'), 400],
  ['a trailer Content-Length', chunks('0\r\nContent-Length: 5\r\n\r\n'), 400],
  ['a trailer Transfer-Encoding', chunks('0\r\nTransfer-Encoding: chunked\r\n\r\n'), 400],
  ['trailers that are too large', chunks(`0\r\na: ${'x'.repeat(40_000)}\r\n\r\n`), 400],
]

/** Long ones are cut at fewer places, so that the test stays short. */
const everyCut = 500

for (const [name, bytes, status] of shapes) {
  test(`refused: ${name}`, async () => {
    const whole = Buffer.from(bytes + smuggled, 'latin1')
    const verdict = recordRequests([whole])
    assert.equal(verdict.failure, status)
    assert.ok(verdict.messages.every((message) => message.head.target !== '/smuggled'))
    if (bytes.length <= everyCut) {
      for (const pieces of cuts(whole)) assert.equal(recordRequests(pieces).failure, status)
    } else {
      for (const step of [1000, 4096, 7]) {
        const pieces: Buffer[] = []
        for (let at = 0; at < whole.length; at += step) pieces.push(whole.subarray(at, at + step))
        assert.equal(recordRequests(pieces).failure, status)
      }
    }
    await closesConnection(whole, status)
  })
}

/** The same, seen from outside: the status where nothing was answered yet, nothing smuggled, and the end. */
async function closesConnection(bytes: Buffer, status: number): Promise<void> {
  const [near, far] = duplexPair()
  const seen: string[] = []
  serveHttp1(far, { remoteAddress: '', secure: false }, (exchange) => {
    seen.push(exchange.request.target)
    collect(exchange, 1 << 20, [], (body) =>
      exchange.respond({ status: body === undefined ? status : 200, headers: new HttpHeaders() }, undefined),
    )
  })
  near.write(bytes)
  near.setEncoding('latin1')
  let answer = ''
  for await (const piece of near) answer += piece as string
  assert.ok(!seen.includes('/smuggled'))
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nconnection: close\\r\\n`))
  assert.equal(answer.split('HTTP/1.1 ').length, 2, 'one answer')
}

test('trailers that would change the request are dropped, not merged', () => {
  const { messages } = recordRequests([
    Buffer.from(chunks('0\r\nAuthorization: d\r\nX-A: b\r\nHost: c\r\n\r\n')),
  ])
  assert.deepEqual(messages[0]?.trailers, ['x-a', 'b'])
})
