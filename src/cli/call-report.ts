/** What `call -v` says on stderr: `>` for what was sent, `<` for what came, as curl does. */
import type { CallOperation, MetadataReader, ReplyHead } from '../index.ts'

export interface CallReport {
  readonly head: (head: ReplyHead) => void
  /** Once the call is over, whatever came of it. */
  end(): Promise<void>
  /** The lines for metadata that came with an error. */
  errorMetadata(metadata: MetadataReader): readonly string[]
}

export const silentReport: CallReport = {
  head() {},
  async end() {},
  errorMetadata: () => [],
}

export function verboseReport(
  operation: CallOperation,
  url: string,
  metadata: Readonly<Record<string, readonly (string | Uint8Array)[]>>,
): CallReport {
  const started = performance.now()
  let trailers: Promise<MetadataReader> | undefined
  const elapsed = () => `${(performance.now() - started).toFixed(1)} ms`

  console.error(`> ${operation.id} to ${url}`)
  for (const [name, values] of Object.entries(metadata)) {
    for (const value of values) console.error(`> ${name}: ${shown(value)}`)
  }

  return {
    head(head) {
      console.error(`< reply after ${elapsed()}`)
      printMetadata(head.metadata)
      trailers = head.trailers
    },
    async end() {
      if (trailers !== undefined) printMetadata(await trailers, 'trailer ')
      console.error(`< over after ${elapsed()}`)
    },
    errorMetadata: (received) => [...received].map(([name, value]) => `< ${name}: ${shown(value)}`),
  }
}

function printMetadata(metadata: MetadataReader, prefix = ''): void {
  for (const [name, value] of metadata) console.error(`< ${prefix}${name}: ${shown(value)}`)
}

function shown(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('base64')
}
