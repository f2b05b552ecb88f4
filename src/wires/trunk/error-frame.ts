/**
 * ERROR: how a call failed.
 *
 *     error     = code processed retry-after http message fault issues details metadata
 *     code      = varint                        ; gRPC's number, 1 to 16
 *     processed = OCTET                         ; 0: no handler has seen the call; 1: one may have
 *     retry-after = varint                      ; 0: nothing said; else milliseconds + 1
 *     http      = varint                        ; 0, or the HTTP status that stands for it
 *     message   = text
 *     fault     = text bytes                    ; the declared fault's name ("" for none), its detail in protobuf
 *     issues    = varint *( text text )         ; path, message
 *     details   = varint *( text bytes )        ; google.protobuf.Any that no fault names: type, value
 */
import { CallError, type ErrorDetail, type RaisedFault } from '../../call/error.ts'
import type { Metadata } from '../../call/metadata.ts'
import type { Writer } from '../../codec/writer.ts'
import type { CallOperation, Message } from '../../contract/operation.ts'
import { statusFromNumber, statusTable } from '../../contract/status.ts'
import { Invalid, type Issue } from '../../schema/invalid.ts'
import type { Codecs } from './codecs.ts'
import { type Cursor, largestVarint, writeBytes, writeMetadata, writeText, writeVarint } from './fields.ts'
import { ProtocolError } from './protocol-error.ts'

/**
 * Writes the body of an ERROR.
 * @param headerSize What the peer takes of metadata, in bytes; more than that is left out.
 * @returns Whether all of the error was written.
 * @throws Invalid when the fault's detail does not fit its declaration.
 */
export function writeError(
  writer: Writer,
  operation: CallOperation | undefined,
  error: CallError,
  codecs: Codecs,
  headerSize: number,
): boolean {
  writeVarint(writer, statusTable[error.code].number)
  writeVarint(writer, error.processed === 'no' ? 0 : 1)
  writeVarint(
    writer,
    error.retryAfter === undefined ? 0 : Math.min(Math.ceil(error.retryAfter) + 1, largestVarint),
  )
  writeVarint(writer, error.http ?? 0)
  writeText(writer, error.message)

  writeText(writer, error.fault?.name ?? '')
  const detail = error.fault === undefined ? undefined : declared(operation, error.fault.name)
  if (detail === undefined) {
    writeVarint(writer, 0)
  } else {
    const apart = codecs.scratch()
    codecs.of(detail).encode(error.fault?.detail, apart)
    writeBytes(writer, apart.written())
  }

  writeVarint(writer, error.issues.length)
  for (const issue of error.issues) {
    writeText(writer, issue.path)
    writeText(writer, issue.message)
  }

  writeVarint(writer, error.details.length)
  for (const each of error.details) {
    writeText(writer, each.type)
    writeBytes(writer, each.value)
  }

  const at = writer.position
  writeMetadata(writer, error.metadata)
  if (writer.position - at <= headerSize) return true
  writer.position = at
  writeVarint(writer, 0)
  return false
}

function declared(operation: CallOperation | undefined, name: string): Message | undefined {
  return operation !== undefined && Object.hasOwn(operation.faults, name)
    ? operation.faults[name]?.detail
    : undefined
}

/** Reads the body of an ERROR. A fault that the operation does not declare, or that does not decode, is left out. */
export function readError(
  cursor: Cursor,
  operation: CallOperation,
  codecs: Codecs,
  headerSize: number,
): CallError {
  const code = statusFromNumber(cursor.varint())
  const processed = cursor.byte() === 0 ? 'no' : 'maybe'
  const retryAfter = cursor.varint()
  const http = cursor.varint()
  const message = cursor.text()
  const name = cursor.text()
  const detail = cursor.copy()
  const issues = readPairs(cursor, (): Issue => ({ path: cursor.text(), message: cursor.text() }))
  const details = readPairs(cursor, (): ErrorDetail => ({ type: cursor.text(), value: cursor.copy() }))
  const metadata: Metadata = cursor.metadata(headerSize)
  cursor.finish()

  const fault = name === '' ? undefined : readFault(operation, name, detail, codecs)
  return new CallError(code, message, {
    processed,
    metadata,
    issues,
    details,
    origin: 'downstream',
    ...(retryAfter === 0 ? {} : { retryAfter: retryAfter - 1 }),
    ...(http === 0 ? {} : { http }),
    ...(fault === undefined ? {} : { fault }),
  })
}

function readFault(
  operation: CallOperation,
  name: string,
  detail: Buffer,
  codecs: Codecs,
): RaisedFault | undefined {
  const declared = Object.hasOwn(operation.faults, name) ? operation.faults[name] : undefined
  if (declared === undefined) return undefined
  if (declared.detail === undefined) return { name, detail: undefined }

  try {
    return { name, detail: codecs.of(declared.detail).decode(detail, 0, detail.length) }
  } catch (error) {
    if (error instanceof Invalid) return undefined
    throw error
  }
}

function readPairs<T>(cursor: Cursor, read: () => T): T[] {
  const count = cursor.varint()
  if (count > cursor.end - cursor.at) throw new ProtocolError('a list is longer than the frame it is in')
  const list: T[] = []
  for (let index = 0; index < count; index++) list.push(read())
  return list
}
