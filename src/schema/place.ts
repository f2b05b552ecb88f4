/** Where a schema stands while it is read: for messages, and for the names of types that were given none. */
export interface Place {
  /** `acme.orders.v1/place input` */
  readonly operation: string
  /** `lines[].price` */
  readonly path: string
  /** The name of a type without an id here: `PlaceRequestLines`. */
  readonly name: string
}

/** The place `segment` (`.price`, `[]`, `{}`, `[0]`) below another, where types without an id are called `name`. */
export function below(place: Place, segment: string, name: string): Place {
  const path = place.path + segment

  return { operation: place.operation, path: path.startsWith('.') ? path.slice(1) : path, name }
}

/** `acme.orders.v1/place input, lines[].price` */
export function describePlace({ operation, path }: Place): string {
  return path === '' ? operation : `${operation}, ${path}`
}
