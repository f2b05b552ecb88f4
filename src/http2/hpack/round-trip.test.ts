import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { HpackEncoder } from './encoder.ts'
import { HpackError } from './failure.ts'
import { HpackTemplate } from './template.ts'

const runs = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

/** Numbers from 0 to below a bound, the same for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % bound
  }
}

const known = [
  ':path',
  ':method',
  ':status',
  'authorization',
  'cookie',
  'content-type',
  'grpc-timeout',
  'te',
  'traceparent',
  'x-a',
]

/** Lists out of few names and values, which come again, and some that do not. */
function lists(below: (bound: number) => number): () => string[] {
  const names = [...known, `x-${'l'.repeat(140)}`, ...Array.from({ length: 60 }, (_, i) => `name-${i}`)]
  const text = () => {
    const length = [0, below(20), below(20), below(200), below(20)][below(5)]!
    return String.fromCharCode(
      ...Array.from({ length }, () => (below(4) === 0 ? below(256) : 97 + below(26))),
    )
  }
  const values = Array.from({ length: 30 }, text)

  return () =>
    Array.from({ length: below(12) }, () => [
      names[below(below(3) === 0 ? names.length : 11)]!,
      below(3) === 0 ? text() : values[below(30)]!,
    ]).flat()
}

test('30,000 blocks with tables of all sizes, evictions, resizes, templates and memo come back as they went', () => {
  const below = numbers(7)
  const list = lists(below)
  const out = Buffer.alloc(1 << 16)

  for (let connection = 0; connection < 40 * runs; connection += 1) {
    const tableSize = [0, 64, 200, 4096, 65_536][connection % 5]!
    const encoder = new HpackEncoder({ tableSize, huffman: below(2) === 0, never: ['x-a'] })
    const decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 20, memo: below(4) !== 0 })
    const templates = Array.from({ length: 10 }, () => new HpackTemplate(list()))

    for (let block = 0; block < 750; block += 1) {
      for (let changes = below(20) === 0 ? 1 + below(4) : 0; changes > 0; changes -= 1) {
        const size = [0, 100, 1000, 4096, 65_536][below(5)]!
        encoder.setMaxTableSize(size)
        decoder.setTableSize(size)
      }

      const template = templates[below(10)]!
      const fields = below(2) === 0 ? list() : []
      const middle = encoder.encodeTemplate(template, out, 3)
      const end = encoder.encode(fields, out, middle)
      assert.ok(middle - 3 <= template.bound)
      assert.ok(end - middle <= encoder.bound(fields))

      const decoded = decoder.decode(out, 3, end)
      assert.deepEqual(decoded.fields, [...template.fields, ...fields])
      assert.equal(decoder.tableSize, encoder.tableSize)
    }
  }
})

test('changed and cut blocks are lists or refused with HpackError, and memory stays bounded', () => {
  const below = numbers(11)
  const list = lists(below)
  const out = Buffer.alloc(1 << 16)
  let refused = 0

  for (let connection = 0; connection < 200 * runs; connection += 1) {
    const encoder = new HpackEncoder({ huffman: below(2) === 0 })
    const decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 4096 })

    for (let block = 0; block < 60; block += 1) {
      const end = encoder.encode(list(), out, 0)
      for (let changes = below(3); changes > 0 && end > 0; changes -= 1) out[below(end)]! ^= 1 << below(8)

      try {
        const decoded = decoder.decode(out, 0, below(8) === 0 ? below(end + 1) : end)
        assert.equal(decoded.fields.length % 2, 0)
        if (decoded.tooLarge) assert.equal(decoded.fields.length, 0)
        else
          assert.equal(
            decoded.size,
            decoded.fields.reduce((sum, text) => sum + text.length + 16, 0),
          )
      } catch (error) {
        assert.ok(error instanceof HpackError, String(error))
        refused += 1
      }

      assert.ok(decoder.tableSize <= 4096)
    }
  }

  assert.ok(refused > 100)
})

test('octets at random are lists or refused with HpackError', () => {
  const below = numbers(13)
  const bytes = Buffer.alloc(200)

  for (let i = 0; i < 6_000 * runs; i += 1) {
    const decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 4096 })
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = below(3) === 0 ? below(256) : 0x80 + below(70)

    try {
      decoder.decode(bytes, 0, below(200))
    } catch (error) {
      assert.ok(error instanceof HpackError, String(error))
    }
  }
})

test('a block cut at every octet is the beginning of its list or refused', () => {
  const fields = [
    ':method',
    'POST',
    ':path',
    '/a/b',
    'x-a',
    '1',
    'authorization',
    'y'.repeat(200),
    'te',
    'trailers',
  ]

  for (const huffman of [false, true]) {
    const out = Buffer.alloc(1000)
    const end = new HpackEncoder({ huffman }).encodeTemplate(new HpackTemplate(fields), out, 0)

    for (let cut = 0; cut < end; cut += 1) {
      try {
        const decoded = new HpackDecoder({ tableSize: 4096, maxListSize: 4096 }).decode(out, 0, cut)
        assert.deepEqual(decoded.fields, fields.slice(0, decoded.fields.length))
        assert.ok(decoded.fields.length < fields.length)
      } catch (error) {
        assert.ok(error instanceof HpackError)
      }
    }
  }
})

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}

for (const tableSize of [0, 300, 4096]) {
  test(`node:http2 reads our blocks and we read its own, with a table of ${tableSize} octets`, async () => {
    const server = createServer({ settings: { headerTableSize: tableSize } })
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const echo = Object.entries(headers).filter(([name]) => name.startsWith('x-'))
      stream.respond({ ':status': 200, ...Object.fromEntries(echo) }, { endStream: true })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')

    const encoder = new HpackEncoder({ huffman: true })
    const decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 16 })
    const below = numbers(17)
    const values = Array.from({ length: 5 }, (_, i) => `value ${i} ${'abc~{}"<>\\^|'.slice(i)}`)
    const sent = new Map<number, string[]>()
    let received = 0

    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    socket.write(frame(4, 0, 0, Buffer.alloc(0)))

    const ask = (stream: number) => {
      const fields = [
        ':method',
        'GET',
        ':scheme',
        'http',
        ':path',
        `/${stream % 7}`,
        ':authority',
        '127.0.0.1',
      ]
      const extra = Array.from({ length: below(6) }, (_, i) => [
        `x-${i}`,
        below(2) === 0 ? values[below(5)]! : `unique ${stream} ${i}`,
      ])
      const list = [...fields, ...extra.flat()]
      const out = Buffer.alloc(encoder.bound(list))
      socket.write(frame(1, 0x05, stream, out.subarray(0, encoder.encode(list, out, 0))))
      sent.set(stream, extra.flat())
    }

    const most = 401
    await new Promise<void>((resolve, reject) => {
      let buffered = Buffer.alloc(0)
      socket.on('error', reject)
      socket.on('close', () => reject(new Error('closed early')))
      socket.on('data', (bytes: Buffer) => {
        buffered = Buffer.concat([buffered, bytes])

        while (buffered.length >= 9 && buffered.length >= 9 + buffered.readUIntBE(0, 3)) {
          const end = 9 + buffered.readUIntBE(0, 3)
          const [type, flags, stream] = [buffered[3], buffered[4]!, buffered.readUInt32BE(5)]

          if (type === 4 && (flags & 1) === 0) {
            encoder.setMaxTableSize(tableSize)
            socket.write(frame(4, 1, 0, Buffer.alloc(0)))
            ask(1)
          }

          if (type === 7) reject(new Error('GOAWAY'))

          if (type === 1) {
            const { fields, valid } = decoder.decode(buffered, 9, end)
            const echoed: string[] = []
            for (let i = 0; i < fields.length; i += 2) {
              if (fields[i]!.startsWith('x-')) echoed.push(fields[i]!, fields[i + 1]!)
            }

            try {
              assert.equal(valid, true)
              assert.deepEqual(echoed, sent.get(stream))
            } catch (error) {
              reject(error as Error)
            }

            received += 1
            if (stream < most) ask(stream + 2)
            else resolve()
          }

          buffered = buffered.subarray(end)
        }
      })
    }).finally(() => {
      socket.destroy()
      server.close()
    })

    assert.equal(received, (most + 1) / 2)
  })
}
