// Builds dist/ from src/ with tsc: JavaScript and declarations, no tests.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const started = performance.now()

rmSync(dist, { recursive: true, force: true })
const tsc = join(root, 'node_modules', '.bin', 'tsc')
const { status } = spawnSync(tsc, ['--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })

if (status !== 0) {
  console.error('build: tsc found the errors above; dist/ is not usable')
  process.exit(1)
}

const command = join(dist, 'cli', 'main.js')
if (existsSync(command)) chmodSync(command, 0o755)

const files = globSync('dist/**/*', { cwd: root }).filter((file) => statSync(join(root, file)).isFile())
const bytes = files.reduce((sum, file) => sum + statSync(join(root, file)).size, 0)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(`dist: ${files.length} files, ${Math.round(bytes / 1024)} KiB, in ${seconds} s`)
