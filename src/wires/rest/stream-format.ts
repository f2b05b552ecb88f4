/** How a streamed output is written, by the media type that the client accepts. */
import type { JsonCodec } from '../../codec/json/compile.ts'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import { Invalid } from '../../schema/invalid.ts'
import { isProblem, ndjsonTypes, problemPrefix } from './ndjson.ts'
import { sseBegin, sseEnd, sseKeepAlive, sseProblem, sseStop, sseType } from './sse.ts'

export interface StreamFormat {
  readonly contentType: string
  /** Writes a message with what parts it from the next. Throws Invalid, also for one that could not be told from an error. */
  message(codec: JsonCodec, message: unknown, into: BodyBuffer): void
  problem(json: string): string
  /** What ends a complete stream; empty where the body's own end says it. */
  readonly end: string
  /** What is sent in long silence; empty where nothing can be. */
  readonly keepAlive: string
}

/** What a streamed output is offered as, the first by default. */
export const streamTypes = [ndjsonTypes[0], sseType, ndjsonTypes[1], ndjsonTypes[2]] as const

function ndjson(contentType: string): StreamFormat {
  return {
    contentType,
    message: writeLine,
    problem: (json) => `${problemPrefix}${json}}\n`,
    end: '',
    keepAlive: '',
  }
}

/** Writes a message as a line. Throws Invalid, also for one that could not be told from an error. */
export function writeLine(codec: JsonCodec, message: unknown, into: BodyBuffer): void {
  const start = into.position
  codec.encodeInto(message, into)
  if (isProblem(into.bytes, start, into.position)) {
    throw Invalid.at('$problem', 'marks an error in a stream over REST, so no message can begin with it')
  }
  into.reserve(1)
  into.bytes[into.position++] = 0x0a
}

function writeEvent(codec: JsonCodec, message: unknown, into: BodyBuffer): void {
  into.reserve(sseBegin.length)
  into.position += into.bytes.write(sseBegin, into.position, 'latin1')
  codec.encodeInto(message, into)
  into.reserve(sseStop.length)
  into.position += into.bytes.write(sseStop, into.position, 'latin1')
}

const sse: StreamFormat = {
  contentType: sseType,
  message: writeEvent,
  problem: sseProblem,
  end: sseEnd,
  keepAlive: sseKeepAlive,
}

export const streamFormats: Readonly<Record<(typeof streamTypes)[number], StreamFormat>> = {
  [ndjsonTypes[0]]: ndjson(ndjsonTypes[0]),
  [ndjsonTypes[1]]: ndjson(ndjsonTypes[1]),
  [ndjsonTypes[2]]: ndjson(ndjsonTypes[2]),
  [sseType]: sse,
}
