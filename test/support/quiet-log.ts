import type { Logger } from 'trunkline'

/** A log that keeps quiet, for tests of failures. */
export const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A log that remembers what it was told. */
export function rememberingLog(): Logger & {
  readonly lines: { level: string; fields: object; message: string }[]
} {
  const lines: { level: string; fields: object; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message })
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
