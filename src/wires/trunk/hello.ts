/**
 * The handshake: one HELLO each way. The client's says which versions, limits and contracts it has; the server's says
 * which version and limits hold and which methods of these contracts have which number. A client that names no contract
 * is told all of them.
 *
 *     client-hello = lowest-version highest-version settings varint *( name digest )
 *     server-hello = version settings varint *contract
 *     contract     = name digest varint *method
 *     method       = id name kind
 *     kind         = OCTET                      ; bit 0: the input is a stream, bit 1: the output is a stream
 *     settings     = varint *( key value )      ; unknown keys are ignored; see `settingKeys`
 *     name, digest = text
 *     lowest-version, highest-version, version, id, key, value = varint
 */
import type { Limits } from '../../call/limits.ts'
import type { Writer } from '../../codec/writer.ts'
import type { CallOperation, ContractInfo } from '../../contract/operation.ts'
import { type Cursor, largestVarint, writeText, writeVarint } from './fields.ts'
import { defaultFrameSize, fragmentSize } from './frames.ts'
import { ProtocolError } from './protocol-error.ts'

/** What one side accepts from the other. Sizes in bytes. */
export interface Settings {
  readonly messageSize: number
  readonly headerSize: number
  /** Calls open at once; 1 to 65536. Only the server's counts. */
  readonly streams: number
  readonly streamWindow: number
  readonly connectionWindow: number
  /** The largest body of a frame; at least 32 KiB more than the largest head. */
  readonly frameSize: number
}

const settingKeys: readonly (keyof Settings)[] = [
  'messageSize',
  'headerSize',
  'streams',
  'streamWindow',
  'connectionWindow',
  'frameSize',
]

/** The settings of this side's limits. */
export function settingsOf(limits: Limits): Settings {
  return {
    messageSize: clamp(limits.messageSize),
    headerSize: clamp(limits.headerSize),
    streams: Math.min(limits.streams, 0x1_0000),
    streamWindow: clamp(limits.streamWindow),
    connectionWindow: clamp(limits.connectionWindow),
    frameSize: Math.max(defaultFrameSize, Math.min(limits.headerSize + fragmentSize, 0xff_ffff)),
  }
}

function clamp(value: number): number {
  return Math.min(Math.floor(value), 0x7fff_ffff)
}

export interface ClientHello {
  readonly lowest: number
  readonly highest: number
  readonly settings: Settings
  readonly contracts: readonly { readonly name: string; readonly digest: string }[]
}

export interface ServerHello {
  readonly version: number
  readonly settings: Settings
  readonly contracts: readonly ServedContract[]
}

export interface ServedContract {
  readonly name: string
  readonly digest: string
  readonly methods: readonly ServedMethod[]
}

export interface ServedMethod {
  readonly id: number
  readonly name: string
  readonly streamedInput: boolean
  readonly streamedOutput: boolean
}

export function writeClientHello(writer: Writer, hello: ClientHello): void {
  writeVarint(writer, hello.lowest)
  writeVarint(writer, hello.highest)
  writeSettings(writer, hello.settings)
  writeVarint(writer, hello.contracts.length)

  for (const { name, digest } of hello.contracts) {
    writeText(writer, name)
    writeText(writer, digest)
  }
}

export function readClientHello(cursor: Cursor): ClientHello {
  const lowest = cursor.varint()
  const highest = cursor.varint()
  if (lowest > highest) throw new ProtocolError(`versions ${lowest} to ${highest} are no range`)
  const settings = readSettings(cursor)
  const contracts = readList(cursor, () => ({ name: cursor.text(), digest: cursor.text() }))
  // A later version may say more; what follows is its business.
  return { lowest, highest, settings, contracts }
}

export function writeServerHello(writer: Writer, hello: ServerHello): void {
  writeVarint(writer, hello.version)
  writeSettings(writer, hello.settings)
  writeVarint(writer, hello.contracts.length)

  for (const { name, digest, methods } of hello.contracts) {
    writeText(writer, name)
    writeText(writer, digest)
    writeVarint(writer, methods.length)

    for (const method of methods) {
      writeVarint(writer, method.id)
      writeText(writer, method.name)
      writeVarint(writer, (method.streamedInput ? 1 : 0) | (method.streamedOutput ? 2 : 0))
    }
  }
}

export function readServerHello(cursor: Cursor): ServerHello {
  const version = cursor.varint()
  const settings = readSettings(cursor)
  const contracts = readList(cursor, () => ({
    name: cursor.text(),
    digest: cursor.text(),
    methods: readList(cursor, (): ServedMethod => {
      const id = cursor.varint()
      const name = cursor.text()
      const kind = cursor.byte()
      if (kind > 3) throw new ProtocolError(`method ${name} is of an unknown kind ${kind}`)
      return { id, name, streamedInput: (kind & 1) !== 0, streamedOutput: (kind & 2) !== 0 }
    }),
  }))
  return { version, settings, contracts }
}

/** The methods of all contracts of a server, numbered in their order. */
export function numberMethods(contracts: readonly ContractInfo[]): {
  readonly served: readonly ServedContract[]
  readonly operations: readonly CallOperation[]
} {
  const operations: CallOperation[] = []

  const served = contracts.map((contract): ServedContract => {
    const methods: ServedMethod[] = []

    for (const operation of contract.operations.values()) {
      if (operation.kind !== 'call') continue
      methods.push({
        id: operations.length,
        name: operation.name,
        streamedInput: operation.input?.stream === true,
        streamedOutput: operation.output?.stream === true,
      })
      operations.push(operation)
    }

    return { name: contract.name, digest: contract.digest, methods }
  })

  return { served, operations }
}

function writeSettings(writer: Writer, settings: Settings): void {
  writeVarint(writer, settingKeys.length)

  for (const [index, name] of settingKeys.entries()) {
    writeVarint(writer, index + 1)
    writeVarint(writer, Math.min(settings[name], largestVarint))
  }
}

/** What holds for a setting that a peer does not name. */
const assumed: Settings = {
  messageSize: 16 * 1024 * 1024,
  headerSize: 32 * 1024,
  streams: 1024,
  streamWindow: 64 * 1024,
  connectionWindow: 64 * 1024,
  frameSize: defaultFrameSize,
}

function readSettings(cursor: Cursor): Settings {
  const settings: { -readonly [Name in keyof Settings]: number } = { ...assumed }
  const pairs = readList(cursor, () => [cursor.varint(), cursor.varint()] as const)

  for (const [key, value] of pairs) {
    const name = settingKeys[key - 1]
    if (name === undefined) continue
    if (value < 1) throw new ProtocolError(`setting ${name} is 0`)
    settings[name] = value
  }

  if (settings.streams > 0x1_0000) throw new ProtocolError(`setting streams is ${settings.streams}`)
  if (settings.frameSize < fragmentSize) {
    throw new ProtocolError(
      `setting frameSize is ${settings.frameSize}, and must be at least ${fragmentSize}`,
    )
  }
  return settings
}

function readList<T>(cursor: Cursor, read: () => T): T[] {
  const count = cursor.varint()
  // Every entry has at least one byte: a count that cannot be true is refused before anything is made.
  if (count > cursor.end - cursor.at) throw new ProtocolError('a list is longer than the frame it is in')
  const list: T[] = []
  for (let index = 0; index < count; index++) list.push(read())
  return list
}
