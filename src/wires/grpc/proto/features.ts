/**
 * Features of editions: what proto2 and proto3 had fixed, and files, messages and fields can now say.
 *
 *   https://protobuf.dev/editions/features
 */
import type { FileNode, OptionNode } from './ast.ts'
import { ProtoError } from './error.ts'

export interface Features {
  readonly field_presence: 'EXPLICIT' | 'IMPLICIT' | 'LEGACY_REQUIRED'
  readonly enum_type: 'OPEN' | 'CLOSED'
  readonly repeated_field_encoding: 'PACKED' | 'EXPANDED'
  readonly message_encoding: 'LENGTH_PREFIXED' | 'DELIMITED'
}

const known: Readonly<Record<keyof Features, readonly string[]>> = {
  field_presence: ['EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'],
  enum_type: ['OPEN', 'CLOSED'],
  repeated_field_encoding: ['PACKED', 'EXPANDED'],
  message_encoding: ['LENGTH_PREFIXED', 'DELIMITED'],
}

const editions: Features = {
  field_presence: 'EXPLICIT',
  enum_type: 'OPEN',
  repeated_field_encoding: 'PACKED',
  message_encoding: 'LENGTH_PREFIXED',
}

const defaults: Readonly<Record<FileNode['syntax'], Features>> = {
  proto2: { ...editions, enum_type: 'CLOSED', repeated_field_encoding: 'EXPANDED' },
  proto3: { ...editions, field_presence: 'IMPLICIT' },
  editions,
}

/** What counts in a file when nothing is said. */
export function defaultFeatures(syntax: FileNode['syntax']): Features {
  return defaults[syntax]
}

/** What counts below a declaration with these options. Features of languages are theirs. Throws ProtoError. */
export function withFeatures(features: Features, options: readonly OptionNode[], file: string): Features {
  let changed: Features | undefined

  function set(name: string, value: string, { at }: OptionNode): void {
    const allowed = Object.hasOwn(known, name) ? known[name as keyof Features] : undefined
    if (allowed === undefined) return
    if (!allowed.includes(value))
      throw new ProtoError(file, at, `features.${name} cannot be ${value}`, `write ${allowed.join(' or ')}`)
    changed = { ...(changed ?? features), [name]: value }
  }

  for (const option of options) {
    if (option.name.startsWith('features.')) {
      if (option.value.kind === 'word') set(option.name.slice('features.'.length), option.value.text, option)
    } else if (option.name === 'features' && option.value.kind === 'message') {
      for (const { name, value } of option.value.fields) {
        if (value.kind === 'word') set(name, value.text, option)
      }
    }
  }
  return changed ?? features
}
