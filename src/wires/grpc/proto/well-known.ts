/**
 * The files that every protobuf compiler brings along, reduced to what they declare: whoever imports them need not have
 * them. https://protobuf.dev/reference/protobuf/google.protobuf
 */

function file(name: string, body: string): string {
  return `syntax = "proto3"; package google.protobuf; ${body.includes('Any') && name !== 'any' ? 'import "google/protobuf/any.proto";' : ''}${body}`
}

const bodies: Readonly<Record<string, string>> = {
  any: 'message Any { string type_url = 1; bytes value = 2; }',
  duration: 'message Duration { int64 seconds = 1; int32 nanos = 2; }',
  empty: 'message Empty {}',
  field_mask: 'message FieldMask { repeated string paths = 1; }',
  source_context: 'message SourceContext { string file_name = 1; }',
  timestamp: 'message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
  struct: `
    message Struct { map<string, Value> fields = 1; }
    message Value {
      oneof kind {
        NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
        Struct struct_value = 5; ListValue list_value = 6;
      }
    }
    enum NullValue { NULL_VALUE = 0; }
    message ListValue { repeated Value values = 1; }`,
  wrappers: `
    message DoubleValue { double value = 1; }
    message FloatValue { float value = 1; }
    message Int64Value { int64 value = 1; }
    message UInt64Value { uint64 value = 1; }
    message Int32Value { int32 value = 1; }
    message UInt32Value { uint32 value = 1; }
    message BoolValue { bool value = 1; }
    message StringValue { string value = 1; }
    message BytesValue { bytes value = 1; }`,
}

/** The text of a well-known file by its path. */
export function wellKnownFile(path: string): string | undefined {
  const name = /^google\/protobuf\/(\w+)\.proto$/.exec(path)?.[1]
  const body = name !== undefined && Object.hasOwn(bodies, name) ? bodies[name] : undefined
  return name === undefined || body === undefined ? undefined : file(name, body)
}

/** The path of the well-known file that declares a type: `google.protobuf.Struct` → `google/protobuf/struct.proto`. */
export function wellKnownPath(type: string): string | undefined {
  const local = type.startsWith('google.protobuf.') ? type.slice('google.protobuf.'.length) : ''
  if (local === '') return undefined
  const declares = new RegExp(`\\b(?:message|enum) ${local}\\b`)
  const name = Object.keys(bodies).find((one) => declares.test(bodies[one] as string))
  return name === undefined ? undefined : `google/protobuf/${name}.proto`
}
