/** Where calls wait that may (`waitForReady`) while no server can be reached: bounded, and left when the client is closed. */
import type { Call } from '../call/call.ts'
import { CallError } from '../call/error.ts'

/** Between two tries of a server that can be reached and refuses, in milliseconds. */
const shortest = 50

export class WaitingRoom {
  readonly #room: number
  readonly #leave = new Set<(why: CallError) => void>()

  /** @param room How many calls may wait at once. */
  constructor(room: number) {
    this.#room = room
  }

  /** Resolves after `milliseconds`. Rejects when the call or the client ends before, or when there is no room. */
  wait(call: Call, milliseconds: number): Promise<void> {
    if (this.#leave.size >= this.#room) {
      const message = `${call.operation.id}: ${this.#leave.size} calls are waiting for a server already`
      return Promise.reject(
        new CallError('resource_exhausted', message, { processed: 'no', origin: 'downstream' }),
      )
    }

    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        call.offCancel(leave)
        this.#leave.delete(leave)
      }
      const leave = (why: CallError) => {
        settle()
        reject(why)
      }
      const timer = setTimeout(
        () => {
          settle()
          resolve()
        },
        Math.max(shortest, milliseconds),
      )
      this.#leave.add(leave)
      call.onCancel(leave)
    })
  }

  /** The client is closed. */
  close(): void {
    for (const leave of this.#leave) {
      leave(new CallError('unavailable', 'the client was closed', { processed: 'no', origin: 'downstream' }))
    }
  }
}
