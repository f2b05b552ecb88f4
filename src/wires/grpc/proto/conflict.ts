/** A contract that has no form in one set of .proto files. */
export class ProtoConflict extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProtoConflict'
  }
}
