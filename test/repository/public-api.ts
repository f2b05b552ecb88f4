// The public interface as the entry points of package.json's `exports` show it: every exported name, where it is declared,
// and its doc comment. Read as text, following re-exports.

import { exists, importsOf, read } from './sources.ts'
import { join } from 'node:path'

/** One exported name. */
export interface PublicSymbol {
  name: string
  /** The entry point it is exported from: `trunkline`, `trunkline/testing`, … */
  entry: string
  file: string
  line: number
  kind: 'function' | 'class' | 'value' | 'type' | 'unknown'
  /** The doc comment's text without its stars, or undefined. */
  doc: string | undefined
}

/** The entry points and their source files, as far as these exist. */
export function entryPoints(): { entry: string; file: string }[] {
  const manifest = JSON.parse(read('package.json'))

  return Object.entries<Record<string, string> | string>(manifest.exports).flatMap(([path, conditions]) => {
    if (typeof conditions === 'string') return []
    const file = conditions['trunkline-source']!.replace(/^\.\//, '')
    return [{ entry: join(manifest.name, path), file }]
  })
}

/** Every public symbol of every entry point that exists. */
export function publicSymbols(): PublicSymbol[] {
  return entryPoints()
    .filter(({ file }) => exists(file))
    .flatMap(({ entry, file }) => exportsOf(file).map((symbol) => ({ ...symbol, entry })))
}

type Found = Omit<PublicSymbol, 'entry'>

const LIST = /^export\s+(?:type\s+)?\{(?<names>[^}]*)\}(?:\s*from\s*['"](?<from>[^'"]+)['"])?/gm
const STAR = /^export\s+(?:type\s+)?\*\s+from\s*['"](?<from>[^'"]+)['"]/gm
const DECLARED =
  /^export\s+(?:declare\s+|abstract\s+|async\s+)*(?:function\*?|const|let|class|interface|type)\s+(?<name>[\w$]+)/gm

function exportsOf(file: string, seen = new Set<string>()): Found[] {
  // That an import leads nowhere is another test's to say.
  if (seen.has(file) || !exists(file)) return []
  seen.add(file)

  const text = read(file)
  const found = new Map<string, Found>()
  const add = (symbol: Found): void => {
    if (!found.has(symbol.name)) found.set(symbol.name, symbol)
  }

  for (const match of text.matchAll(DECLARED)) add(declaration(file, match.groups!['name']!))

  for (const match of text.matchAll(LIST)) {
    for (const item of match.groups!['names']!.split(',')) {
      const [, local, exported = local] =
        /^\s*(?:type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(stripComments(item)) ?? []
      if (local === undefined || exported === undefined) continue

      const from = match.groups!['from']
      const source = from === undefined ? importedFrom(file, local) : resolve(file, from)
      add({ ...declaration(source, local), name: exported })
    }
  }

  for (const match of text.matchAll(STAR)) {
    for (const symbol of exportsOf(resolve(file, match.groups!['from']!), seen)) add(symbol)
  }

  return [...found.values()]
}

/** Where a name is declared in a file, or in the file that this one re-exports it from. */
function declaration(file: string, name: string, depth = 0): Found {
  const text = exists(file) ? read(file) : ''
  const escaped = name.replaceAll('$', '\\$')
  const pattern = `^(?:export\\s+)?(?:declare\\s+|abstract\\s+|async\\s+)*(?<kind>function\\*?|const|let|class|interface|type)\\s+${escaped}(?![\\w$])`
  const [match, ...overloads] = text.matchAll(new RegExp(pattern, 'gm'))

  if (match === undefined) {
    const source = depth < 10 ? importedFrom(file, name) : file
    if (source !== file) return declaration(source, name, depth + 1)
    return { name, file, line: 1, kind: 'unknown', doc: undefined }
  }

  const line = text.slice(0, match.index).split('\n').length
  const docs = [match, ...overloads].map((each) => docAbove(text.slice(0, each.index)))
  const doc = docs.some((each) => each !== undefined)
    ? docs.filter((each) => each !== undefined).join('\n')
    : undefined
  return { name, file, line, kind: kindOf(match.groups!['kind']!), doc }
}

function kindOf(keyword: string): PublicSymbol['kind'] {
  if (keyword.startsWith('function')) return 'function'
  if (keyword === 'class') return 'class'
  return keyword === 'const' || keyword === 'let' ? 'value' : 'type'
}

/** The file that a name comes from by an import or a re-export of a file; the file itself if there is none. */
function importedFrom(file: string, name: string): string {
  const text = exists(file) ? read(file) : ''

  for (const found of importsOf(file, text)) {
    if (found.file === undefined) continue
    const clause = text
      .split('\n')
      .slice(found.line - 1)
      .join('\n')
      .split(found.specifier)[0]!
    if (new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(clause)) return found.file
  }

  return file
}

function resolve(file: string, specifier: string): string {
  return join(file, '..', specifier)
}

function docAbove(before: string): string | undefined {
  // Remarks for whoever reads the code may stand between the doc comment and the declaration.
  const trimmed = before.replace(/(?:^\/\/.*\n)+$/m, '').trimEnd()
  if (!trimmed.endsWith('*/')) return undefined

  const start = trimmed.lastIndexOf('/*')
  if (!trimmed.startsWith('/**', start)) return undefined

  return trimmed
    .slice(start + '/**'.length, -'*/'.length)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim()
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
}
