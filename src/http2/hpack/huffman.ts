/**
 * HOT PATH. Huffman coding of strings (RFC 7541 section 5.2). Guarded by `bench/systems/http2-raw-server.ts`.
 *
 *     string = *code padding     padding: fewer than 8 bits, the first of the code of EOS: ones
 *
 * Decoding is a state machine over whole octets: a state is an inner node of the code's tree, and an octet
 * leads from one to another and completes at most two symbols, since no code is shorter than five bits. There
 * are 256 states; what an octet does in a state is worked out when it is first met and kept: 256 KiB, of
 * which text touches a small part.
 */
import { HpackError } from './failure.ts'
import { canonicalCodes, codeLengths, endOfString } from './huffman-table.ts'

/** Codes and lengths in typed arrays, and the tree: two children a node, a leaf is -1 - symbol. */
interface Machine {
  readonly codes: Uint32Array
  readonly lengths: Uint8Array
  readonly children: Int16Array
  /** Per state: whether a string may end here. */
  readonly ends: Uint8Array
  /**
   * What an octet does in a state, by `state << 8 | octet`; 0 when it is not known yet:
   * `1 << 31 | failed << 26 | symbols << 24 | next state << 16 | first symbol << 8 | second symbol`.
   */
  readonly steps: Int32Array
}

const known = 1 << 31
const failed = 1 << 26

/**
 * The room that decoding needs: the shortest code has five bits, and the machine writes two octets beyond the
 * end.
 */
export function decodingRoom(length: number): number {
  return Math.ceil((length * 8) / 5) + 2
}

let machine: Machine | undefined

/** The length of a string, encoded. */
export function huffmanLength(text: string): number {
  const { lengths } = (machine ??= build())
  let bits = 0
  for (let i = 0; i < text.length; i += 1) bits += lengths[text.charCodeAt(i) & 0xff] as number
  return (bits + 7) >>> 3
}

/** Writes a Latin-1 string, encoded, and says where it ends. */
export function writeHuffman(text: string, out: Uint8Array, at: number): number {
  const { codes, lengths } = (machine ??= build())
  let next = at
  let held = 0
  let bits = 0

  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i) & 0xff
    const code = codes[octet] as number
    let length = lengths[octet] as number

    // At most 7 bits are held, and 24 more fit into 31: a longer code goes in two parts.
    if (length > 24) {
      const upper = length - 24
      held = (held << upper) | (code >>> 24)
      bits += upper
      length = 24

      while (bits >= 8) {
        bits -= 8
        out[next] = held >>> bits
        next += 1
      }

      held &= 0xff >>> (8 - bits)
    }

    held = (held << length) | (code & 0xffffff)
    bits += length

    while (bits >= 8) {
      bits -= 8
      out[next] = held >>> bits
      next += 1
    }

    held &= 0xff >>> (8 - bits)
  }

  if (bits === 0) return next
  out[next] = (held << (8 - bits)) | (0xff >>> bits)
  return next + 1
}

/**
 * Decodes a string into `out`, which has `decodingRoom`, from its beginning; says how many octets there are.
 */
export function readHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  const { steps, ends } = (machine ??= build())
  let state = 0
  let length = 0

  for (let i = start; i < end; i += 1) {
    const index = (state << 8) | (bytes[i] as number)
    let step = steps[index] as number
    if (step === 0) step = learn(index)
    if ((step & failed) !== 0) throw new HpackError(`the Huffman-coded string at octet ${start} contains EOS`)

    // Both are written always; the length says which count.
    out[length] = step >>> 8
    out[length + 1] = step
    length += (step >>> 24) & 3
    state = (step >>> 16) & 0xff
  }

  if (ends[state] !== 1) {
    throw new HpackError(
      `the Huffman-coded string at octet ${start} does not end with fewer than 8 bits of one`,
    )
  }

  return length
}

/** Works out what an octet does in a state, and keeps it. */
function learn(index: number): number {
  const { children, steps } = machine as Machine
  const symbols: number[] = []
  let node = index >>> 8
  let step = known

  for (let bit = 7; bit >= 0; bit -= 1) {
    const child = children[node * 2 + ((index >>> bit) & 1)] as number

    if (child >= 0) {
      node = child
    } else if (child === -1 - endOfString) {
      step |= failed
      node = 0
    } else {
      symbols.push(-1 - child)
      node = 0
    }
  }

  step |= (symbols.length << 24) | (node << 16) | ((symbols[0] ?? 0) << 8) | (symbols[1] ?? 0)
  steps[index] = step
  return step
}

function build(): Machine {
  const codes = canonicalCodes(codeLengths)
  const children = new Int16Array(2 * endOfString)
  const ends = new Uint8Array(endOfString)
  let nodes = 1

  for (let symbol = 0; symbol <= endOfString; symbol += 1) {
    const length = codeLengths[symbol] as number
    let node = 0

    for (let bit = length - 1; bit > 0; bit -= 1) {
      const slot = node * 2 + (((codes[symbol] as number) >>> bit) & 1)
      if (children[slot] === 0) {
        children[slot] = nodes
        nodes += 1
      }

      node = children[slot] as number
    }

    children[node * 2 + ((codes[symbol] as number) & 1)] = -1 - symbol
  }

  // A string may end where a symbol does, or within the first seven ones of EOS.
  for (let ones = 0, node = 0; ones < 8; ones += 1) {
    ends[node] = 1
    node = children[node * 2 + 1] as number
  }

  const lengths = Uint8Array.from(codeLengths.slice(0, endOfString))
  return { codes, lengths, children, ends, steps: new Int32Array(endOfString << 8) }
}
