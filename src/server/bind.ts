/**
 * Listening on an address, with errors that say what to do.
 *
 * A Unix socket's file outlives a process that was killed. Whether anybody listens there is found out by connecting: when
 * nobody does the file is removed, and a live server is left alone.
 */
import { lstat, unlink } from 'node:fs/promises'
import net from 'node:net'

export interface Address {
  readonly port: number
  readonly host: string
  /** The Unix socket's path, instead of port and host. */
  readonly path?: string
}

export type BindTarget = { readonly port: number; readonly host: string } | { readonly path: string }

/** `sun_path` without its final zero: 108 bytes on Linux, 104 on the BSDs and macOS. */
const longestPath = process.platform === 'linux' ? 107 : 103

/** Begins to listen. Rejects with an Error that has Node's `code`, and Node's error as its cause. */
export async function bind(server: net.Server, target: BindTarget): Promise<Address> {
  if ('path' in target) checkPath(target.path)

  try {
    return await listen(server, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!('path' in target) || code !== 'EADDRINUSE') throw explained(target, error as NodeJS.ErrnoException)
    await removeStale(target.path, error)
  }

  try {
    return await listen(server, target)
  } catch (error) {
    throw explained(target, error as NodeJS.ErrnoException)
  }
}

function listen(server: net.Server, target: BindTarget): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...target, backlog: 1024 }, () => {
      server.off('error', reject)
      const address = server.address()
      if (typeof address === 'string') resolve({ port: 0, host: '', path: address })
      else resolve({ port: address?.port ?? 0, host: address?.address ?? '' })
    })
  })
}

function checkPath(path: string): void {
  const length = Buffer.byteLength(path)
  if (process.platform === 'win32' || length <= longestPath) return
  throw new RangeError(
    `serve: the path of a Unix socket has at most ${longestPath} bytes here, and ${path} has ${length}; choose a shorter one`,
  )
}

/** Removes the file of a socket that nobody listens on; rejects when somebody does, or when it is another file. */
async function removeStale(path: string, cause: unknown): Promise<void> {
  const file = await lstat(path).catch(() => undefined)
  if (file === undefined) return
  if (!file.isSocket()) throw failure('EADDRINUSE', `serve: ${path} is there already and is no socket`, cause)

  const answer = await connecting(path)
  if (answer === 'connected') {
    throw failure('EADDRINUSE', `serve: a running server listens on the Unix socket ${path} already`, cause)
  }
  if (answer !== 'ECONNREFUSED' && answer !== 'ENOENT') {
    throw failure(
      answer,
      `serve: the Unix socket ${path} is there already and cannot be reached: ${answer}`,
      cause,
    )
  }
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT')
      throw failure(error.code, `serve: cannot replace ${path}: ${error.message}`, error)
  })
}

function connecting(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

function explained(target: BindTarget, error: NodeJS.ErrnoException): Error {
  const { code } = error
  if ('path' in target) {
    const why =
      code === 'EACCES' || code === 'ENOENT'
        ? 'its folder does not exist, or must not be written by this user'
        : error.message
    return failure(code, `serve: cannot make the Unix socket ${target.path}: ${why}`, error)
  }

  const { host, port } = target
  const why: Record<string, string> = {
    EADDRINUSE: `another process listens on port ${port} of ${host} already; choose another port, or 0 for a free one`,
    EACCES: `this user must not listen on port ${port}; choose one from 1024 on`,
    EADDRNOTAVAIL: `${host} is no address of this machine`,
    ENOTFOUND: `the name ${host} is not known`,
  }
  return failure(
    code,
    `serve: ${why[code ?? ''] ?? `cannot listen on port ${port} of ${host}: ${error.message}`}`,
    error,
  )
}

function failure(code: string | undefined, message: string, cause: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code })
}
