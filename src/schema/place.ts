import { pascalCase } from './names.ts'

/** Where a schema stands while it is read: for messages, and for the names of types that were given none. */
export interface Place {
  /** `acme.orders.v1/place input` */
  readonly operation: string
  /** `lines[].price` */
  readonly path: string
  /** The name of a type without an id here: `PlaceRequestLines`. */
  readonly name: string
  /** How deep it lies. */
  readonly depth: number
}

/** The value itself. */
export function rootPlace(operation: string, name: string): Place {
  return { operation, path: '', name, depth: 0 }
}

/** The place `segment` (`.price`, `[]`, `{}`, `[0]`) below another, where types without an id are called `name`. */
export function below(place: Place, segment: string, name: string): Place {
  const path = place.path + segment

  return {
    operation: place.operation,
    path: path.startsWith('.') ? path.slice(1) : path,
    name,
    depth: place.depth + 1,
  }
}

/** `acme.orders.v1/place input, lines[].price` */
export function describePlace({ operation, path }: Place): string {
  return path === '' ? operation : `${operation}, ${path}`
}

/** A property of an object, where the object's type is called `owner`. */
export function fieldPlace(place: Place, property: string, owner: string): Place {
  const segment = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(property)
    ? `.${property}`
    : `[${JSON.stringify(property)}]`

  return below(place, segment, owner + pascalCase(property))
}
