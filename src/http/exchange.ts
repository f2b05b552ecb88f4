/**
 * One HTTP request and its answer, the same for HTTP/1.1, HTTP/2 and a mounted node:http application, on both sides.
 *
 * Callbacks with borrowed bytes, and output that is encoded in place: a promise of bytes costs 15 % of a unary call, a
 * ReadableStream 30 %, a node Readable half. Whoever wants those builds them on top (`bytes()` in `http/body.ts`).
 */
import type { Duplex } from 'node:stream'
import type { BodyBuffer } from './body-buffer.ts'
import type { HttpHeaders } from './headers.ts'
import type { PeerCertificate } from './peer-certificate.ts'

export interface HttpRequest {
  readonly method: string
  /** Path and query as they came: `/orders/7?full=true`. */
  readonly target: string
  /** From the Host header or `:authority`; validated. */
  readonly authority: string
  readonly version: '1.0' | '1.1' | '2'
  readonly headers: HttpHeaders
  readonly secure: boolean
  /** The verified certificate that the peer showed (mutual TLS). */
  readonly certificate?: PeerCertificate
  /** `192.0.2.7:41234` */
  readonly remoteAddress: string
}

export interface HttpResponseHead {
  readonly status: number
  /**
   * Without content-length, transfer-encoding, connection and date: the engine writes those. A head that is frozen
   * (`Object.freeze`: the template of an operation, passed again and again) is encoded once; its headers must not change.
   */
  readonly headers: HttpHeaders
}

/**
 * Receives a body. Bytes are borrowed: valid during the call only; copy what you keep. One of `end` and `abort` comes
 * last, and once; a server's sink hears `abort` too when the answer is complete before the body is.
 */
export interface BodySink {
  data(bytes: Buffer, start: number, end: number): void
  end(trailers: HttpHeaders | undefined): void
  /** The body ends here, before its time: the peer went away, or broke the protocol. Nothing follows. */
  abort(why: HttpAbort): void
}

/** Why an exchange ended before its time. `no_room`: a bound of this side is reached that all exchanges share. */
export interface HttpAbort {
  readonly reason: 'closed' | 'reset' | 'protocol' | 'too_large' | 'timeout' | 'refused' | 'no_room'
  readonly message: string
  /** Whether the peer's application can have seen the request; `no` for REFUSED_STREAM, GOAWAY, or never sent. */
  readonly processed: 'no' | 'maybe'
  /** HTTP/2's error code (RFC 9113 section 7): the peer's, or for `abort` the one to send instead of `reason`'s. */
  readonly code?: number
}

/** Where to encode in place: `bytes` from `start` on, at least as many as were reserved. Valid until the next call. */
export interface Reservation {
  readonly bytes: Buffer
  readonly start: number
}

/** Sends a body. */
export interface BodyWriter {
  /** Room to encode into; `commit` follows before anything else. */
  reserve(size: number): Reservation
  /** `size` bytes of the reservation are body. Returns false when the peer takes no more for now: wait for `onDrain`. */
  commit(size: number, end: boolean): boolean
  /** Sends bytes, which now belong to the writer. Returns false like `commit`. */
  write(bytes: Buffer, end: boolean): boolean
  /** Ends the body, with trailers where the version and the framing have them. */
  end(trailers?: HttpHeaders): void
  /** Calls back whenever the peer takes bytes again after a `false`. One listener. */
  onDrain(listener: () => void): void
}

/** A server's side of an exchange. */
export interface HttpExchange extends BodyWriter {
  readonly request: HttpRequest
  /**
   * Starts the request's body flowing into the sink, which can be called before this returns (what has arrived already
   * is handed over at once). Until then nothing is read, and `100-continue` is not sent; a request that is answered
   * without it has its body drained within bounds, or its connection closed. Once per exchange.
   */
  receive(sink: BodySink): void
  /** Stops and goes on with the request's body. */
  pause(): void
  resume(): void
  /** Sends an informational response (103 and the like). */
  inform(head: HttpResponseHead): void
  /** Answers completely: head and body in one write, with Content-Length. HEAD, 204 and 304 send no body. */
  respond(head: HttpResponseHead, body: string | Buffer | undefined): void
  /**
   * Where a complete body is encoded in place, by a codec that knows its size only afterwards. `respondWith` follows at
   * once, or the buffer's `close()` when there is nothing to send: nothing may wait in between.
   *
   * An engine hands out `composeBody()`, which leaves room for a head, or a buffer over its own output with room for
   * its frame headers.
   */
  compose(): BodyBuffer
  /**
   * Answers completely, like `respond`, with the body that was encoded since `compose()`. The engine writes head and
   * length in front of it and sends both from where they lie, or, where that cannot be, copies the body. It closes the
   * buffer, and holds it as long as somebody reads the bytes. HEAD, 204 and 304 send no body.
   */
  respondWith(head: HttpResponseHead, body: BodyBuffer): void
  /** Begins an answer whose body follows through the BodyWriter. */
  start(head: HttpResponseHead): void
  /** Whether head or answer were sent already. */
  readonly started: boolean
  /** Gives the exchange up: HTTP/1.1 closes the connection, HTTP/2 resets the stream. */
  abort(why: HttpAbort): void
  /** Calls back when the peer goes away before the answer was sent completely. One listener. */
  onAbort(listener: (why: HttpAbort) => void): void
  /** Calls back when the last byte of the answer was handed to the kernel or the exchange was aborted. One listener. */
  onEnd(listener: () => void): void
  /** Hands over the connection after a 101 (`Upgrade`); only with HTTP/1.1, else throws. */
  upgrade(head: HttpResponseHead): Duplex
}

/** What a client sends before a body. */
export interface HttpRequestHead {
  readonly method: string
  readonly target: string
  readonly authority: string
  /** Without host, content-length, transfer-encoding, connection. Headers that are frozen are encoded once. */
  readonly headers: HttpHeaders
  /** Fields of this request alone, which follow `headers` that are frozen. */
  readonly more?: HttpHeaders
}

/** Receives the answer to a client's request. */
export interface ResponseSink extends BodySink {
  inform?(head: HttpResponseHead): void
  head(head: HttpResponseHead): void
}

/** A client's side of an exchange: writes the request's body, reads the answer at its own speed. */
export interface HttpClientExchange extends BodyWriter {
  /** Stops and goes on with the answer's body. */
  pause(): void
  resume(): void
  /** Gives the exchange up: HTTP/1.1 closes its connection, HTTP/2 resets the stream. The sink hears nothing more. */
  cancel(): void
}

/** A client's way to one endpoint: a pool of HTTP/1.1 connections, or one HTTP/2 connection. */
export interface HttpTransport {
  readonly version: '1.1' | '2'
  readonly secure: boolean
  /**
   * Sends a request. `body`: complete (`undefined` for none), or `'stream'` when it follows through the returned
   * exchange. Failures arrive as `sink.abort`.
   */
  request(
    head: HttpRequestHead,
    body: string | Buffer | undefined | 'stream',
    sink: ResponseSink,
  ): HttpClientExchange
  /** Where a complete body is encoded in place, as on `HttpExchange`; `requestWith` or the buffer's `close` follows. */
  compose(): BodyBuffer
  /** Sends a request with the body that was encoded since `compose()`, from where it lies; one that has to wait is copied. */
  requestWith(head: HttpRequestHead, body: BodyBuffer, sink: ResponseSink): HttpClientExchange
  /** Requests under way. */
  readonly active: number
  /** Waits for what is under way, at most `grace` milliseconds, and closes. */
  close(grace: number): Promise<void>
}

/** What a server's HTTP engine calls for each request. Must not throw. */
export type HttpHandler = (exchange: HttpExchange) => void
