/** What somebody gave, in the words of an error: values as they are written, everything larger by its kind. */
export function valueInWords(value: unknown): string {
  if (isSchema(value)) return 'a schema'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** Whether a value says of itself that it is a schema: Standard Schema, which all libraries that are known follow. */
export function isSchema(value: unknown): boolean {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') && '~standard' in value
  )
}
