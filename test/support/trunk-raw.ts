/** A peer of trunk made by hand, for tests in which one side does not keep to the protocol. */
import net from 'node:net'
import { Writer } from '../../src/codec/writer.ts'
import { Cursor, writeText, writeVarint } from '../../src/wires/trunk/fields.ts'
import { FrameReader, beginFrame, finishFrame, frameType, magic } from '../../src/wires/trunk/frames.ts'
import { type Settings, writeClientHello, writeServerHello } from '../../src/wires/trunk/hello.ts'

export interface RawFrame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly body: Buffer
}

export const generous: Settings = {
  messageSize: 1 << 24,
  headerSize: 32 * 1024,
  streams: 64,
  streamWindow: 1 << 20,
  connectionWindow: 1 << 24,
  frameSize: 1 << 16,
}

/** The bytes of one frame. */
export function frame(
  type: number,
  flags: number,
  id: number,
  body: Uint8Array | ((writer: Writer) => void),
): Buffer {
  const writer = new Writer(1024)
  const start = beginFrame(writer, type, flags, id)
  if (typeof body === 'function') body(writer)
  else {
    writer.reserve(body.length)
    writer.bytes.set(body, writer.position)
    writer.position += body.length
  }
  finishFrame(writer, start)
  return writer.copy()
}

/** The body of an OPEN up to its message. */
export function openBody(method: number, message: Uint8Array, timeout = 0): (writer: Writer) => void {
  return (writer) => {
    writeVarint(writer, method)
    writeVarint(writer, timeout)
    writer.reserve(message.length)
    writer.bytes.set(message, writer.position)
    writer.position += message.length
  }
}

export function credit(id: number, bytes: number): Buffer {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(bytes)
  return frame(frameType.credit, 0, id, body)
}

export function clientHello(settings: Partial<Settings> = {}, contracts: readonly string[] = []): Buffer {
  return frame(frameType.hello, 0, 0, (writer) =>
    writeClientHello(writer, {
      lowest: 1,
      highest: 1,
      settings: { ...generous, ...settings },
      contracts: contracts.map((name) => ({ name, digest: '' })),
    }),
  )
}

export function serverHello(
  contract: string,
  digest: string,
  methods: readonly string[],
  settings: Partial<Settings> = {},
  kinds: readonly number[] = [],
): Buffer {
  return frame(frameType.hello, 0, 0, (writer) =>
    writeServerHello(writer, {
      version: 1,
      settings: { ...generous, ...settings },
      contracts: [
        {
          name: contract,
          digest,
          methods: methods.map((name, id) => ({
            id,
            name,
            streamedInput: ((kinds[id] ?? 0) & 1) !== 0,
            streamedOutput: ((kinds[id] ?? 0) & 2) !== 0,
          })),
        },
      ],
    }),
  )
}

export function goawayBody(code: number, opens: number, text: string): (writer: Writer) => void {
  return (writer) => {
    writeVarint(writer, code)
    writeVarint(writer, opens)
    writeText(writer, text)
  }
}

/** One end of a connection, frames in, bytes out. */
export class RawPeer {
  readonly socket: net.Socket
  readonly frames: RawFrame[] = []
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>
  readonly #wanted: {
    readonly matches: (frame: RawFrame) => boolean
    readonly resolve: (frame: RawFrame) => void
  }[] = []
  #skip: number

  constructor(socket: net.Socket, fromClient: boolean) {
    this.socket = socket
    this.#skip = fromClient ? magic.length : 0
    const reader = new FrameReader(1 << 24)
    const sink = {
      closed: false,
      frame: (type: number, flags: number, id: number, bytes: Buffer, start: number, end: number) => {
        this.#arrived({ type, flags, id, body: Buffer.from(bytes.subarray(start, end)) })
      },
    }
    socket.on('data', (chunk: Buffer) => {
      const skipped = Math.min(this.#skip, chunk.length)
      this.#skip -= skipped
      reader.read(chunk.subarray(skipped), sink)
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve())
    })
  }

  #arrived(arrived: RawFrame): void {
    this.frames.push(arrived)
    const index = this.#wanted.findIndex(({ matches }) => matches(arrived))
    if (index >= 0) this.#wanted.splice(index, 1)[0]!.resolve(arrived)
  }

  write(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts))
  }

  /** The first frame of a type, there already or to come. */
  first(type: number, id?: number): Promise<RawFrame> {
    const matches = (each: RawFrame): boolean => each.type === type && (id === undefined || each.id === id)
    const there = this.frames.find(matches)
    if (there !== undefined) return Promise.resolve(there)
    return new Promise((resolve) => {
      this.#wanted.push({ matches, resolve })
    })
  }

  /** Does something at the first frame of a type. */
  answer(type: number, id: number | undefined, run: (frame: RawFrame) => void): void {
    void this.first(type, id).then(run)
  }

  /** Why the other side says goodbye. */
  async reason(): Promise<string> {
    const { body } = await this.first(frameType.goaway)
    const cursor = new Cursor().set(body, 0, body.length)
    cursor.varint()
    cursor.varint()
    return cursor.text()
  }
}

/** A client made by hand, that has said hello unless told otherwise. */
export async function rawClient(port: number, greeting: Uint8Array = clientHello()): Promise<RawPeer> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const peer = new RawPeer(socket, false)
  peer.write(magic, greeting)
  return peer
}

/** A server made by hand: `script` is run for its one connection. */
export async function rawServer(
  script: (peer: RawPeer) => void,
): Promise<{ readonly port: number; close(): void } & Disposable> {
  const peers: RawPeer[] = []
  const listener = net.createServer({ noDelay: true }, (socket) => {
    const peer = new RawPeer(socket, true)
    peers.push(peer)
    script(peer)
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const close = (): void => {
    for (const { socket } of peers) socket.destroy()
    listener.close()
  }
  return { port: (listener.address() as net.AddressInfo).port, close, [Symbol.dispose]: close }
}
