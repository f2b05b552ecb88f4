import type { StandardSchemaV1 } from '@standard-schema/spec'
import { Invalid, maximumIssues } from './invalid.ts'
import { formatPath } from './path.ts'

/**
 * Runs the schema library itself on a decoded value, for what only it can check or change. The value to use is what
 * the library returns. Throws `Invalid`, or rejects with it when a refinement is asynchronous.
 */
export function refineWith(schema: StandardSchemaV1): (value: unknown) => unknown {
  const { validate } = schema['~standard']

  return (value) => {
    const result = validate(value)

    return result instanceof Promise ? result.then(valueOf) : valueOf(result)
  }
}

function valueOf(result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value

  throw new Invalid(
    result.issues.slice(0, maximumIssues).map((issue) => ({
      path: formatPath(issue.path ?? []),
      message: issue.message,
    })),
  )
}
