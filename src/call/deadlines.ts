/**
 * HOT PATH. One coarse timing wheel for all deadlines of the process: adding and removing are a few pointer writes.
 * Guarded by `bench/scenarios/trunk`.
 *
 * A hashed wheel: 512 slots of 16 ms, entries further away than a round stay in their slot until their time has come.
 * The timer is set for the next occupied slot and does not exist while the wheel is empty, so an idle process sleeps.
 */
import { type Clock, clock as processClock } from './clock.ts'

const slotCount = 512
const slotMilliseconds = 16

/** What can be put on the wheel; the wheel keeps its links in the entry itself. */
export interface Expiring {
  /** Monotonic milliseconds. */
  readonly deadline: number
  /** Called once, up to 16 ms and a turn of the event loop late; the entry has left the wheel. */
  expire(): void
  /** The wheel's own: the slot's index, or −1. */
  wheelSlot: number
  wheelNext: Expiring | undefined
  wheelPrevious: Expiring | undefined
}

export class DeadlineWheel {
  readonly #clock: Clock
  readonly #slots: (Expiring | undefined)[] = Array.from({ length: slotCount }, () => undefined)
  #size = 0
  #timer: NodeJS.Timeout | undefined
  /** The absolute slot number for which the timer is set. */
  #wake = 0
  /** All slots before this absolute number were visited. */
  #visited = 0

  constructor(clock: Clock = processClock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#size
  }

  add(entry: Expiring): void {
    // Rounded up, so that nothing expires early.
    const absolute = Math.max(Math.ceil(entry.deadline / slotMilliseconds), this.#visited)
    const slot = absolute % slotCount
    const head = this.#slots[slot]
    entry.wheelSlot = slot
    entry.wheelNext = head
    entry.wheelPrevious = undefined
    if (head !== undefined) head.wheelPrevious = entry
    this.#slots[slot] = entry
    this.#size++
    if (this.#timer === undefined || absolute < this.#wake) this.#set(absolute)
  }

  remove(entry: Expiring): void {
    if (entry.wheelSlot < 0) return
    const { wheelNext: next, wheelPrevious: previous } = entry
    if (previous === undefined) this.#slots[entry.wheelSlot] = next
    else previous.wheelNext = next
    if (next !== undefined) next.wheelPrevious = previous
    entry.wheelSlot = -1
    entry.wheelNext = undefined
    entry.wheelPrevious = undefined
    this.#size--
  }

  #set(absolute: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#wake = absolute
    // A deadline far away is visited once a round at most, so that the timer is never set beyond what it must see.
    const delay = Math.max(1, Math.ceil(absolute * slotMilliseconds - this.#clock.read()))
    this.#timer = setTimeout(() => this.#visit(), Math.min(delay, 2 ** 30))
    this.#timer.unref()
  }

  #visit(): void {
    this.#timer = undefined
    if (this.#size === 0) return
    const now = this.#clock.read()
    const current = Math.floor(now / slotMilliseconds)
    const first = Math.max(this.#visited, current - slotCount + 1)
    const due: Expiring[] = []

    for (let absolute = first; absolute <= current; absolute++) {
      let entry = this.#slots[absolute % slotCount]
      while (entry !== undefined) {
        const next: Expiring | undefined = entry.wheelNext
        if (entry.deadline <= now) {
          this.remove(entry)
          due.push(entry)
        }
        entry = next
      }
    }

    this.#visited = current + 1
    for (const entry of due) entry.expire()
    if (this.#size > 0 && this.#timer === undefined) this.#set(this.#nextOccupied(current + 1))
  }

  /** The nearest absolute slot from `from` on that holds anything. */
  #nextOccupied(from: number): number {
    for (let absolute = from; absolute < from + slotCount; absolute++) {
      if (this.#slots[absolute % slotCount] !== undefined) return absolute
    }
    return from + slotCount
  }
}

/** The process's wheel. */
export const deadlines = new DeadlineWheel()
