/** Files that a command line names, read and written; what goes wrong is said as advice. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Failure, failed, usage } from './failure.ts'

/** Reads the file of an option: `--tls-ca`. Throws `Failure`. */
export function readGiven(what: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw explain(what, file, error as NodeJS.ErrnoException, 'read')
  }
}

/** Writes a file. `usual` is a name for when `file` is a folder. Throws `Failure`. */
export function writeGiven(what: string, file: string, text: string, usual: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw explain(what, file, error as NodeJS.ErrnoException, 'write', usual)
  }
}

function explain(
  what: string,
  file: string,
  error: NodeJS.ErrnoException,
  doing: 'read' | 'write',
  usual = basename(file),
): Failure {
  switch (error.code) {
    case 'ENOENT': {
      const folder = missingFolder(file)
      if (folder === undefined) return usage(`${what}: there is no file '${file}'`)
      return doing === 'read'
        ? usage(`${what}: there is no file '${file}', nor the folder '${folder}'`)
        : failed(`${what}: there is no folder '${folder}'`, `Make it: mkdir -p ${dirname(file)}`)
    }
    case 'EISDIR':
      return usage(
        `${what}: '${file}' is a folder`,
        doing === 'read' ? 'Name a file in it.' : `Name a file in it: ${join(file, usual)}`,
      )
    case 'ENOTDIR':
      return usage(`${what}: '${file}' leads through a file as if that were a folder`)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failed(`${what}: you may not ${doing} '${file}'`, `Who may: ls -ld ${existing(file)}`)
    default:
      return failed(`${what}: '${file}' cannot be ${doing === 'read' ? 'read' : 'written'}: ${error.message}`)
  }
}

/** The first folder on the way to a file that is not there. */
function missingFolder(file: string): string | undefined {
  const folder = dirname(file)
  if (existsSync(folder)) return undefined
  return missingFolder(folder) ?? folder
}

/** The file, or the folder it would be in. */
function existing(file: string): string {
  return statSync(file, { throwIfNoEntry: false }) === undefined ? dirname(file) : file
}
