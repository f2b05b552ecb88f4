/** The messages that our errors are made of, for reflection clients which would show them. */
import { createLoader } from './proto/load.ts'
import { type ReflectedFile, reflectedFile } from './proto/reflection.ts'

const path = 'google/rpc/error_details.proto'

/** What is sent of google/rpc/error_details.proto, by its names and numbers. */
const text = `
syntax = "proto3"; package google.rpc; import "google/protobuf/duration.proto";

message ErrorInfo {
  string reason = 1;
  string domain = 2;
  map<string, string> metadata = 3;
}

message RetryInfo {
  google.protobuf.Duration retry_delay = 1;
}

message BadRequest {
  message FieldViolation {
    string field = 1;
    string description = 2;
  }
  repeated FieldViolation field_violations = 1;
}
`

/** The file, behind what it imports. */
export function errorDetailFiles(): readonly ReflectedFile[] {
  const loader = createLoader((asked) => (asked === path ? text : undefined))
  return [...loader.load([path]).files.values()].map(reflectedFile)
}
