/** .proto files that use every construct of their syntax, for tests of the parser, of import and of export. */

export const proto3 = `// The shop.
syntax = "proto3";

package acme.shop.v1;

import "google/api/annotations.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import public "acme/shop/v1/money.proto";

option java_package = "com.acme.shop.v1";
option (acme.file_option) = { names: ["a", 'b'] nested < deep: { x: -1.5e3, } > [acme.ext]: true };

// Places and finds orders.
service Shop {
  option (google.api.default_host) = "shop.acme.example";

  // Places an order.
  rpc Place(PlaceRequest) returns (Order) {
    option (google.api.http) = { post: "/v1/orders" body: "*" additional_bindings { post: "/v1/o" } };
  }
  rpc GetOrder(GetOrderRequest) returns (Order) {
    option (google.api.http).get = "/v1/orders/{order_id}";
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc Cancel(GetOrderRequest) returns (google.protobuf.Empty) {
    option deprecated = true;
    option (google.api.http) = { delete: "/v1/{order_id=orders/*}" };
  }
  rpc Watch(google.protobuf.Empty) returns (stream Order);
  rpc Import(stream PlaceRequest) returns (google.protobuf.Struct) {}
  rpc Chat(stream .acme.shop.v1.Order) returns (stream Order) {};
}

message PlaceRequest {
  Order order = 1;
  google.protobuf.FieldMask mask = 2;
}

message GetOrderRequest {
  string order_id = 1;
  bool full = 2;
}

/*
 * An order,
 * as it was placed.
 */
message Order {
  reserved 5, 7 to 9, 100 to max;
  reserved "old_name", 'older_name';

  string order_id = 1; // What identifies it.
  optional int32 quantity = 2 [deprecated = true];
  repeated sint64 deltas = 3;
  repeated Line lines = 4;
  map<string, Line> by_sku = 6;
  map<int64, State> states = 10;
  State state = 11;

  // How it was paid.
  oneof payment {
    string card = 12;
    Money cash = 13;
    State other = 14;
  }

  google.protobuf.Timestamp placed_at = 15;
  google.protobuf.Duration lasts = 16;
  google.protobuf.Any extra = 17;
  google.protobuf.Struct attributes = 18;
  google.protobuf.Value anything = 19;
  google.protobuf.ListValue list = 20;
  google.protobuf.StringValue note = 21;
  google.protobuf.Int64Value big = 22;
  repeated fixed32 unpacked = 23 [packed = false];
  string renamed = 24 [json_name = "otherName"];
  Order parent = 25;
  double real = 26;
  float single = 27;
  uint32 small = 28;
  uint64 large = 29;
  sfixed64 fixed = 30;
  bytes data = 31;
  bool flag = 32;
  google.protobuf.Empty nothing = 33;
  repeated Order children = 34;

  // One line of it.
  message Line {
    string sku = 1;
    int64 count = 2;
    Order order = 3;
  }

  enum State {
    option allow_alias = true;
    reserved 4 to 6;
    STATE_UNSPECIFIED = 0;
    // Not yet.
    OPEN = 1;
    STARTED = 1;
    DONE = 2 [deprecated = true];
    minus = -1;
  }
}
`

export const money = `
syntax = "proto3";
package acme.shop.v1;
message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }
`

export const proto2 = `
package acme.old; // no syntax: proto2

message Request {
  required string name = 1;
  required int32 zero = 2;
  optional int32 count = 3 [default = -5];
  optional string text = 4 [default = "a\\"b\\x41\\101\\n"];
  optional bytes raw = 5 [default = "\\001\\377"];
  optional bool on = 6 [default = true];
  optional Colour colour = 7 [default = BLUE];
  optional double real = 8 [default = 1.5e-3];
  optional double limit = 9 [default = inf];
  optional int64 large = 10 [default = 0x7FFFFFFFFFFFFFFF];
  optional int32 none = 11 [default = 0];
  repeated int32 list = 12;
  repeated int32 packed = 13 [packed = true];
  optional group Result = 14 { optional string url = 1; }
  repeated string names = 15;
  required Inner inner = 16;
  oneof choice { string left = 17; int32 right = 18; }
  extensions 100 to 199, 500 to max [verification = UNVERIFIED];
  message Inner { optional float f = 1; extend Request { optional int32 nested_extension = 101; } }
}

enum Colour { RED = 1; BLUE = 2; }

extend Request { optional string note = 100; }

service Old { rpc Ask(Request) returns (Request); }
`

export const editions = `
edition = "2023";
package acme.new;
option features.field_presence = IMPLICIT;
option features.enum_type = CLOSED;

message Request {
  int32 implicit = 1;
  int32 explicit = 2 [features.field_presence = EXPLICIT, default = 3];
  string required = 3 [features = { field_presence: LEGACY_REQUIRED }];
  repeated int32 expanded = 4 [features.repeated_field_encoding = EXPANDED];
  Inner delimited = 5 [features.message_encoding = DELIMITED];
  Open open = 6;
  reserved gone, away;
  message Inner { string text = 1; }
}

enum Open { option features.enum_type = OPEN; NOTHING = 0; SOMETHING = 1; }
enum Closed { FIRST = 1; }

service New { rpc Ask(Request) returns (Request); }
`

/** The files of the samples by their paths. */
export const samples: Readonly<Record<string, string>> = {
  'acme/shop/v1/shop.proto': proto3,
  'acme/shop/v1/money.proto': money,
  'acme/old/old.proto': proto2,
  'acme/new/new.proto': editions,
}

export function readSample(path: string): string | undefined {
  return Object.hasOwn(samples, path) ? samples[path] : undefined
}
