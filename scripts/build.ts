// Builds dist/ from src/: tsc checks and writes a declaration per source file, esbuild joins the code into one module an
// entry point and what these share. Joined, because Node needs a third of a millisecond for every module it loads
// (docs/decisions/0006-joined-modules.md); not minified, because users read stack traces.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const started = performance.now()

rmSync(dist, { recursive: true, force: true })

const tsc = join(root, 'node_modules', '.bin', 'tsc')
const { status } = spawnSync(tsc, ['--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })

if (status !== 0) {
  console.error('build: tsc found the errors above; dist/ is not usable')
  process.exit(1)
}

await build({
  absWorkingDir: root,
  entryPoints: entryPoints(),
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'shared/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node24',
  charset: 'utf8',
  logLevel: 'warning',
})

for (const command of commands()) chmodSync(join(root, command), 0o755)

const files = globSync('dist/**/*', { cwd: root }).filter((file) => statSync(join(root, file)).isFile())
const bytes = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0)
const modules = files.filter((file) => file.endsWith('.js')).length
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(
  `dist: ${modules} modules, ${files.length} files, ${Math.round(bytes / 1024)} KiB, in ${seconds} s`,
)

/** The sources of what package.json's `exports` and `bin` name. */
function entryPoints(): string[] {
  const exported = Object.values<Record<string, string> | string>(manifest.exports).flatMap((conditions) =>
    typeof conditions === 'string' ? [] : [conditions['trunkline-source']!],
  )

  const sources = commands().map((file) => file.replace('dist/', 'src/').replace(/\.js$/, '.ts'))
  return [...exported, ...sources].filter((file) => existsSync(join(root, file)))
}

function commands(): string[] {
  return Object.values<string>(manifest.bin).filter((file) => {
    return existsSync(join(root, file.replace('dist/', 'src/').replace(/\.js$/, '.ts')))
  })
}
