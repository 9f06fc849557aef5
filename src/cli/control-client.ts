import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

import { codeOf, Problem } from '../base/problem.ts'

/**
 * Asks the daemon that owns a state folder, and yields its answer line by line.
 *
 * @param socket path of the daemon's control socket
 * @param body what is asked, where the path does not say it all
 * @returns undefined if no daemon runs there
 * @throws Problem if one does but may not be asked by this user, or does not understand
 */
export async function askDaemon(
  socket: string,
  path: string,
  body?: unknown,
): Promise<AsyncIterable<unknown> | undefined> {
  const json = body === undefined ? undefined : JSON.stringify(body)
  const call = request({
    socketPath: socket,
    path,
    method: 'POST',
    ...(json !== undefined && {
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) },
    }),
  })
  call.end(json)
  let answer: IncomingMessage
  try {
    ;[answer] = (await once(call, 'response')) as [IncomingMessage]
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    if (code === 'EACCES') {
      throw new Problem(`${socket}: only the user that mailcanary runs as may do this`)
    }
    throw error
  }
  if (answer.statusCode !== 200) {
    answer.resume()
    throw new Problem(
      `${socket}: the daemon does not know this command: it is of another version; restart it`,
    )
  }
  return parsed(answer)
}

/** Whether a daemon owns a state folder, be it one that this user may not ask. */
export async function isRunning(socket: string): Promise<boolean> {
  const connection = connect(socket)
  try {
    await once(connection, 'connect')
    return true
  } catch (error) {
    return codeOf(error) === 'EACCES'
  } finally {
    connection.destroy()
  }
}

async function* parsed(answer: IncomingMessage): AsyncGenerator {
  for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
    if (line === '') continue
    const event = JSON.parse(line) as unknown
    if (typeof event === 'object' && event !== null && 'problem' in event) {
      throw new Problem(String(event.problem))
    }
    yield event
  }
}
