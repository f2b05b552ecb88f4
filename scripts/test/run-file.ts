// Runs one test file in a process of its own and collects what happened in it.

import { join } from 'node:path'
import { run } from 'node:test'
import { inspect } from 'node:util'

/** The name under which the end of the file's own process is reported. */
const CRASH = '(the file)'

/** One test as it ended. */
export interface TestOutcome {
  /** The names of the enclosing suites and tests, and its own. */
  name: string
  state: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped, or the error it failed with. */
  detail: string
}

/** What one file did. */
export interface FileOutcome {
  tests: TestOutcome[]
  milliseconds: number
  /** What the file wrote to stdout and stderr; shown only if something failed. */
  output: string
}

/** Runs a file; when it has not ended after `limit` milliseconds it is ended, and that is a failure. */
export async function runFile(root: string, file: string, limit: number): Promise<FileOutcome> {
  const path = join(root, file)
  const started = performance.now()
  const abort = new AbortController()
  const outcome: FileOutcome = { tests: [], milliseconds: 0, output: '' }
  let timedOut = false

  const events = run({
    files: [path],
    isolation: 'process',
    signal: abort.signal,
    cwd: root,
    execArgv: ['--conditions=trunkline-source'],
  })

  const timer = setTimeout(() => {
    timedOut = true
    abort.abort()
  }, limit)

  const collected = collect(events, path, outcome)

  // A process that survives its SIGTERM must not hold the whole run.
  const lost = new Promise<void>((resolve) => setTimeout(resolve, limit + 10_000).unref())
  await Promise.race([collected, lost])
  clearTimeout(timer)

  if (timedOut) {
    outcome.tests = outcome.tests.filter((test) => test.name !== CRASH)
    const detail = `the file did not end within ${limit / 1000} s and was stopped; ${unfinished(outcome)}`
    outcome.tests.push({ name: CRASH, state: 'failed', detail })
  } else if (outcome.tests.length === 0) {
    outcome.tests.push({ name: CRASH, state: 'failed', detail: 'the file has no tests' })
  }

  outcome.milliseconds = performance.now() - started
  return outcome
}

function unfinished(outcome: FileOutcome): string {
  const last = outcome.tests.at(-1)
  return last === undefined ? 'no test in it had ended' : `the last test to end was "${last.name}"`
}

async function collect(events: AsyncIterable<any>, path: string, outcome: FileOutcome): Promise<void> {
  const enclosing: string[] = []

  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') outcome.output += data.message
    if (type === 'test:start') enclosing.splice(data.nesting, Infinity, data.name)
    if (type !== 'test:pass' && type !== 'test:fail') continue

    const failure = type === 'test:fail' ? data.details.error : undefined
    const isFile = data.nesting === 0 && data.name === path

    // A parent that failed because of its children adds nothing; nor does the file itself when its tests were reported.
    if (failure?.failureType === 'subtestsFailed') continue
    if (isFile && failure === undefined) continue
    if (data.details.type === 'suite' && failure === undefined && data.skip === undefined) continue

    const name = [...enclosing.slice(0, data.nesting), data.name].join(' › ')
    outcome.tests.push(isFile ? crashed(failure) : ended(name, failure, data.skip))
  }
}

function ended(name: string, failure: unknown, skip: string | boolean | undefined): TestOutcome {
  if (skip !== undefined && skip !== false) {
    return { name, state: 'skipped', detail: typeof skip === 'string' ? skip : 'no reason given' }
  }

  if (failure === undefined) return { name, state: 'passed', detail: '' }
  return { name, state: 'failed', detail: describe(failure) }
}

function crashed(failure: any): TestOutcome {
  const how = failure.signal ? `was ended by ${failure.signal}` : `ended with exit code ${failure.exitCode}`
  return { name: CRASH, state: 'failed', detail: `the process of the file ${how}` }
}

/** The error of the test itself, not node:test's wrapper around it; an assertion's message already holds both values. */
function describe(failure: any): string {
  const error = failure.cause ?? failure
  if (typeof error === 'string') return error

  const text = error?.code === 'ERR_ASSERTION' ? error.stack : inspect(error, { depth: 5, breakLength: 110 })
  return shorten(text.replace(/\n\s+at [^\n]*node:[^\n]*/g, ''))
}

function shorten(text: string): string {
  return text.length <= 6000
    ? text
    : `${text.slice(0, 4000)}\n… ${text.length - 6000} characters …\n${text.slice(-2000)}`
}
