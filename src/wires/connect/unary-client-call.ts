/** One unary call of the client half, from the request's head to the answer's last byte: a state machine. */
import type { Call } from '../../call/call.ts'
import { CallError, asDownstream } from '../../call/error.ts'
import { invalidInput } from '../../call/failure.ts'
import type { Limits } from '../../call/limits.ts'
import type { Metadata } from '../../call/metadata.ts'
import { collector } from '../../http/body.ts'
import { encode, parseContentEncoding } from '../../http/content-coding.ts'
import type {
  BodySink,
  HttpAbort,
  HttpClientExchange,
  HttpRequestHead,
  HttpResponseHead,
  HttpTransport,
  ResponseSink,
} from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { Invalid } from '../../schema/invalid.ts'
import { MalformedBinary, readMetadata } from '../grpc-family/call-metadata.ts'
import { compressFrom } from '../grpc-family/compression.ts'
import { codeFromAbort, codeFromHttp } from '../grpc-family/status.ts'
import { isWebNoise } from '../grpc-family/web-noise.ts'
import type { ReplySink } from '../wire.ts'
import type { UnaryMethod } from './client-method.ts'
import { connectType, unaryType } from './content-type.ts'
import { lenientMetadata, parseJson, readError } from './error-json.ts'
import { trailerPrefix } from './unary-answer.ts'

/** The largest error body that is read. */
const largestError = 256 * 1024

export class UnaryClientCall implements ResponseSink {
  readonly #method: UnaryMethod
  readonly #call: Call
  readonly #transport: HttpTransport
  readonly #limits: Limits
  readonly #sink: ReplySink
  #exchange: HttpClientExchange | undefined
  #over = false
  #head: HttpResponseHead | undefined
  #body: BodySink | undefined

  constructor(method: UnaryMethod, call: Call, transport: HttpTransport, limits: Limits, sink: ReplySink) {
    this.#method = method
    this.#call = call
    this.#transport = transport
    this.#limits = limits
    this.#sink = sink
    this.#exchange = undefined
    this.#head = undefined
    this.#body = undefined
  }

  /** Sends the call. `timeout` is the time left in milliseconds. Throws a CallError, having sent nothing. */
  start(timeout: number): void {
    const body = this.#transport.compose()
    try {
      this.#method.input.encode(this.#call.input(), body)
    } catch (error) {
      body.close()
      throw asInvalidCall(error)
    }

    const { get, compression } = this.#method
    if (get) {
      const message = body.copy()
      const head = this.#method.query(this.#call, timeout, message)
      if (head !== undefined) {
        body.close()
        this.#sent(this.#transport.request(head, undefined, this))
        return
      }
    }

    if (compression !== undefined && body.size >= compressFrom) {
      const message = body.copy()
      body.close()
      this.#call.onCancel(this.#canceled)
      encode(compression, message, (encoded) => {
        if (this.#over) return
        const head = this.#method.post(this.#call, timeout, encoded && compression)
        this.#exchange = this.#transport.request(head, encoded ?? message, this)
      })
      return
    }

    let head: HttpRequestHead
    try {
      head = this.#method.post(this.#call, timeout, undefined)
      this.#sent(this.#transport.requestWith(head, body, this))
    } catch (error) {
      body.close()
      throw error
    }
  }

  #sent(exchange: HttpClientExchange): void {
    this.#exchange = exchange
    if (this.#over) exchange.cancel()
    else this.#call.onCancel(this.#canceled)
  }

  readonly #canceled = (why: CallError): void => this.#fail(asDownstream(why))

  // ── answer ──

  head(head: HttpResponseHead): void {
    if (this.#over) return
    this.#head = head
    const { status, headers } = head
    const contentType = headers.get('content-type')
    const codings = parseContentEncoding(headers.combined('content-encoding'))
    if (codings === undefined) {
      return this.#refuse(
        `content-encoding '${shown(headers.get('content-encoding'))}', which is not known here`,
      )
    }

    const type = connectType(contentType)
    if (status === 200) {
      const wanted = this.#method.format
      if (type?.kind !== 'unary' || type.format !== wanted) {
        const what = contentType === undefined ? 'no content type' : `content type '${shown(contentType)}'`
        return this.#refuse(`${what} where ${unaryType(wanted)} was expected`)
      }
    }

    const limit = status === 200 ? this.#limits.messageSize : largestError
    this.#body = collector(limit, codings, (body, why) => {
      if (this.#over) return
      if (status !== 200) this.#failed(head, type?.format === 'json' ? body : undefined)
      else if (body === undefined) this.#aborted(why as HttpAbort)
      else this.#decode(body, headers)
    })
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (!this.#over) this.#body?.data(bytes, start, end)
  }

  end(trailers: HttpHeaders | undefined): void {
    if (!this.#over) this.#body?.end(trailers)
  }

  abort(why: HttpAbort): void {
    if (!this.#over) this.#aborted(why)
  }

  /** The answer ended before its time, or cannot be read. */
  #aborted(why: HttpAbort): void {
    const { processed, message } = why
    let code = processed === 'no' ? ('unavailable' as const) : codeFromAbort(why)
    // The server's clock may have been the first to say so.
    if (code === 'canceled' && this.#call.deadline <= performance.now()) code = 'deadline_exceeded'
    const text = `${this.#method.operation.id}: ${message}`
    this.#fail(new CallError(code, text, { processed, origin: 'downstream' }))
  }

  #decode(body: Buffer, headers: HttpHeaders): void {
    const { operation, output } = this.#method
    try {
      const value = output.decode(body, 0, body.length)
      const refine = operation.output?.refine
      const refined = refine === undefined ? value : refine(value)
      if (!(refined instanceof Promise)) return this.#settle(refined, headers)
      refined.then(
        (checked: unknown) => this.#settle(checked, headers),
        (error: unknown) => this.#fail(this.#unfit(error)),
      )
    } catch (error) {
      this.#fail(this.#unfit(error))
    }
  }

  #unfit(error: unknown): unknown {
    if (!(error instanceof Invalid)) return error
    const message = `${this.#method.operation.id}: the answer does not fit the contract: ${error.message}`
    return new CallError('internal', message, { issues: error.issues, origin: 'downstream', cause: error })
  }

  #settle(output: unknown, { list }: HttpHeaders): void {
    if (this.#over) return
    const [own, prefixed] = divided(list)
    let metadata: Metadata | undefined
    let trailers: Metadata | undefined
    try {
      metadata = readMetadata(own, undefined, isWebNoise)
      trailers = readMetadata(prefixed)
    } catch (error) {
      if (!(error instanceof MalformedBinary)) throw error
      return this.#refuse(error.message)
    }
    this.#over = true
    this.#call.end(undefined, 1, 1)
    this.#sink.answered({ output, metadata, trailers })
  }

  #failed({ status, headers }: HttpResponseHead, body: Buffer | undefined): void {
    const { operation, faults } = this.#method
    const json = body === undefined ? undefined : parseJson(body)
    if (typeof json !== 'object' || json === null) {
      const message = `${operation.id}: the server answered HTTP ${status}, and no error of Connect's`
      return this.#fail(new CallError(codeFromHttp(status), message, { origin: 'downstream' }))
    }
    const [own, prefixed] = divided(headers.list)
    const metadata = lenientMetadata([...own, ...prefixed], isWebNoise)
    this.#fail(readError(json, codeFromHttp(status), metadata, faults))
  }

  // ── the end ──

  #refuse(what: string): void {
    const message = `${this.#method.operation.id}: the server sent a malformed answer: ${what} (status ${this.#head?.status})`
    this.#fail(new CallError('internal', message, { origin: 'downstream' }))
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#exchange?.cancel()
    const known = CallError.is(error) ? error : new CallError('internal', String(error), { cause: error })
    // A call that nobody has seen is left as it came: the client may give it to another channel.
    if (known.processed === 'no') this.#call.offCancel(this.#canceled)
    else this.#call.end(known, 0, 1)
    this.#sink.failed(known)
  }
}

/** Header fields of an answer: those that are leading metadata, and those that are trailers, without their prefix. */
function divided(list: readonly string[]): [own: string[], trailers: string[]] {
  const own: string[] = []
  const trailers: string[] = []
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string
    if (name.startsWith(trailerPrefix)) trailers.push(name.slice(trailerPrefix.length), list[i + 1] as string)
    else own.push(name, list[i + 1] as string)
  }
  return [own, trailers]
}

/** What this process would have sent does not fit the contract; nothing left it. */
function asInvalidCall(error: unknown): unknown {
  if (!(error instanceof Invalid)) return error
  const { message, issues } = invalidInput(error)
  return new CallError('invalid_argument', message, { issues, processed: 'no', origin: 'downstream' })
}

/** Foreign text in a message: bounded. */
function shown(text: string | undefined): string {
  return (text ?? '').slice(0, 100)
}
