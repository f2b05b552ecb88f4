import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { BodyQueue, bytes, chunks, collect, HttpBodyError } from './body.ts'
import { type ContentCoding, contentCodings } from './content-coding.ts'
import { decoding } from './decoding.ts'
import type { BodySink, HttpAbort } from './exchange.ts'
import { HttpHeaders } from './headers.ts'

/** A body that comes in pieces, out of one buffer that is used again: what is borrowed must be copied. */
class Source {
  paused = false
  #sink: BodySink | undefined
  readonly #shared = Buffer.alloc(1 << 16)

  receive(sink: BodySink): void {
    this.#sink = sink
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  send(...pieces: (string | Buffer)[]): this {
    for (const piece of pieces) {
      const size = this.#shared.write(piece.toString('latin1'), 100, 'latin1')
      this.#sink?.data(this.#shared, 100, 100 + size)
      this.#shared.fill(0)
    }
    return this
  }

  end(trailers?: HttpHeaders): void {
    this.#sink?.end(trailers)
  }

  abort(reason: HttpAbort['reason']): void {
    this.#sink?.abort({ reason, message: `it is ${reason}`, processed: 'maybe' })
  }
}

const compress: Record<ContentCoding, (body: string) => Buffer> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
}

test('collect gives all bytes, with the trailers, once', () => {
  const source = new Source()
  const seen: unknown[] = []
  collect(source, 100, [], (body, why, trailers) => seen.push(body?.toString(), why, trailers?.list))
  source.send('one ', 'two ', 'three').end(new HttpHeaders(['a', 'b']))
  source.abort('closed')
  assert.deepEqual(seen, ['one two three', undefined, ['a', 'b']])
})

test('an empty body is an empty buffer', async () => {
  const source = new Source()
  const body = bytes(source, 10)
  source.end()
  assert.equal((await body).length, 0)
})

test('a body may be as large as the limit, and no larger', async () => {
  const source = new Source()
  const exact = bytes(source, 10)
  source.send('12345', '67890').end()
  assert.equal((await exact).toString(), '1234567890')

  const over = bytes(source, 10)
  source.send('12345', '678901', 'never seen').end()
  await assert.rejects(over, (error: HttpBodyError) => {
    assert.equal(error.why.reason, 'too_large')
    assert.match(error.message, /larger than 10 bytes/)
    return error instanceof HttpBodyError
  })
})

test('a body that is cut is an error with its reason', async () => {
  const source = new Source()
  const body = bytes(source, 10)
  source.send('half').abort('closed')
  await assert.rejects(body, (error: HttpBodyError) => error.why.reason === 'closed')
})

for (const coding of contentCodings) {
  const text = 'compressible '.repeat(1000)

  test(`${coding} is undone, whole and streamed`, async () => {
    const source = new Source()
    const compressed = compress[coding](text)
    const whole = bytes(source, text.length, [coding])
    source.send(compressed).end()
    assert.equal((await whole).toString(), text)

    const queue = new BodyQueue()
    const sink = decoding([coding], text.length, queue, source)
    queue.attach(sink)
    source.receive(sink)
    for (const byte of compressed) source.send(Buffer.of(byte))
    source.end(new HttpHeaders(['a', 'b']))
    let all = ''
    for await (const piece of queue) all += piece.toString()
    assert.equal(all, text)
    assert.equal(queue.trailers?.get('a'), 'b')
  })

  test(`a ${coding} bomb is too_large, whole and streamed`, async () => {
    const source = new Source()
    const bomb = compress[coding]('\0'.repeat(5_000_000))
    assert.ok(bomb.length < 100_000)
    const pieces = Array.from({ length: Math.ceil(bomb.length / 1000) }, (_, at) =>
      bomb.subarray(at * 1000, at * 1000 + 1000),
    )
    const whole = bytes(source, 100_000, [coding])
    source.send(...pieces).end()
    await assert.rejects(whole, (error: HttpBodyError) => error.why.reason === 'too_large')

    const queue = new BodyQueue()
    const sink = decoding([coding], 100_000, queue, source)
    source.receive(sink)
    source.send(...pieces).end()
    let seen = 0
    await assert.rejects(
      async () => {
        for await (const piece of queue) seen += piece.length
      },
      (error: HttpBodyError) => error.why.reason === 'too_large',
    )
    assert.ok(seen <= 100_000)
  })

  test(`bytes that are not ${coding}, or cut ${coding}, are a breach of protocol`, async () => {
    const source = new Source()
    for (const wrong of [Buffer.from('\x03not compressed at all'), compress[coding](text).subarray(0, 20)]) {
      const whole = bytes(source, 1000, [coding])
      source.send(wrong).end()
      await assert.rejects(whole, (error: HttpBodyError) => {
        assert.equal(error.why.reason, 'protocol')
        assert.match(error.message, new RegExp(`not valid ${coding}`))
        return true
      })
      const queue = new BodyQueue()
      const sink = decoding([coding], 1000, queue, source)
      source.receive(sink)
      source.send(wrong).end()
      await assert.rejects(
        () => queue.next().then(() => queue.next()),
        (error: HttpBodyError) => error.why.reason === 'protocol',
      )
    }
  })
}

test('deflate without the zlib header, which some peers send, is undone too', async () => {
  const source = new Source()
  const body = bytes(source, 100, ['deflate'])
  source.send(zlib.deflateRawSync('raw')).end()
  assert.equal((await body).toString(), 'raw')
})

test('two codings are undone in reverse order, whole and streamed', async () => {
  const source = new Source()
  const twice = zlib.brotliCompressSync(zlib.gzipSync('twice'))
  const whole = bytes(source, 100, ['gzip', 'br'])
  source.send(twice).end()
  assert.equal((await whole).toString(), 'twice')

  const queue = new BodyQueue()
  source.receive(decoding(['gzip', 'br'], 100, queue, source))
  source.send(twice).end()
  assert.equal((await queue.next()).value?.toString(), 'twice')
  assert.equal((await queue.next()).done, true)
})

test("chunks are read at the reader's speed: the source is paused and resumed", async () => {
  const source = new Source()
  const body = chunks(source)
  const piece = 'x'.repeat(40_000)
  source.send(piece)
  assert.equal(source.paused, false)
  source.send(piece)
  assert.equal(source.paused, true)
  await body.next()
  assert.equal(source.paused, true)
  await body.next()
  assert.equal(source.paused, false)
  const waiting = body.next()
  source.send('direct').end()
  assert.equal((await waiting).value?.toString(), 'direct')
  assert.equal((await body.next()).done, true)
})

test('a reader that waits hears of the abort; what came before is read first', async () => {
  const source = new Source()
  const body = chunks(source)
  source.send('first')
  source.abort('reset')
  assert.equal((await body.next()).value?.toString(), 'first')
  await assert.rejects(body.next(), (error: HttpBodyError) => error.why.reason === 'reset')
})

test('a reader that stops lets the rest go by', async () => {
  const source = new Source()
  const body = chunks(source)
  let cancelled = 0
  body.onCancel = () => cancelled++
  source.send('x'.repeat(60_000), 'x'.repeat(60_000))
  for await (const piece of body) {
    assert.equal(piece.length, 60_000)
    break
  }
  assert.equal(source.paused, false)
  source.send('more').end()
  assert.equal((await body.next()).done, true)
  assert.equal(cancelled, 1)
})

test('a zstd frame that demands a window of more than 8 MiB is refused, however little it holds', async () => {
  // The size of what comes is not known to the compressor, so the frame has the window as it is set.
  const compressor = zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_windowLog]: 24 } })
  compressor.write('{}')
  const frame: Buffer[] = []
  compressor.on('data', (piece: Buffer) => frame.push(piece))
  compressor.flush(() => compressor.end('{}'))
  await new Promise((resolve) => compressor.once('end', resolve))

  const source = new Source()
  const whole = bytes(source, 1000, ['zstd'])
  source.send(...frame).end()
  await assert.rejects(whole, (error: HttpBodyError) => error.why.reason === 'protocol')

  const queue = new BodyQueue()
  source.receive(decoding(['zstd'], 1000, queue, source))
  source.send(...frame).end()
  await assert.rejects(queue.next(), (error: HttpBodyError) => error.why.reason === 'protocol')
})

test('compressed bytes that come one by one are gathered while the decompressor works, and their source waits', async () => {
  const text = randomBytes(100_000).toString('base64')
  const compressed = zlib.gzipSync(text)
  const source = new Source()
  const queue = new BodyQueue()
  const sink = decoding(['gzip'], 1_000_000, queue, source)
  queue.attach(sink)
  source.receive(sink)

  let held = 0
  const sent = (async () => {
    for (const byte of compressed) {
      if (source.paused) held++
      while (source.paused) await new Promise((resolve) => setImmediate(resolve))
      source.send(Buffer.of(byte))
    }
    source.end()
  })()
  let all = ''
  for await (const piece of queue) all += piece.toString()
  await sent
  assert.equal(all, text)
  // 16 KiB may wait; what is more is not taken.
  assert.ok(held >= 2 && held <= compressed.length / (16 * 1024) + 1, `${held} times`)
})
