/**
 * `z.instanceof(Uint8Array)` is a custom check for zod, and its `def` holds nothing but a function. What the function
 * accepts tells bytes from other classes; what it looks at tells `instanceof` from a check of somebody's own.
 */
import type { ZodDef } from './zod-def.ts'

const notBytes: readonly unknown[] = [undefined, null, '', 0, true, [], {}, new ArrayBuffer(1), new Date(0)]

/** Whether it accepts a plain Uint8Array, and nothing else that was tried. */
export function acceptsBytesOnly(def: ZodDef): boolean {
  return accepts(def, new Uint8Array(1)) && !notBytes.some((value) => accepts(def, value))
}

/** Whether it looks at nothing but the prototype, so that zod need not run for it. */
export function isInstanceOfBytes(def: ZodDef): boolean {
  let looked = false
  const look = (): never => {
    looked = true
    throw new TypeError('a probe has no content')
  }
  const probe = new Proxy(Object.create(Uint8Array.prototype) as object, {
    get: look,
    has: look,
    ownKeys: look,
    getOwnPropertyDescriptor: look,
  })

  return accepts(def, probe) && !looked
}

function accepts(def: ZodDef, value: unknown): boolean {
  try {
    return def.fn?.(value) === true
  } catch {
    return false
  }
}
