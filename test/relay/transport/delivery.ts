import { onTestFinished } from 'vitest'

import type { Outcome } from '../../../src/mail/outcome.ts'
import { formatReply } from '../../../src/mail/reply.ts'
import { DirectMx, type DirectMxOptions } from '../../../src/relay/transport/direct-mx.ts'
import type { Resolver } from '../../../src/relay/transport/resolver.ts'
import type { Consignment } from '../../../src/relay/transport/transport.ts'
import { ScriptedSmtp, type SmtpScript } from '../../support/scripted-smtp.ts'
import { consignment, TIMERS } from './consignment.ts'

export const never = new AbortController().signal

/** A scripted server that ends with the test. */
export async function start(script: SmtpScript = {}): Promise<ScriptedSmtp> {
  const server = await ScriptedSmtp.start(script)
  onTestFinished(() => server.stop())
  return server
}

/** A transport that ends with the test. */
export function directMx(resolver: Resolver, options: Partial<DirectMxOptions> = {}): DirectMx {
  const transport = new DirectMx({
    hostname: 'relay.example.org',
    resolver,
    timers: TIMERS,
    clock: Date.now,
    random: () => 0.5,
    ...options,
  })
  onTestFinished(() => transport.close())
  return transport
}

/** One delivery by a transport of its own. */
export async function deliver(
  resolver: Resolver,
  mail: Consignment = consignment(),
  options: Partial<DirectMxOptions> = {},
): Promise<readonly Outcome[]> {
  return directMx(resolver, options).deliver(mail, never)
}

/** Kind and words of each outcome. */
export function told(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(({ kind, reply }) => `${kind} ${formatReply(reply)}`)
}
