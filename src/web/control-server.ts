import { chmodSync, existsSync, rmSync } from 'node:fs'
import { Readable } from 'node:stream'

import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'

import type { Part } from '../base/lifecycle.ts'
import { messageOf, Problem } from '../base/problem.ts'
import type { DirectoryRequest } from '../directory/request.ts'
import type { PeriodRequest } from '../probe/period.ts'
import type { TimetableRequest } from '../probe/timetable.ts'
import type { QueueRequest } from '../relay/queue/request.ts'
import { readDirectoryRequest } from './directory-request.ts'
import { readPeriodRequest, readTimetableRequest } from './probe-request.ts'
import { readQueueRequest } from './queue-request.ts'

/** What a command may ask of the running daemon. */
export interface ControlActions {
  /**
   * Sends one canary a matching probe, and yields what happens as it happens.
   *
   * @param name of a probe, of a group, or 'all'
   */
  probe(name: string): AsyncIterable<unknown>
  /** Asks something of the queue, or does something to it, and yields the answer piece by piece. */
  queue(request: QueueRequest): AsyncIterable<unknown>
  /** Asks something of the directory, and yields the answer piece by piece. */
  directory(request: DirectoryRequest): AsyncIterable<unknown>
  /** Pauses probes, lets them go on, or lists them. */
  timetable(request: TimetableRequest): AsyncIterable<unknown>
  /** What a report is made of, piece by piece. */
  period(request: PeriodRequest): AsyncIterable<unknown>
  /** Reads the configuration again, and says sentence by sentence what came of it. */
  reload(): AsyncIterable<unknown>
  /** Whom a pseudonym in the log means. */
  who(pseudonym: string): AsyncIterable<unknown>
}

// A command line is shorter than this: its ids are what a request is made of.
const BODY_LIMIT = 4 * 1024 * 1024

/**
 * The daemon's ear for commands: HTTP over a Unix socket in the state folder, so that file permissions say who may.
 * Answers are lines of JSON, sent as they come.
 */
export class ControlServer implements Part {
  readonly name = 'control socket'
  readonly #path: string
  readonly #server: FastifyInstance

  constructor(path: string, actions: ControlActions) {
    this.#path = path
    this.#server = fastify({ logger: false, bodyLimit: BODY_LIMIT, forceCloseConnections: true })
    this.#server.post<{ Params: { name: string } }>('/probe/:name', (request, reply) =>
      answer(reply, () => actions.probe(request.params.name)),
    )
    this.#server.post<{ Params: { pseudonym: string } }>('/who/:pseudonym', (request, reply) =>
      answer(reply, () => actions.who(request.params.pseudonym)),
    )
    this.#server.post('/reload', (_, reply) => answer(reply, () => actions.reload()))
    this.#server.post('/directory', (request, reply) =>
      answer(reply, () => actions.directory(readDirectoryRequest(request.body))),
    )
    this.#server.post('/timetable', (request, reply) =>
      answer(reply, () => actions.timetable(readTimetableRequest(request.body))),
    )
    this.#server.post('/period', (request, reply) =>
      answer(reply, () => actions.period(readPeriodRequest(request.body))),
    )
    this.#server.post('/queue', (request, reply) =>
      answer(reply, () => actions.queue(readQueueRequest(request.body))),
    )
  }

  async start(): Promise<void> {
    // sun_path of a Unix socket has 108 octets on Linux, 104 on macOS, its NUL included.
    if (Buffer.byteLength(this.#path) > 103) {
      throw new Problem(
        `${this.#path}: too long for a socket: choose a state folder with a shorter path`,
      )
    }
    // The state folder is locked by us: a socket that lies there belongs to nobody any more.
    if (existsSync(this.#path)) rmSync(this.#path)
    await this.#server.listen({ path: this.#path })
    chmodSync(this.#path, 0o600)
  }

  async stop(): Promise<void> {
    await this.#server.close()
  }
}

function answer(reply: FastifyReply, ask: () => AsyncIterable<unknown>): FastifyReply {
  return reply.type('application/x-ndjson').send(Readable.from(lines(ask)))
}

async function* lines(ask: () => AsyncIterable<unknown>): AsyncGenerator<string> {
  try {
    for await (const event of ask()) yield `${JSON.stringify(event)}\n`
  } catch (error) {
    yield `${JSON.stringify({ problem: messageOf(error) })}\n`
  }
}
