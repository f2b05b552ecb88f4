/** Finds and imports a user's module: a file, a folder, or a package. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Failure, exitCode, failed, usage } from './failure.ts'
import { didYouMean } from '../contract/nearest.ts'

export interface LoadedModule {
  /** The file that was imported. */
  readonly file: string
  /** The same as people would write it: relative to the working directory. */
  readonly shown: string
  readonly exports: Readonly<Record<string, unknown>>
}

const indexNames = ['index.ts', 'index.mts', 'index.js', 'index.mjs', 'index.cjs']
const code = /\.[cm]?[jt]s$/

/** The file that a command line means. Throws `Failure`. */
export function findModule(reference: string): string {
  const path = resolve(reference)
  const kind = existsSync(path) ? statSync(path) : undefined
  if (kind?.isFile() === true) return path
  if (kind?.isDirectory() === true) return mainOf(path, reference)

  const isPath = /^\.{0,2}[/\\]/.test(reference) || isAbsolute(reference) || code.test(reference)
  const file = isPath ? undefined : packageMain(reference)
  if (file !== undefined) return file

  throw usage(
    `there is no module '${reference}' in ${process.cwd()}.${didYouMean(reference, neighbours(reference))}`,
  )
}

/** Imports a module. Throws `Failure` that says what is wrong with it. */
export async function loadModule(reference: string): Promise<LoadedModule> {
  const file = findModule(reference)
  const shown = relative(process.cwd(), file) || file

  try {
    return { file, shown, exports: (await import(pathToFileURL(file).href)) as Record<string, unknown> }
  } catch (error) {
    throw explain(error, shown)
  }
}

function mainOf(folder: string, reference: string): string {
  const declared = declaredMain(folder)
  if (declared !== undefined) return declared

  const index = indexNames.map((name) => join(folder, name)).find((file) => existsSync(file))
  if (index !== undefined) return index

  const modules = readdirSync(folder).filter((name) => code.test(name) && !/\.(test|d)\.[cm]?ts$/.test(name))
  throw usage(
    `'${reference}' is a folder without a package.json that names a main file, and without ${indexNames[0]}`,
    ...(modules.length === 0
      ? []
      : [`Name a file of it: ${modules.map((name) => join(reference, name)).join(', ')}`]),
  )
}

/** What package.json calls the package's main file: `exports` for ESM, else `main`. */
function declaredMain(folder: string): string | undefined {
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) return undefined

  const { exports, main } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    exports?: unknown
    main?: unknown
  }
  const declared = conditional(exports) ?? (typeof main === 'string' ? main : undefined)
  const file = declared === undefined ? undefined : join(folder, declared)

  return file !== undefined && existsSync(file) ? file : undefined
}

function conditional(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const table = exports as Record<string, unknown>

  for (const key of ['.', 'node', 'import', 'module-sync', 'default']) {
    const found = Object.hasOwn(table, key) ? conditional(table[key]) : undefined
    if (found !== undefined) return found
  }

  return undefined
}

/** As `import` would find it from the working directory; a path within a package as `require` does. */
function packageMain(reference: string): string | undefined {
  const require = createRequire(join(process.cwd(), 'x.js'))
  const folder = (require.resolve.paths(reference) ?? [])
    .map((path) => join(path, reference))
    .find((path) => existsSync(join(path, 'package.json')))
  const main = folder === undefined ? undefined : declaredMain(folder)
  if (main !== undefined) return main

  try {
    const found = require.resolve(reference)
    return isAbsolute(found) ? found : undefined
  } catch {
    return undefined
  }
}

function neighbours(reference: string): string[] {
  const folder = dirname(reference)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => code.test(name))
    .map((name) => (folder === '.' && !reference.startsWith('.') ? name : join(folder, name)))
}

function explain(error: unknown, shown: string): Failure {
  const { code: kind, message, url } = error as NodeJS.ErrnoException & { url?: string }
  const problem = (text: string, ...advice: string[]) => new Failure(exitCode.failed, text, advice, error)

  if (!(error instanceof Error)) return failed(`${shown} threw ${String(error)} while it was loaded`)

  switch (kind) {
    case 'ERR_MODULE_NOT_FOUND':
      return problem(`${shown} cannot be loaded: ${message}`, ...missingAdvice(url))
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return problem(
        `${shown} cannot be loaded: ${message}`,
        /\.m?ts\b/.test(message) && !process.features.typescript
          ? `This Node (${process.version}) runs no TypeScript; Trunkline needs Node 24 or newer.`
          : 'Node runs .ts, .mts, .js, .mjs and .cjs files.',
      )
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return problem(
        `${shown} cannot be loaded: ${message}`,
        'Node runs no TypeScript in node_modules: the package must ship JavaScript.',
      )
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return problem(
        `${shown} cannot be loaded: ${message}`,
        'Node removes types and nothing else: avoid enum, namespace and parameter properties (erasableSyntaxOnly).',
      )
  }

  if (error.name === 'ContractError' && kind === 'contract_lock') {
    return problem(message, `Bring the lock up to date: trunkline lock ${shown}`)
  }

  const where = placeOf(error)
  return problem(
    `${shown} failed while it was loaded: ${message}`,
    ...(where === undefined ? [] : [`  at ${where}`]),
  )
}

function missingAdvice(url: string | undefined): string[] {
  if (url?.startsWith('file:') !== true) return []
  const file = fileURLToPath(url)

  if (basename(file) === 'trunkline.lock.json') return [`Write it: trunkline lock <contract module>`]
  const sibling = ['.ts', '.mts']
    .map((end) => file.replace(/\.[cm]?js$|$/, end))
    .find((path) => existsSync(path))
  return sibling === undefined ? [] : [`Write the extension: import … from '…/${basename(sibling)}'`]
}

/** Where this library itself is: `file:///…/dist/`. */
const library = new URL('..', import.meta.url).href

/** The first line of the stack that is in somebody's own file. */
function placeOf(error: Error): string | undefined {
  const line = error.stack
    ?.split('\n')
    .find((each) => each.includes('file://') && !each.includes(library) && !each.includes('/node_modules/'))
  const found = /\(?(?<place>file:\/\/\S+?:\d+:\d+)\)?$/.exec(line ?? '')?.groups?.['place']
  if (found === undefined) return undefined

  const [, url, position] = /^(?<url>.*?)(?<position>:\d+:\d+)$/.exec(found) as unknown as [
    string,
    string,
    string,
  ]
  return `${relative(process.cwd(), fileURLToPath(url))}${position}`
}
