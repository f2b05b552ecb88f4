/**
 * HOT PATH. What the peer may send, on the connection and on each stream: the windows it was told, and how they grow to what
 * the connection can bring. Guarded by `bench/scenarios/grpc`.
 */
import { BandwidthEstimate } from './bandwidth.ts'
import { initialWindow } from './frames.ts'
import type { Http2Limits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { Stream } from './role.ts'
import { setting } from './settings.ts'
import type { StreamTable } from './stream-table.ts'
import { ReceiveWindow } from './windows.ts'

export class Inflow {
  /** What a stream that opens now may bring. */
  streamWindow: number
  /** What the first SETTINGS say of that. */
  readonly firstStreamWindow: number
  /** Beyond what both sides begin with. */
  readonly firstIncrement: number
  readonly #limits: Http2Limits
  readonly #window: ReceiveWindow
  readonly #bandwidth: BandwidthEstimate
  #known = false

  constructor(limits: Http2Limits) {
    this.#limits = limits
    const { initialStreamWindow, streamWindow, initialConnectionWindow, connectionWindow } = limits
    this.firstStreamWindow = Math.min(initialStreamWindow, streamWindow)
    // Until the peer knows of ours, the window that both sides begin with holds.
    this.streamWindow = Math.max(this.firstStreamWindow, initialWindow)
    const window = Math.max(initialWindow, Math.min(initialConnectionWindow, connectionWindow))
    this.firstIncrement = window - initialWindow
    this.#window = new ReceiveWindow(window)
    const most = Math.max(streamWindow, connectionWindow)
    this.#bandwidth = new BandwidthEstimate(this.firstStreamWindow, most)
  }

  /** Bytes of DATA come in; false: the peer was not allowed to send them. */
  receive(bytes: number): boolean {
    return this.#window.receive(bytes)
  }

  /** Bytes are dealt with. Returns how many to grant again on the connection now. */
  release(bytes: number): number {
    return this.#window.release(bytes)
  }

  /** Bytes have come that count. Returns whether to send a PING, by which they are measured. */
  measure(bytes: number): boolean {
    if (!this.#bandwidth.received(bytes)) return false
    this.#bandwidth.sent(performance.now())
    return true
  }

  /** That PING was answered. Returns whether SETTINGS were sent. */
  answered(outbox: Outbox, streams: StreamTable<Stream>): boolean {
    if (!this.#bandwidth.answered(performance.now())) return false
    const { connectionWindow, streamWindow } = this.#limits
    const { window } = this.#bandwidth
    const more = this.#window.grow(Math.min(window, connectionWindow))
    if (more > 0) outbox.windowUpdate(0, more)
    const size = Math.min(window, streamWindow)
    if (size <= this.streamWindow) return false
    this.streamWindow = size
    for (const { incoming } of streams.all()) incoming.window.grow(size)
    outbox.settings([setting.initialWindowSize, size])
    return true
  }

  /** The peer has acknowledged SETTINGS: a first window that is smaller than the usual one holds from now on. */
  acknowledged(outbox: Outbox, streams: StreamTable<Stream>): void {
    if (this.#known) return
    this.#known = true
    const size = this.firstStreamWindow
    if (size >= initialWindow || this.streamWindow > initialWindow) return
    this.streamWindow = size
    for (const { id, incoming } of streams.all()) {
      incoming.window.shrink(size)
      const granted = incoming.ended ? 0 : incoming.window.release(0)
      if (granted > 0) outbox.windowUpdate(id, granted)
    }
  }
}
