/**
 * Where protobuf's numbers come from. With a lock they are the lock's; without one the order of declaration counts.
 * Asking twice for the same thing gives the same number.
 */
export interface Numbers {
  /** `type` is the name in the table of types, `field` the property's name in TypeScript. */
  field(type: string, field: string): number
  enumValue(type: string, name: string, value: string | number): number
  variant(type: string, tag: string): number
  reserved(
    type: string,
  ): { readonly numbers: readonly number[]; readonly names: readonly string[] } | undefined
}

const int32 = (value: number): boolean => (value | 0) === value

/** Numbers without a lock: 1, 2, 3, … per type as they are asked for; a numeric enum's values are their own numbers. */
export function declarationOrder(): Numbers {
  const given = new Map<string, Map<string, number>>()

  function next(type: string, member: string): number {
    let members = given.get(type)

    if (members === undefined) {
      members = new Map()
      given.set(type, members)
    }

    let number = members.get(member)

    if (number === undefined) {
      number = members.size + 1
      members.set(member, number)
    }

    return number
  }

  return {
    field: next,
    enumValue: (type, name, value) => (typeof value === 'number' && int32(value) ? value : next(type, name)),
    variant: next,
    reserved: () => undefined,
  }
}
