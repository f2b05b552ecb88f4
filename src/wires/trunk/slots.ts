/**
 * HOT PATH. Streams by number without a Map: the low half of a stream's id is its slot in an array, the high half says
 * how often the slot was used, so that a late frame is told from one of the slot's next call.
 *
 * The client takes a slot with OPEN; the slot is free again when the server has sent the end of the call or its ERROR.
 * Both sides can therefore check every id: the generation of an OPEN is always the next one.
 */
import { ProtocolError } from './protocol-error.ts'

const first = 16

/** The generation that follows: 1 to 65535, and 1 again. */
export function nextGeneration(generation: number): number {
  return generation === 0xffff ? 1 : generation + 1
}

export class Slots<Stream extends { readonly id: number }> {
  readonly limit: number
  readonly #streams: (Stream | undefined)[] = []
  #generations = new Uint16Array(first)
  /** Client: slots that were used and are free again; a stack, so that few slots are used, and these are warm. */
  readonly #free: number[] = []
  /** Slots that are in use. */
  size = 0

  /**
   * @param limit How many slots there are, at most 65536.
   */
  constructor(limit: number) {
    this.limit = limit
  }

  /** Client: an id for the next call; `undefined` when all slots are in use. `put` must follow. */
  take(): number | undefined {
    const slot = this.#free.pop() ?? this.#streams.length
    if (slot >= this.limit) return undefined
    const generation = nextGeneration(this.#generationOf(slot))
    return generation * 0x1_0000 + slot
  }

  /** Puts a stream into the slot of its id. */
  put(stream: Stream): void {
    const slot = stream.id & 0xffff
    while (this.#streams.length < slot) this.#streams.push(undefined)
    this.#streams[slot] = stream
    this.#setGeneration(slot, stream.id >>> 16)
    this.size++
  }

  /** Server: checks the id of an OPEN before it is put. Throws ProtocolError when the peer may not use it. */
  check(id: number): void {
    const slot = id & 0xffff
    if (slot >= this.limit) {
      throw new ProtocolError(`stream ${id} is opened in slot ${slot}, and there are ${this.limit}`)
    }
    if (this.#streams[slot] !== undefined) {
      throw new ProtocolError(`stream ${id} is opened while its slot is in use`)
    }
    const expected = nextGeneration(this.#generationOf(slot))
    if (id >>> 16 !== expected) {
      throw new ProtocolError(
        `stream ${id} is opened with generation ${id >>> 16} of its slot, and ${expected} is next`,
      )
    }
  }

  /** Server: counts an id as used whose call is over at once. */
  skip(id: number): void {
    this.#setGeneration(id & 0xffff, id >>> 16)
  }

  /** The stream of an id; `undefined` when it is over. Throws ProtocolError for an id that was never opened. */
  get(id: number): Stream | undefined {
    const stream = this.#streams[id & 0xffff]
    if (stream !== undefined && stream.id === id) return stream
    if (id >>> 16 !== this.#generationOf(id & 0xffff) || id >>> 16 === 0) {
      throw new ProtocolError(`a frame of stream ${id}, which is not open`)
    }
    return undefined
  }

  /** Takes a stream out of its slot; `false` when it was not there any more. */
  remove(stream: Stream): boolean {
    const slot = stream.id & 0xffff
    if (this.#streams[slot] !== stream) return false
    this.#streams[slot] = undefined
    this.size--
    return true
  }

  /** Client: takes a stream out whose call the server has ended, so that its slot can be taken again. */
  free(stream: Stream): void {
    if (this.remove(stream)) this.#free.push(stream.id & 0xffff)
  }

  /** Client: takes a stream out again whose OPEN was not written, so that its id is the slot's next one once more. */
  undo(stream: Stream): void {
    this.free(stream)
    this.#setGeneration(stream.id & 0xffff, (stream.id >>> 16) - 1)
  }

  /** All streams that are open. */
  all(): Stream[] {
    return this.#streams.filter((stream) => stream !== undefined)
  }

  #generationOf(slot: number): number {
    return this.#generations[slot] ?? 0
  }

  #setGeneration(slot: number, generation: number): void {
    if (slot >= this.#generations.length) {
      let length = this.#generations.length * 2
      while (length <= slot) length *= 2
      const larger = new Uint16Array(length)
      larger.set(this.#generations)
      this.#generations = larger
    }
    this.#generations[slot] = generation
  }
}
