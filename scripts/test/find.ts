// Which files are tests.

import { globSync } from 'node:fs'

/** What to look for. */
export interface Selection {
  /** Also the foreign judges, *.judge.ts. */
  judges: boolean
  /** Parts of paths; a file is taken when its path contains one of them. Empty: all. */
  filters: string[]
}

/** Paths of the test files, relative to the root, sorted; a judge that is named in full is found without `judges`. */
export function findTests(root: string, selection: Selection): string[] {
  const tests = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'], {
    cwd: root,
    exclude: (path) => path.includes('node_modules'),
  })

  const judges = globSync('test/**/*.judge.ts', { cwd: root }).filter(
    (file) => selection.judges || selection.filters.some((filter) => clean(filter) === file),
  )

  const found = [...tests, ...judges].sort()
  if (selection.filters.length === 0) return found

  return found.filter((file) => selection.filters.some((filter) => file.includes(clean(filter))))
}

/** `./src/codec/` and `src/codec/**` mean the folder. */
function clean(filter: string): string {
  return filter.replace(/^\.\//, '').replace(/\/?\*.*$/, '/')
}
