// Asks for a tool that a test needs and that npm does not bring: a foreign judge, a compiler, a real server.

import type { TestContext } from 'node:test'

/** A way to get a tool: its path, or an Error that says why there is none on this machine. */
export type Tool = () => Promise<string> | string

/**
 * The path of a tool, or `undefined` after having skipped the test with the reason. With TRUNKLINE_REQUIRE=all, as in CI,
 * a missing tool is a failure instead.
 *
 *     const schemathesis = await needs(t, judges.schemathesis)
 *     if (schemathesis === undefined) return
 */
export async function needs(t: TestContext, tool: Tool): Promise<string | undefined> {
  try {
    return await tool()
  } catch (error) {
    if (process.env['TRUNKLINE_REQUIRE'] === 'all') throw error

    const reason = error instanceof Error ? error.message : String(error)
    t.skip(reason)
    return undefined
  }
}
