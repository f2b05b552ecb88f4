/** A client's way to a server of the same process. */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import type { Reply } from '../../call/handler.ts'
import type { CallOperation } from '../../contract/operation.ts'
import type { Channel, ChannelOptions, Host, Served } from '../wire.ts'
import { Crossing, type Line, lineOf } from './crossing.ts'

export class InProcessChannel implements Channel {
  readonly #host: Host
  readonly #options: ChannelOptions
  readonly #agreed: boolean
  readonly #lines = new Map<CallOperation, Line>()
  /** Each with how the server ends it. */
  readonly #open = new Map<Call, Crossing>()
  readonly #served: Served
  #onServed: (() => void)[] = []
  #state: Channel['state'] = 'ready'
  #onIdle: (() => void) | undefined
  #onState: ((why: CallError | undefined) => void) | undefined

  constructor(host: Host, options: ChannelOptions) {
    const { contract } = options
    this.#host = host
    this.#options = options
    this.#served = this.#asServed()
    this.#agreed = host.contracts.some(
      ({ name, digest }) => name === contract.name && digest === contract.digest,
    )
  }

  get state(): Channel['state'] {
    return this.#state
  }

  get active(): number {
    return this.#open.size
  }

  onState(listener: (why: CallError | undefined) => void): void {
    this.#onState = listener
  }

  call(call: Call): Promise<Reply> {
    if (this.#host.draining || this.#state !== 'ready') {
      const side = this.#state === 'ready' ? 'server' : 'client'
      throw new CallError('unavailable', `the ${side} is being closed`, {
        processed: 'no',
        origin: 'downstream',
      })
    }
    if (call.canceled !== undefined) throw asDownstream(call.canceled)

    const { clock } = this.#options
    const timeout = call.deadline === Infinity ? undefined : call.deadline - clock.now()
    if (timeout !== undefined && timeout <= 0) {
      throw new CallError('deadline_exceeded', `${call.operation.id}: the deadline has passed`, {
        processed: 'no',
        origin: 'downstream',
      })
    }
    const crossing = new Crossing(call, this.#line(call.operation), this.#host)
    const reply = crossing.start(timeout)
    if (call.outcome === undefined) {
      this.#open.set(call, crossing)
      this.#host.inside.add(this.#served)
      call.onEnd(() => this.#left(call))
    }
    return reply
  }

  #line(client: CallOperation): Line {
    const known = this.#lines.get(client)
    if (known !== undefined) return known

    const server = this.#host.operations.get(client.id)
    if (server === undefined) {
      throw new CallError('unimplemented', `${client.id} is not served here`, {
        processed: 'no',
        origin: 'downstream',
      })
    }
    const line = lineOf(client, server, { agreed: this.#agreed, depth: this.#options.limits.depth })
    this.#lines.set(client, line)
    return line
  }

  #left(call: Call): void {
    this.#open.delete(call)
    if (this.#open.size > 0) return
    this.#host.inside.delete(this.#served)
    this.#onIdle?.()
    for (const listener of this.#onServed.splice(0)) listener()
  }

  /** What the server sees of it: calls that are open, and nothing when there are none. */
  #asServed(): Served {
    const open = this.#open
    return {
      get active() {
        return open.size
      },
      // New calls are refused as long as the server is being closed.
      drain: () => {},
      close(why = new CallError('unavailable', 'the server is closing')) {
        for (const crossing of open.values()) crossing.close(why)
      },
      onClose: (listener) => {
        if (open.size === 0) listener()
        else this.#onServed.push(listener)
      },
    }
  }

  async close(grace: number): Promise<void> {
    if (this.#state === 'closed') return
    this.#become('draining')
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const why = new CallError('unavailable', 'the client was closed', { origin: 'downstream' })
    for (const call of this.#open.keys()) call.cancel(why)
    this.#become('closed')
  }

  #become(state: Channel['state']): void {
    if (this.#state === state) return
    this.#state = state
    this.#onState?.(undefined)
  }
}
