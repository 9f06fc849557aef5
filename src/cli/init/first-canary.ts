import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'

import type { ProbeNews } from '../../app/probe-now.ts'
import { SECOND } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import { askDaemon } from '../control-client.ts'
import { watch } from '../probe.ts'
import { asService, type ServiceUser } from './service-user.ts'

export interface Trial {
  readonly relay: string
  readonly probes: string
  readonly state: string
  /** `127.0.0.1:9464` */
  readonly admin: string
  readonly service: ServiceUser | undefined
  /** Seeds that nobody has to sign in to first. */
  readonly seeds: readonly string[]
  /** Aborted when somebody wants no more of it. */
  readonly signal: AbortSignal
}

const READY_WITHIN = 60 * SECOND

/**
 * Runs the service for as long as one canary to each seed takes, as the service will run: by its own user, who owns what
 * it leaves in the state folder.
 *
 * @returns 0 where all reached the inbox, 1 where one did not, 2 where one is unknown
 */
export async function sendFirstCanary(trial: Trial): Promise<number> {
  const daemon = start(trial)
  const said: string[] = []
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream?.on('data', (chunk: Buffer) => said.push(String(chunk)))
  }
  // What is said of the canary ends with the service.
  trial.signal.addEventListener('abort', () => daemon.kill('SIGTERM'))
  process.once('exit', () => daemon.kill('SIGTERM'))
  try {
    await ready(trial, daemon, said)
    let code = 0
    for (const seed of trial.seeds) {
      const name = encodeURIComponent(`relay/${seed}`)
      const news = await askDaemon(join(trial.state, 'control.sock'), `/probe/${name}`)
      if (news === undefined) throw new Problem(`the service ended:\n${said.join('')}`)
      code = Math.max(code, await watch(news as AsyncIterable<ProbeNews>, false))
    }
    return code
  } catch (error) {
    throw trial.signal.aborted ? new Problem('ended: the configuration is written') : error
  } finally {
    await stop(daemon)
  }
}

function start({ relay, probes, service }: Trial): ChildProcess {
  const [, program = ''] = process.argv
  const run = [process.execPath, program, 'run', '--relay', relay, '--probes', probes]
  const [name = '', ...args] = asService(service, run)
  // A group of its own: Ctrl-C at the terminal is for us, and we end it in order.
  return spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
}

async function ready(
  { admin, signal }: Trial,
  daemon: ChildProcess,
  said: string[],
): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN)])
  for (;;) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) {
      throw new Problem(`the service does not start:\n${said.join('').trim()}`)
    }
    const answer = await fetch(`http://${admin}/readyz`, { signal: late }).catch(() => undefined)
    if (answer?.ok === true) return
    if (signal.aborted) throw new Problem('ended')
    if (late.aborted) throw new Problem(`the service is not ready:\n${said.join('').trim()}`)
    await after(100)
  }
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  daemon.kill('SIGTERM')
  await once(daemon, 'exit')
}
