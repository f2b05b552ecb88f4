// What the project promises, and the tests that prove it: one table. `npm run verify` runs it, README.md shows it.
//
// A new feature, or a new wire, is a line here. A line without a test that ran and passed is reported as failed.

/** The wires there are, in the order of the columns. */
export const WIRES = ['in-process', 'trunk', 'gRPC', 'gRPC-Web', 'Connect', 'REST'] as const

/** The name of a wire. */
export type WireName = (typeof WIRES)[number]

/** Tests by file and name. */
export interface Proof {
  /** Files, as a glob from the root. */
  files: string
  /** What the test's full name must match; all tests of the files, if left out. */
  name?: RegExp
}

/** One promise. */
export interface Feature {
  feature: string
  /** The wires it holds on; each needs a matching test of its own folder, or one that is called `…, over trunk`. */
  wires?: readonly WireName[]
  proof: Proof
  /** The foreign program that judges it, and the tests in which it does. */
  judge?: Proof & { by: string }
}

const everyWire = WIRES
const crossWire = 'test/cross-wire/**/*.test.ts'

/** The table. */
export const FEATURES: readonly Feature[] = [
  { feature: 'Contracts with exact types', proof: { files: 'src/contract/**/*.test.ts' } },
  { feature: 'Types from zod 4, Valibot and ArkType', proof: { files: 'src/schema/**/*.test.ts' } },
  {
    feature: 'protobuf, compiled; validated while it is decoded',
    proof: { files: 'src/codec/protobuf/**/*.test.ts' },
    judge: { by: 'protobuf-es', files: 'src/codec/protobuf/**/*.test.ts', name: /protobuf-es/ },
  },
  {
    feature: 'JSON, compiled, in two dialects',
    proof: { files: 'src/codec/json/**/*.test.ts' },
    judge: { by: 'zod', files: 'src/codec/json/**/*.test.ts', name: /zod/ },
  },

  { feature: 'Values of every type survive', wires: everyWire, proof: { files: crossWire, name: /value/ } },
  {
    feature: 'Typed faults and status codes',
    wires: everyWire,
    proof: { files: crossWire, name: /fault|status code|exception/ },
  },
  {
    feature: 'Deadlines and cancellation reach the other side',
    wires: everyWire,
    proof: { files: crossWire, name: /deadline|cancel/ },
  },
  { feature: 'Metadata both ways', wires: everyWire, proof: { files: crossWire, name: /metadata/ } },
  {
    feature: 'Four kinds of streaming',
    wires: WIRES.filter((wire) => wire !== 'gRPC-Web'),
    proof: { files: crossWire, name: /stream|messages/ },
  },
  {
    feature: 'Back-pressure bounds memory on both ends',
    wires: everyWire,
    proof: { files: crossWire, name: /slow/ },
  },
  {
    feature: 'Limits on message size',
    wires: everyWire,
    proof: { files: crossWire, name: /limit|4 MiB/ },
  },
  {
    feature: 'Cut connections are `unavailable`',
    wires: ['trunk', 'gRPC', 'gRPC-Web', 'Connect', 'REST'],
    proof: { files: crossWire, name: /cut connection/ },
  },
  {
    feature: '1,000 calls at once; 100,000 leave nothing behind',
    wires: everyWire,
    proof: { files: crossWire, name: /calls at once|leave nothing/ },
  },
  { feature: 'Draining loses nothing', wires: everyWire, proof: { files: crossWire, name: /draining/ } },

  {
    feature: 'trunk protocol, documented for other languages',
    wires: ['trunk'],
    proof: { files: 'src/wires/trunk/**/*.test.ts' },
    judge: { by: 'a client in Python', files: 'test/interop/**/*.{test,judge}.ts', name: /python/i },
  },
  {
    feature: 'gRPC: four kinds of calls, deadlines, metadata, details of errors, compression',
    wires: ['gRPC'],
    proof: { files: 'src/wires/grpc{,-family}/*.test.ts' },
    judge: {
      by: 'grpc-go, grpc-js',
      files: 'test/{interop/grpc-js.test,judges/grpc-interop.judge}.ts',
    },
  },
  {
    feature: 'gRPC server reflection, of ours and of foreign servers',
    wires: ['gRPC'],
    proof: { files: 'src/wires/grpc/own-services.test.ts', name: /question|reflection|v1alpha/ },
    judge: { by: 'grpcurl, ghz', files: 'test/judges/grpc-tools.judge.ts' },
  },
  {
    feature: 'gRPC health, with Watch',
    wires: ['gRPC'],
    proof: { files: 'src/wires/grpc/own-services.test.ts', name: /SERVING|watches/ },
    judge: { by: 'grpcurl', files: 'test/judges/grpc-tools.judge.ts', name: /health/ },
  },
  {
    feature: 'gRPC-Web, in binary and in text, for pages of allowed origins',
    wires: ['gRPC-Web'],
    proof: { files: 'src/wires/grpc-web/*.test.ts' },
    judge: {
      by: 'connectrpc, connectconformance',
      files: 'test/{interop/connectrpc.test,judges/connect-conformance.judge}.ts',
    },
  },
  {
    feature: 'Connect: calls by POST and GET, streams, JSON and protobuf',
    wires: ['Connect'],
    proof: { files: 'src/wires/connect/*.test.ts' },
    judge: {
      by: 'connectrpc, connectconformance',
      files: 'test/{interop/connectrpc.test,judges/connect-conformance.judge}.ts',
    },
  },
  {
    feature: 'A gRPC application goes on when its server or its client is replaced',
    wires: ['gRPC'],
    proof: { files: 'test/interop/shop/shop.test.ts' },
    judge: { by: 'grpc-js', files: 'test/interop/shop/shop.test.ts', name: /grpc-js/ },
  },
  {
    feature: 'REST: routes, parameters, problem+json, negotiated encodings',
    wires: ['REST'],
    proof: { files: 'src/wires/rest/**/*.test.ts' },
  },
  {
    feature: 'OpenAPI 3.1 at /openapi.json',
    wires: ['REST'],
    proof: { files: 'src/wires/rest/**/*.test.ts', name: /openapi/i },
    judge: { by: 'schemathesis, redocly', files: 'test/**/*.judge.ts', name: /schemathesis|redocly/i },
  },
  {
    feature: 'Contracts from .proto files, and .proto files from contracts',
    proof: { files: 'src/wires/grpc/proto/**/*.test.ts' },
    judge: { by: 'protoc, google-proto-files', files: 'test/judges/proto-*.judge.ts' },
  },
  {
    feature: 'HTTP/1.1 of our own; request smuggling is refused',
    wires: ['gRPC-Web', 'Connect', 'REST'],
    proof: { files: 'src/http1/**/*.test.ts' },
    judge: { by: 'node:http, fetch', files: 'src/http1/interop.test.ts' },
  },
  {
    feature: 'HTTP/2 and HPACK of our own; attacks are bounded',
    wires: ['gRPC', 'gRPC-Web', 'Connect', 'REST'],
    proof: { files: 'src/http2/**/*.test.ts' },
    judge: { by: 'h2spec, node:http2', files: '{test/judges/h2spec.judge,src/http2/interop.test}.ts' },
  },
  {
    feature: 'TLS on the one port, mutual TLS, ALPN, SNI, resumption',
    wires: ['trunk', 'gRPC', 'gRPC-Web', 'Connect', 'REST'],
    proof: { files: '{src/server/tls,test/cross-wire/mutual-tls}.test.ts' },
  },
  {
    feature: 'Mounts inside fastify, NestJS and node:http',
    proof: { files: '{src/server,src/http1,test}/**/*.test.ts', name: /mount|fastify|nest/i },
  },
  { feature: 'One port: the first bytes choose the wire', proof: { files: 'src/server/**/*.test.ts' } },
  { feature: 'Pooled, balanced, reconnecting clients', proof: { files: 'src/client/**/*.test.ts' } },
  { feature: 'Access log, rate/errors/duration at /metrics', proof: { files: 'src/telemetry/**/*.test.ts' } },
  {
    feature: 'Command line: serve, call, describe, lock, export, import',
    proof: { files: 'src/cli/**/*.test.ts' },
  },
  {
    feature: 'Command line: call any gRPC server, by reflection or its .proto file',
    wires: ['gRPC'],
    proof: { files: 'test/cli/foreign-grpc.test.ts' },
    judge: { by: 'grpc-js, grpc-go', files: 'test/cli/{foreign-grpc.test,grpc-go.judge}.ts' },
  },
  {
    feature: 'Every page and example of the documentation compiles and runs',
    proof: { files: 'test/repository/code-blocks.test.ts' },
  },
  {
    feature: 'The package installs and works on Node 24 and 26, from JS and TS',
    proof: { files: 'test/repository/package.judge.ts' },
    judge: { by: 'npm, tsc', files: 'test/repository/package.judge.ts' },
  },
]
