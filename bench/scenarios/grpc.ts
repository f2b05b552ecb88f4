// The gRPC wire against gRPC's own stacks: pairs of one kind, and each side alone with a foreign one on the other.

import { paired, type Promised } from '../harness/paired.ts'
import { goEcho } from '../peers/go-echo.ts'
import { tonicEcho } from '../peers/tonic-echo.ts'

const ours = { server: ['systems/server.ts', 'grpc'], client: ['systems/client.ts'] }
const js = { server: ['peers/grpc-js-server.ts'], client: ['peers/grpc-js-client.ts'] }
const go = { server: goEcho('server'), client: goEcho('client') }
const tonic = { server: tonicEcho('server'), client: tonicEcho('client') }

const grpcJs = 'grpc-js'
const grpcGo = 'grpc-go'
const tonicPair = 'tonic'
const underGo = 'grpc-go client, our server'
const onGo = 'our client, grpc-go server'

const unary = ['echo', 'rich']
const rich = { concurrency: 64, work: 'rich', title: '64 concurrent, with realistic metadata' }
const repeat = { concurrency: 1, work: 'repeat', title: 'messages of streams of 100,000 from the server' }
const collect = { concurrency: 1, work: 'collect', title: 'messages of streams of 100,000 from the client' }
const blob = { concurrency: 8, work: 'blob', title: '1 MiB both ways, 8 concurrent' }

const rate = (
  against: string,
  atLeast: number,
  load: { concurrency: number; work?: string } = { concurrency: 64 },
): Promised => ({
  against,
  atLeast,
  of: 'rate',
  concurrency: load.concurrency,
  ...(load.work === undefined ? {} : { work: load.work }),
})

export default paired({
  title: 'gRPC',
  about:
    'Echo of the reference Order over one connection, server and client on a core each. Ours with its defaults and metrics on: ' +
    'validation both ways, a deadline on every call, cancellation, flow control. Realistic metadata: a deadline that differs per call, ' +
    'a unique traceparent, a bearer token of 800 bytes.',
  loads: [{ concurrency: 1 }, { concurrency: 64 }, { concurrency: 256 }, rich, repeat, collect, blob],
  systems: [
    { name: 'trunkline, gRPC', ...ours },
    { name: grpcJs, ...js, note: 'with @grpc/proto-loader; no validation, no deadline.' },
    { name: grpcGo, ...go, note: 'GOMAXPROCS=1; no validation, no deadline, no interceptors.' },
    {
      name: tonicPair,
      ...tonic,
      works: unary,
      note: 'current_thread, fat LTO; no validation, no deadline, no layers.',
    },
    { name: underGo, server: ours.server, client: go.client, works: unary },
    { name: onGo, server: go.server, client: ours.client, works: unary },
    { name: 'tonic client, our server', server: ours.server, client: tonic.client, works: unary },
    { name: 'tonic client, grpc-go server', server: go.server, client: tonic.client, works: unary },
    { name: 'grpc-go client, tonic server', server: tonic.server, client: go.client, works: unary },
  ],
  promises: [
    rate(grpcJs, 25),
    rate(grpcGo, 3),
    rate(tonicPair, 2.5),
    rate(grpcGo, 1.3, { concurrency: 1 }),
    rate(grpcGo, 2, rich),
    { by: underGo, against: grpcGo, concurrency: 64, of: 'server CPU', atLeast: 3 },
    { by: underGo, against: 'grpc-go client, tonic server', concurrency: 64, of: 'server CPU', atLeast: 1 },
    { by: onGo, against: grpcGo, concurrency: 64, of: 'client CPU', atLeast: 2.5 },
    rate(grpcJs, 10, repeat),
    rate(grpcGo, 1.3, repeat),
    rate(grpcJs, 10, collect),
    rate(grpcGo, 1.3, collect),
    rate(grpcJs, 4, blob),
    rate(grpcGo, 0.85, blob),
  ],
})
