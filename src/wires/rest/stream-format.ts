/** How a streamed output is written, by the media type that the client accepts. */
import { Invalid } from '../../schema/invalid.ts'
import { ndjsonTypes, problemPrefix } from './ndjson.ts'
import { sseEnd, sseKeepAlive, sseMessage, sseProblem, sseType } from './sse.ts'

export interface StreamFormat {
  readonly contentType: string
  /** Throws Invalid for a message that could not be told from an error. */
  message(json: string): string
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
    message: ndjsonLine,
    problem: (json) => `${problemPrefix}${json}}\n`,
    end: '',
    keepAlive: '',
  }
}

/** A message as a line. Throws Invalid for one that could not be told from an error. */
export function ndjsonLine(json: string): string {
  if (json.startsWith(problemPrefix)) {
    throw Invalid.at('$problem', 'marks an error in a stream over REST, so no message can begin with it')
  }
  return `${json}\n`
}

const sse: StreamFormat = {
  contentType: sseType,
  message: sseMessage,
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
