/** HOT PATH. Calls that may still get their message from the piece of network that is being read. */
import type { ServerCall } from './server-call.ts'

export class BeginningCalls {
  #calls: ServerCall[] = []

  /** Begins a call; when its message is not there at the end of this piece of network, it goes on without. */
  begin(call: ServerCall): void {
    if (call.begin()) return
    this.#calls.push(call)
    if (this.#calls.length === 1) queueMicrotask(this.#goOn)
  }

  readonly #goOn = (): void => {
    const calls = this.#calls
    this.#calls = []
    for (const call of calls) call.goOn()
  }
}
