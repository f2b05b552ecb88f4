/** What the library logs to: pino's call signature, so a pino logger fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** One JSON object a line on standard error, in pino's shape; `debug` is dropped. */
export const defaultLogger: Logger = {
  debug() {},
  info: (fields, message) => write(30, fields, message),
  warn: (fields, message) => write(40, fields, message),
  error: (fields, message) => write(50, fields, message),
}

function write(level: number, fields: object, message: string): void {
  const plain = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? errorFields(value) : value,
    ]),
  )
  process.stderr.write(
    `${JSON.stringify({ level, time: Date.now(), pid: process.pid, ...plain, msg: message })}\n`,
  )
}

function errorFields(error: Error): object {
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: errorFields(error.cause) } : {}),
  }
}
