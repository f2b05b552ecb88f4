/**
 * google/api/annotations.proto and http.proto, reduced to what they declare, so that exported files compile where
 * https://github.com/googleapis/googleapis is not at hand. Numbers and packages are theirs.
 */

function importing(path: string): string {
  return `import "${path}";`
}

const goPackage = 'google.golang.org/genproto/googleapis/api/annotations;annotations'

const http = `syntax = "proto3";

package google.api;

option go_package = "${goPackage}";
option java_multiple_files = true;
option java_package = "com.google.api";

message Http {
  repeated HttpRule rules = 1;
  bool fully_decode_reserved_expansion = 2;
}

message HttpRule {
  string selector = 1;

  oneof pattern {
    string get = 2;
    string put = 3;
    string post = 4;
    string delete = 5;
    string patch = 6;
    CustomHttpPattern custom = 8;
  }

  string body = 7;
  string response_body = 12;
  repeated HttpRule additional_bindings = 11;
}

message CustomHttpPattern {
  string kind = 1;
  string path = 2;
}
`

const annotations = `syntax = "proto3";

package google.api;

${importing('google/api/http.proto')}
${importing('google/protobuf/descriptor.proto')}

option go_package = "${goPackage}";
option java_multiple_files = true;
option java_package = "com.google.api";

extend google.protobuf.MethodOptions {
  HttpRule http = 72295728;
}
`

/** The files that an option of `google.api.http` needs, by path. */
export const googleApiFiles: Readonly<Record<string, string>> = {
  'google/api/http.proto': http,
  'google/api/annotations.proto': annotations,
}
