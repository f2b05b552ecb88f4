/** What a parser says of bytes, as plain data, so that tests can compare. Part of the tests, not of the engine. */
import type { MessageFailure } from './failure.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import { defaultHttp1Limits, type MessageLimits } from './limits.ts'
import { type MessageEvents, type MessageParser, requestParser, responseParser } from './parser.ts'

export interface Recorded<Head> {
  /** `endsAt`: where in the stream it ended. */
  readonly messages: {
    head: Head
    body: string
    trailers: string[] | undefined
    complete: boolean
    endsAt: number | undefined
  }[]
  readonly failure: MessageFailure['status'] | undefined
  readonly reason: string | undefined
}

/** Reads requests from pieces of a byte stream. */
export function recordRequests(
  pieces: readonly Buffer[],
  limits?: Partial<MessageLimits>,
): Recorded<RequestHead> {
  return record(pieces, (events) => requestParser({ ...defaultHttp1Limits, ...limits }, events), false)
}

/** Reads responses from pieces of a byte stream, which then ends. */
export function recordResponses(
  pieces: readonly Buffer[],
  limits?: Partial<MessageLimits>,
): Recorded<ResponseHead> {
  return record(pieces, (events) => responseParser({ ...defaultHttp1Limits, ...limits }, events), true)
}

function record<Head extends { readonly length: number }>(
  pieces: readonly Buffer[],
  open: (events: MessageEvents<Head>) => MessageParser<Head>,
  closes: boolean,
): Recorded<Head> {
  const messages: Recorded<Head>['messages'] = []
  const parser = open({
    head: (head) =>
      messages.push({ head, body: '', trailers: undefined, complete: head.length === 0, endsAt: undefined }),
    data(bytes, start, end) {
      ;(messages.at(-1) as { body: string }).body += bytes.latin1Slice(start, end)
    },
    end(trailers) {
      Object.assign(messages.at(-1) as object, { trailers: trailers?.list, complete: true })
    },
  })
  let before = 0
  for (const piece of pieces) {
    let at = 0
    while (at < piece.length && parser.failure === undefined) {
      at = parser.parse(piece, at, piece.length)
      if (!parser.done) continue
      ;(messages.at(-1) as { endsAt: number | undefined }).endsAt = before + at
      parser.next()
    }
    before += piece.length
  }
  if (closes && parser.failure === undefined) parser.close()
  return { messages, failure: parser.failure?.status, reason: parser.failure?.message }
}

/** The same bytes, cut in two at every place, and one by one. */
export function* cuts(bytes: Buffer): Generator<Buffer[]> {
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)]
  yield Array.from(bytes, (byte) => Buffer.of(byte))
}
