// The code of README.md, docs/ and doc comments, as files that can be compiled and run.
//
// The convention, for whoever writes a page:
//
//   ```ts            compiled and run, as a module of its own
//   ```ts no-run     compiled only
//   ```ts no-check   neither (a fragment, a signature, a counterexample)
//
// A block whose first line is `// name.ts` (or `// folder/name.ts — what it is`) becomes the file of that name, which the
// other blocks of the page can import; two blocks with one name are one file in two parts. Blocks run in the order of the
// page, in one process that then exits: a server that one block starts is there for the next. Ports 7000 to 7099 are
// replaced by free ones, the same for a whole page.
//
// What stands behind a `console.log(…) // value` must be what is printed; `…` in it stands for anything.
//
// The @example of a doc comment is a page of its own. What it uses of the package, of `zod` (as `z`) and of node:assert (as
// `assert`) without an import is imported for it.

import { globSync } from 'node:fs'
import { publicSymbols } from './public-api.ts'
import { exists, read, root } from './sources.ts'

/** One file that blocks of a page make up. */
export interface CodeFile {
  /** Relative to the page's folder. */
  name: string
  code: string
  run: boolean
  /** `README.md:12`, of its first block. */
  origin: string
}

/** A page, or an @example, with its files in order. */
export interface Page {
  /** Usable as the name of a folder. */
  id: string
  files: CodeFile[]
}

/** README.md, CONTRIBUTING.md and every page of docs/. */
export function documentPages(): Page[] {
  const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root }).sort()]

  return pages
    .filter((file) => exists(file))
    .map((file) => ({ id: folderName(file), files: filesOf(read(file), file) }))
    .filter((page) => page.files.length > 0)
}

/** The examples in the doc comments of public symbols, each a page. */
export function examplePages(): Page[] {
  const symbols = publicSymbols()
  const names = [
    ...new Set(symbols.filter((symbol) => symbol.entry === 'trunkline').map((symbol) => symbol.name)),
  ]
  const seen = new Set<string>()

  return symbols.flatMap((symbol) => {
    const origin = `${symbol.file}:${symbol.line}`
    if (symbol.doc === undefined || seen.has(origin)) return []
    seen.add(origin)

    return examplesOf(symbol.doc).map((text, index) => {
      const id = folderName(`${symbol.file} ${symbol.name} ${index + 1}`)
      const files = filesOf(text, `${origin} (@example of ${symbol.name})`)
      return { id, files: files.map((file) => ({ ...file, code: withImports(file.code, names) })) }
    })
  })
}

const FENCE = /^(?<indent> *)```(?<info>[^\n`]*)\n(?<code>[\s\S]*?)^\k<indent>```/gm
const NAME = /^\/\/ (?<name>[\w./-]+\.ts)(?:\s.*)?$/

/** The TypeScript blocks of a Markdown text as files. */
export function filesOf(text: string, source: string): CodeFile[] {
  const files: CodeFile[] = []

  for (const match of text.matchAll(FENCE)) {
    const { info = '', indent = '', code = '' } = match.groups!
    const [language, ...flags] = info.trim().split(/\s+/)
    if (!['ts', 'typescript'].includes(language ?? '') || flags.includes('no-check')) continue

    const body = code.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    const line = text.slice(0, match.index).split('\n').length
    const name = NAME.exec(body.split('\n')[0]!)?.groups?.['name']
    const same = files.find((file) => file.name === name)

    if (same === undefined) {
      const run = !flags.includes('no-run')
      files.push({ name: name ?? `block-${line}.ts`, code: body, run, origin: `${source}:${line}` })
    } else {
      same.code += `\n${body}`
    }
  }

  return files
}

function examplesOf(doc: string): string[] {
  return doc
    .split(/^@example\b/m)
    .slice(1)
    .map((part) => part.split(/^@\w+/m)[0]!)
    .map((part) => (part.includes('```') ? part : `\`\`\`ts\n${part.trim()}\n\`\`\`\n`))
}

/** Adds imports for what an example uses and neither declares nor imports. */
function withImports(code: string, names: readonly string[]): string {
  const missing = names.filter((name) => uses(code, name) && !declares(code, name))
  const lines: string[] = []

  if (missing.length > 0) lines.push(`import { ${missing.join(', ')} } from 'trunkline'`)
  if (uses(code, 'z') && !declares(code, 'z')) lines.push("import * as z from 'zod'")
  if (uses(code, 'assert') && !declares(code, 'assert')) lines.push("import assert from 'node:assert/strict'")
  return [...lines, code].join('\n')
}

/** As a name of its own: not as a property, a key or a part of a string. */
function uses(code: string, name: string): boolean {
  const plain = code.replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'/g, "''")
  return new RegExp(`(?<![\\w$.])${name}(?![\\w$]|\\s*:)`).test(plain)
}

function declares(code: string, name: string): boolean {
  return new RegExp(
    `^\\s*(?:export\\s+)?(?:import\\b[^'"]*|const|let|function|class|type|interface)\\s.*(?<![\\w$.])${name}(?![\\w$])`,
    'm',
  ).test(code.replace(/=.*$/gm, ''))
}

function folderName(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, '-')
}

/** Replaces the ports 7000 to 7099 by others, each always by the same. */
export function withPorts(code: string, ports: readonly number[]): string {
  return code.replaceAll(/\b70(\d\d)\b/g, (_, digits: string) => String(ports[Number(digits) % ports.length]))
}

/** Turns `console.log(x) // value` into a call that compares what is printed with the comment (see run-page.ts). */
export function withExpectations(code: string): string {
  return code.replaceAll(
    /^(?<indent> *)console\.log\((?<what>.+)\) \/\/ (?<expected>.+)$/gm,
    (_, indent: string, what: string, expected: string) =>
      `${indent}__logExpecting(${JSON.stringify(expected)}, ${what})`,
  )
}
