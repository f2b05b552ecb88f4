/**
 * The Wire seam: a protocol that carries calls. A wire is a folder with a server half, a client half and its documents;
 * it knows calls, codecs and bytes, and neither ports nor pools nor other wires.
 */
import type { Duplex } from 'node:stream'
import type { Call, InputSource } from '../call/call.ts'
import type { Clock } from '../call/clock.ts'
import type { CallError } from '../call/error.ts'
import type { Reply } from '../call/handler.ts'
import type { Limits } from '../call/limits.ts'
import type { Logger } from '../call/logger.ts'
import type { Metadata } from '../call/metadata.ts'
import type { Peer } from '../call/peer.ts'
import type { ContractDescription } from '../contract/describe.ts'
import type { CallOperation, ContractInfo, Operation } from '../contract/operation.ts'
import type { HttpExchange, HttpRequest, HttpTransport } from '../http/exchange.ts'
import type { PartialBodies } from '../http/partial-bodies.ts'

/** A protocol that carries calls: its name, what it can carry, and its two halves. */
export interface Wire {
  /** `trunk`, `rest`, `grpc`, … */
  readonly name: string
  /** URL schemes of its client half, without the colon: `['trunk', 'trunks', 'trunk+unix']`. */
  readonly schemes: readonly string[]
  /** The port a URL means when it names none. */
  readonly defaultPort?: number
  /** Whether it needs field numbers, and so, in production, a lock. */
  readonly needsNumbers: boolean
  /** `true`, or why not: server, client, documents and the cross-wire table ask before anything is called. */
  supports(operation: Operation): true | string
  readonly server?: ByteServer | HttpServer | OwnServer
  readonly client?: ByteClient | HttpClient | OwnClient
}

// ── server halves ──

/** A wire straight on a byte stream: trunk. */
export interface ByteServer {
  readonly over: 'bytes'
  /** TLS's name for it (ALPN): `trunk/1`. */
  readonly alpn: string
  /** Whether a connection that begins with these bytes is this wire's; `undefined` while more are needed. */
  sniff(head: Buffer): boolean | undefined
  /** Serves one connection. `stream` has not been read from, apart from what was unshifted again. */
  serve(stream: Duplex, connection: ConnectionInfo, host: Host): Served
}

/** A wire on HTTP: REST, gRPC, SOAP, … */
export interface HttpServer {
  readonly over: 'http'
  /** Makes the wire's routing for a server's contracts, once. */
  mount(host: Host): HttpMount
}

export interface HttpMount {
  /**
   * Answers a request that is the wire's, and says so. Asked in the order of `wires`; returning false leaves the
   * exchange untouched for the next. `last`: nobody else follows, so a wire with the right to (REST) answers 404 itself.
   */
  serve(exchange: HttpExchange, last: boolean): boolean
  /** Whether it would take the request: for `Allow`, documents and the mounted mode, without answering. */
  matches(request: HttpRequest): boolean
  /** The server is being closed: what the wire has open for itself comes to its end. */
  drain?(): void
}

/** A wire that listens for itself: calls over a queue. */
export interface OwnServer {
  readonly over: 'own'
  listen(url: URL, host: Host): Promise<Served>
}

/** What the listener knows of a connection. */
export interface ConnectionInfo {
  readonly remoteAddress: string
  readonly secure: boolean
  readonly certificate?: Peer['certificate']
}

/** Something that is being served: one connection, or one subscription. */
export interface Served {
  /** Calls open now. */
  readonly active: number
  /** Takes no new calls, tells the peer so, lets the open ones finish, and then closes. */
  drain(): void
  /** Closes at once; open calls end with `why`. */
  close(why?: CallError): void
  /** Calls back once, when the connection is gone. */
  onClose(listener: () => void): void
}

/** What a server half gets to see of the server. */
export interface Host {
  readonly contracts: readonly ContractInfo[]
  /** All calls of all contracts, by id: `acme.orders.v1/place`. */
  readonly operations: ReadonlyMap<string, CallOperation>
  readonly limits: Limits
  /** HTTP bodies that have come in part, of all connections and all wires: what is kept of them is counted there. */
  readonly partialBodies: PartialBodies
  readonly clock: Clock
  readonly log: Logger
  /**
   * Whether the server is being closed. A wire that can tell its peers (trunk, HTTP/2) then refuses calls they made in
   * the dark, `unavailable` and processed `no`; HTTP/1.1 answers what still comes and ends the connection with it.
   */
  readonly draining: boolean
  /** What carries calls without a listener, from within the process: the server drains and closes it as its connections. */
  readonly inside: Set<Served>
  /**
   * Makes the call of a request. Its deadline is the earliest of `timeout` (milliseconds, as the peer sent it), the
   * operation's and the server's. The wire then puts `onCancel` on it, and calls `handle`.
   */
  open(
    operation: CallOperation,
    source: InputSource,
    metadata: Metadata | undefined,
    timeout: number | undefined,
    peer: Peer,
  ): Call
  /**
   * Runs filters and handler. Throws or rejects with a `CallError` that may go out as it is. The wire sends the answer
   * and then calls `call.end`, whatever happened.
   */
  handle(call: Call): Reply | Promise<Reply>
  /** What a caller may know of an error that came up while a streamed output was read or an answer encoded. */
  failure(call: Call, error: unknown): CallError
}

// ── client halves ──

/** A wire straight on a byte stream. Dialling, TLS, pool and back-off are `client/`'s, once for all. */
export interface ByteClient {
  readonly over: 'bytes'
  readonly alpn: string
  /** Speaks the wire on a connected stream. Resolves when calls may be made (the handshake is over). */
  open(stream: Duplex, options: ChannelOptions): Promise<Channel>
  /** Asks what the server serves, where the protocol has a question for it. The stream is closed afterwards. */
  describe?(stream: Duplex, options: DescribeOptions): Promise<readonly ContractDescription[]>
}

/** A wire on HTTP. gRPC, Connect and REST share the connections of one endpoint. */
export interface HttpClient {
  readonly over: 'http'
  /** HTTP versions it can use, best first: the first decides how an endpoint is connected. */
  readonly versions: readonly ('1.1' | '2')[]
  open(transport: HttpTransport, options: ChannelOptions): Channel
  /** As a `ByteClient`'s; the transport is the caller's to close. */
  describe?(transport: HttpTransport, options: DescribeOptions): Promise<readonly ContractDescription[]>
}

/** A wire that dials for itself: in-process, queues. */
export interface OwnClient {
  readonly over: 'own'
  dial(url: URL, options: ChannelOptions): Promise<Channel>
}

export interface ChannelOptions {
  /** The URL it was dialled by; path prefixes and queries are the wire's business. */
  readonly url: URL
  readonly peer: Peer
  readonly contract: ContractInfo
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Logger
}

/** What asking a server for its description needs: there is no contract yet. */
export type DescribeOptions = Omit<ChannelOptions, 'contract'>

/** An open way to one endpoint, which carries any number of calls at once. */
export interface Channel {
  readonly state: 'ready' | 'draining' | 'closed'
  /** Calls open now. */
  readonly active: number
  /**
   * Sends a call. Resolves with the first of the answer: a unary output decoded and validated, or an AsyncIterable.
   * Throws or rejects with a `CallError`, whose `processed` says whether it may be repeated. Hears `call.onCancel`;
   * calls `call.end` when both directions are over. A call that fails with processed `no` is left as it came, not ended
   * and with no listener on it: the client may give it to another channel.
   */
  call(call: Call): Reply | Promise<Reply>
  /**
   * The same for a call whose output is one value, by callback: where nobody stands between the channel and the caller, a
   * promise here and another there would cost 5 % of a call. Optional. May throw instead of `sink.failed`.
   */
  send?(call: Call, sink: ReplySink): void
  /** Calls back at every change of state. One listener. */
  onState(listener: (why: CallError | undefined) => void): void
  /** Waits for open calls, at most `grace` milliseconds, and closes. */
  close(grace: number): Promise<void>
}

/** Hears how a call went, once, perhaps before `send` returns; does nothing there and then but note it. */
export interface ReplySink {
  answered(reply: Reply): void
  /** With a `CallError`, as `Channel.call` throws it. */
  failed(error: unknown): void
}
