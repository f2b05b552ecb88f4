/**
 * HOT PATH. Write buffers that the connections of a wire share: one takes a writer when it has something to say and gives
 * it back when the socket has taken the bytes, so an idle connection holds none. Guarded by `bench/scenarios/trunk`.
 */
import { Writer } from '../../codec/writer.ts'

/** Writers that are kept for later, and the largest that is worth keeping. */
const kept = 64
const largestKept = 64 * 1024

export class Writers {
  readonly #free: Writer[] = []

  take(): Writer {
    return this.#free.pop() ?? new Writer()
  }

  /** Nobody may still hold what it has written. */
  give(writer: Writer): void {
    if (this.#free.length >= kept || writer.bytes.length > largestKept) return
    writer.reset()
    this.#free.push(writer)
  }
}
