import { spawn } from 'node:child_process'

import { codeOf, messageOf } from '../base/problem.ts'
import { noReply } from '../mail/reply.ts'
import { DeadlineError, within } from './deadline.ts'
import type { CommandOrigin } from './origin.ts'
import { queueIdOf } from './queue-id.ts'
import type { Submission, SubmitOptions } from './submission.ts'

const MAX_SAID = 4_096
// sysexits.h: what sendmail and its like end with.
const TEMPORARY = 75
const EXIT_WORDS: Readonly<Record<number, string>> = {
  64: 'usage',
  65: 'data format',
  67: 'no such user',
  68: 'no such host',
  69: 'unavailable',
  70: 'internal error',
  71: 'system error',
  [TEMPORARY]: 'temporary failure',
  77: 'no permission',
  78: 'configuration',
}

/**
 * Hands one message to a program, as cron and web applications do: no shell, the message on standard input, accepted if
 * it ends with 0. What it says is read for a queue id, and for the reason of a refusal.
 *
 * @throws the reason of `signal` if that was aborted: then it is not known what became of the message
 */
export async function submitByCommand(
  origin: CommandOrigin,
  options: SubmitOptions & { readonly within: number },
): Promise<Submission> {
  const { signal, clock } = options
  try {
    const ended = await within(options.within, signal, inner => run(origin, options, inner))
    if (ended.code === 0) return { kind: 'submitted', at: clock(), queueId: queueIdOf(ended.said) }
    const why = ended.code === undefined ? 'killed' : `exit ${ended.code}`
    const word = EXIT_WORDS[ended.code ?? -1]
    const text = [word === undefined ? why : `${why}, ${word}`, ended.said.trim()]
    return {
      kind: 'rejected',
      cause: 'refused',
      reply: noReply(text.filter(part => part !== '').join(': ')),
    }
  } catch (error) {
    signal.throwIfAborted()
    const timeout = error instanceof DeadlineError
    const missing = codeOf(error) === 'ENOENT' ? `there is no program ${origin.command[0]}` : ''
    const reply = noReply(missing || messageOf(error))
    return { kind: 'rejected', cause: timeout ? 'timeout' : 'unreachable', reply }
  }
}

interface Ended {
  /** Undefined where a signal ended it. */
  readonly code: number | undefined
  readonly said: string
}

function run(
  origin: CommandOrigin,
  { to, message, reversePath = origin.from }: SubmitOptions,
  signal: AbortSignal,
): Promise<Ended> {
  const [program = '', ...args] = origin.command.map(word =>
    word.replaceAll('{from}', () => reversePath).replaceAll('{to}', () => to),
  )
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Nothing of ours is its business: secrets may be in our environment.
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' },
      signal,
      killSignal: 'SIGKILL',
    })
    let said = ''
    const listen = (chunk: Buffer): void => {
      if (said.length < MAX_SAID) said += chunk.toString('utf8').slice(0, MAX_SAID - said.length)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('error', reject)
    child.once('close', code => resolve({ code: code ?? undefined, said }))
    // A program that ends without reading has refused, and its exit code says so.
    child.stdin.on('error', () => undefined)
    // A program on standard input reads lines that end in LF alone.
    child.stdin.end(Buffer.from(message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'))
  })
}
