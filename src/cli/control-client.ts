import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'

import { codeOf, Problem } from '../base/problem.ts'

/**
 * Asks the daemon that owns a state folder, and yields its answer line by line.
 *
 * @param socket path of the daemon's control socket
 * @returns undefined if no daemon runs there
 * @throws Problem if one does but may not be asked by this user
 */
export async function askDaemon(
  socket: string,
  path: string,
): Promise<AsyncIterable<unknown> | undefined> {
  const call = request({ socketPath: socket, path, method: 'POST' })
  call.end()
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
  return parsed(answer)
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
