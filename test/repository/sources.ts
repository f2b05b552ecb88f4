// The source files of the package and what they import, read as text: top-level statements start in the first column
// (the formatter sees to it), comments do not.

import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The root of the repository, with a slash at its end. */
export const root = join(import.meta.dirname, '..', '..', '/')

/** One import of a file. */
export interface Import {
  /** As it is written. */
  specifier: string
  /** The file it leads to, relative to the root; undefined for a package or a module of Node. */
  file?: string
  /** Erased at run time: `import type`. */
  typeOnly: boolean
  line: number
}

/** Files of src/ that are shipped: no tests. Relative to the root. */
export function shippedSources(): string[] {
  return globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !/\.test(-d)?\.ts$/.test(file))
    .sort()
}

/** The text of a file, given relative to the root. */
export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

const FROM =
  /^(?:import|export)(?<clause>\s+(?:type\s+)?(?:[\w$]+\s*,?\s*)?(?:\{[^{}]*\}|\*(?:\s+as\s+[\w$]+)?)?\s*)\bfrom\s*['"](?<specifier>[^'"\n]+)['"]/gm
const BARE = /^import\s*['"](?<specifier>[^'"\n]+)['"]/gm
const DYNAMIC = /^(?!\s*(?:\*|\/\/|\/\*)).*?\bimport\(\s*['"](?<specifier>[^'"]+)['"]/gm

/** The imports and re-exports of a file. */
export function importsOf(file: string, text = read(file)): Import[] {
  const found: Import[] = []

  for (const match of text.matchAll(FROM)) {
    const { clause = '', specifier = '' } = match.groups!
    found.push(describe(file, text, match.index, specifier, isTypeOnly(clause)))
  }

  for (const pattern of [BARE, DYNAMIC]) {
    for (const match of text.matchAll(pattern)) {
      found.push(describe(file, text, match.index, match.groups!['specifier']!, false))
    }
  }

  return found
}

/** `import type …`, or braces in which every name carries `type`. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\s+[\w${*]/.test(clause)) return true

  const names = /^\s*\{(?<names>[^}]*)\}\s*$/.exec(clause)?.groups?.['names']
  if (names === undefined || names.trim() === '') return false

  return names
    .split(',')
    .filter((name) => name.trim() !== '')
    .every((name) => /^\s*type\s/.test(name))
}

function describe(file: string, text: string, index: number, specifier: string, typeOnly: boolean): Import {
  const line = text.slice(0, index).split('\n').length
  if (!specifier.startsWith('.')) return { specifier, typeOnly, line }

  return { specifier, file: normalize(join(dirname(file), specifier)), typeOnly, line }
}

/** Whether a path relative to the root exists. */
export function exists(file: string): boolean {
  return existsSync(join(root, file))
}
