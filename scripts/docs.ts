// npm run docs             regenerates what is generated in README.md and docs/
// npm run docs -- --check  says what is not current, and changes nothing
//
// A generator is a script `scripts/*-doc.ts` whose default export returns the text of the page named by its export `page`.

import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FEATURES } from './features.ts'
import { withTable } from './verify/table.ts'

/** A script that writes a page. */
interface Generator {
  /** The page's path from the root. */
  page: string
  /** The page's whole text, given the page as it is. */
  default: (current: string) => string | Promise<string>
}

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const stale: string[] = []

const generators: Generator[] = [{ page: 'README.md', default: (current) => withTable(current, FEATURES) }]

for (const file of globSync('scripts/*-doc.ts', { cwd: root }).sort()) {
  generators.push((await import(join(root, file))) as Generator)
}

for (const generator of generators) {
  const path = join(root, generator.page)
  const current = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const text = await generator.default(current)
  if (text === current) continue

  stale.push(generator.page)
  if (check) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  console.log(`wrote ${generator.page}`)
}

if (check && stale.length > 0) {
  console.error(`Not current: ${stale.join(', ')}. Run \`npm run docs\`.`)
  process.exitCode = 1
}
