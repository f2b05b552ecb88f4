import assert from 'node:assert/strict'
import test from 'node:test'
import type { ByteServer } from '../wires/wire.ts'
import { type Sniffed, sniff } from './sniff.ts'

const own: ByteServer = {
  over: 'bytes',
  alpn: 'own/1',
  sniff(head) {
    const magic = Buffer.from([0xf7, 0x01])
    const compared = Math.min(head.length, 2)
    if (head.compare(magic, 0, compared, 0, compared) !== 0) return false
    return compared === 2 ? true : undefined
  },
  serve: () => {
    throw new Error('not served here')
  },
}

const cases: readonly [string, Sniffed][] = [
  ['GET / HTTP/1.1\r\n', 'http1'],
  ['OPTIONS * HTTP/1.1\r\n', 'http1'],
  ['M-SEARCH * HTTP/1.1\r\n', 'http1'],
  ['PRIORITISE / HTTP/1.1\r\n', 'http1'],
  ['\r\nGET / HTTP/1.1\r\n', 'http1'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
  ['\xf7\x01rest', own],
  ['\x16\x03\x01\x02', 'unknown'],
  [' GET / HTTP/1.1', 'unknown'],
  [`${'A'.repeat(40)} / HTTP/1.1`, 'unknown'],
  ['\x00\x00\x00', 'unknown'],
]

test('the first bytes tell the protocol', () => {
  for (const [text, expected] of cases)
    assert.equal(sniff(Buffer.from(text, 'latin1'), [own]), expected, text)
})

test('with fewer bytes the answer is the same or not there yet', () => {
  for (const [text, expected] of cases) {
    const whole = Buffer.from(text, 'latin1')
    for (let length = 0; length < whole.length; length++) {
      const early = sniff(whole.subarray(0, length), [own])
      assert.ok(early === 'more' || early === expected, `${text} at ${length}: ${String(early)}`)
    }
  }
})
