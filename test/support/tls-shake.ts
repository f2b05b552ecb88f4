/** TLS clients that a test looks at from outside: what was agreed, whether a session was resumed, and which it left. */
import tls from 'node:tls'

export interface Shaken {
  readonly resumed: boolean
  readonly protocol: string
  /** Of OpenSSL, to be offered the next time. */
  readonly session: Buffer | undefined
  /** What the server answered to the request before it closed the connection. */
  readonly answer: string
}

/** Connects, sends a request that ends the connection, and reads to the end. Rejects when there is no handshake. */
export function shake(port: number, options: tls.ConnectionOptions, path = '/'): Promise<Shaken> {
  const { promise, resolve, reject } = Promise.withResolvers<Shaken>()
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ...options })
  let session: Buffer | undefined
  let resumed = false
  let protocol = ''
  let answer = ''
  let failure: Error = new Error('the server closed the connection without an answer')

  socket.setEncoding('utf8')
  socket.on('session', (given) => (session = given))
  socket.on('data', (text: string) => (answer += text))
  socket.on('error', (error) => (failure = error))
  socket.on('secureConnect', () => {
    // Once it is closed it does not know.
    resumed = socket.isSessionReused()
    protocol = String(socket.getProtocol())
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  })
  socket.on('close', () => {
    if (answer === '') reject(failure)
    else resolve({ resumed, protocol, session, answer })
  })
  return promise
}
