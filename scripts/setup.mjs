// Runs before every npm script: makes sure that what package-lock.json lists is installed, and says nothing when it is.
// Plain JavaScript without dependencies, since it runs on the machine's own Node (18 or newer), before ours is there.
//
//   node scripts/setup.mjs          the project
//   node scripts/setup.mjs bench    the project and the peers of the benchmarks

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const parts = process.argv.slice(2)

if (Number(process.versions.node.split('.')[0]) < 18) {
  fail(`Node ${process.versions.node} is too old to set the project up: install Node 18 or newer.`)
}

install(root, 'the project')
ensureNode()

for (const part of parts) {
  if (!existsSync(join(root, part, 'package-lock.json'))) fail(`${part}/package-lock.json does not exist.`)
  install(join(root, part), part)
}

/** Runs `npm ci` in a folder, unless what is installed there is what its lockfile lists. */
function install(folder, title) {
  const missing = firstMissing(folder)
  if (missing === undefined) return

  console.error(`setup: installing ${title} (${missing}) …`)
  const started = Date.now()
  const result = npm(['ci', '--no-audit', '--no-fund'], folder)

  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`)
    fail(
      `\`npm ci\` failed in ${folder} (exit code ${result.status ?? result.signal ?? result.error?.message}). ` +
        'The lines above are what npm said. Check the network and the registry settings of npm, then run the command again.',
    )
  }

  console.error(`setup: ${title} installed in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** The first package that is listed in package-lock.json and not installed in that version, with the reason in words. */
function firstMissing(folder) {
  const wanted = readPackages(join(folder, 'package-lock.json'))
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  if (wanted === undefined) fail(`${join(folder, 'package-lock.json')} is missing or not JSON.`)
  if (installed === undefined) return 'node_modules is missing'

  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link === true) continue
    const there = installed[path]

    // Packages for other platforms are listed, marked optional, and rightly absent.
    if (there === undefined && (entry.optional === true || entry.devOptional === true || entry.peer === true))
      continue
    if (there === undefined) return `${path} is missing`
    if (there.version !== entry.version)
      return `${path} is ${there.version}, package-lock.json wants ${entry.version}`
  }

  return undefined
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * The package `node` brings the Node that runs everything else, by an install script. An npm that refuses install scripts
 * leaves the package without its binary: then the script is run here.
 */
function ensureNode() {
  const packageFolder = join(root, 'node_modules', 'node')
  const binary = join(packageFolder, 'bin', 'node')
  const link = join(root, 'node_modules', '.bin', 'node')
  const version = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')).version

  if (nodeRuns(link, version)) return

  if (!nodeRuns(binary, version)) {
    console.error(
      `setup: the install script of the package node was not run; running it to fetch Node ${version} …`,
    )
    const script = spawnSync(systemNode(), ['installArchSpecificPackage.js'], {
      cwd: packageFolder,
      encoding: 'utf8',
      env: environment(),
    })

    if (!nodeRuns(binary, version)) {
      process.stderr.write(`${script.stdout}${script.stderr}`)
      fail(
        `Node ${version} is not in node_modules/node/bin: the install script of the npm package \`node\` did not run or failed. ` +
          'Allow it (`npm config set allow-scripts=node --location=project`, or run npm without ignore-scripts), ' +
          'then run `npm rebuild node`.',
      )
    }
  }

  if (!nodeRuns(link, version)) {
    mkdirSync(dirname(link), { recursive: true })
    rmSync(link, { force: true })
    symlinkSync(join('..', 'node', 'bin', 'node'), link)
  }

  if (!nodeRuns(link, version))
    fail(`${link} does not run as Node ${version}: remove node_modules and try again.`)
}

function nodeRuns(file, version) {
  if (!existsSync(file)) return false

  // Under `npm run` this very process is usually that binary already, which proves the point without starting it again.
  if (realpathSync(file) === process.execPath) return process.version === `v${version}`

  const result = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return result.status === 0 && result.stdout.trim() === `v${version}`
}

function npm(args, folder) {
  const script = process.env.npm_execpath
  const options = { cwd: folder, encoding: 'utf8', env: environment(), maxBuffer: 64 * 1024 * 1024 }

  if (script !== undefined && /\.c?js$/.test(script) && existsSync(script)) {
    return spawnSync(systemNode(), [script, ...args], options)
  }

  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
}

/** `npm ci` removes node_modules first, and with it the Node that may be running this: npm must run on the machine's own. */
function systemNode() {
  if (!process.execPath.startsWith(root + sep)) return process.execPath

  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const folder = outsidePath().find((candidate) => existsSync(join(candidate, name)))
  return folder === undefined ? process.execPath : join(folder, name)
}

/** The environment for npm: without the project's own binaries, and without what an outer npm passes on to its scripts. */
function environment() {
  const entries = Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_)|path$)/i.test(name))
  return { ...Object.fromEntries(entries), PATH: outsidePath().join(delimiter) }
}

function outsidePath() {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(root + sep))
}

function fail(message) {
  console.error(`setup: ${message}`)
  process.exit(1)
}
