import { join } from 'node:path'

import { directoryFindings, portFindings } from '../app/live-checks.ts'
import { proberFindings } from '../app/live-prober-checks.ts'
import type { LoadedFiles } from '../app/reloading.ts'
import { selfCheckSettings } from '../app/self-check-settings.ts'
import { MINUTE } from '../base/clock.ts'
import { worst, type Finding } from '../base/finding.ts'
import { PROVIDERS } from '../mail/providers.ts'
import { checkSelf } from '../observe/checks/self-check.ts'
import { isRunning } from './control-client.ts'
import { table } from './table.ts'

const WITHIN = 2 * MINUTE

/** Tries everything that the files name against the world: DNS, ports, directory, mailboxes. Changes nothing. */
export async function lookLive({ relay, probes }: LoadedFiles): Promise<readonly Finding[]> {
  const clock = Date.now
  const signal = AbortSignal.timeout(WITHIN)
  const found = await Promise.all([
    relay === undefined ? [] : directoryFindings(relay, clock, signal),
    relay === undefined ? [] : portFindings(relay),
    probes === undefined
      ? []
      : isRunning(join(probes.config.state, 'control.sock')).then(running =>
          proberFindings(
            probes,
            { providers: PROVIDERS, clock, random: Math.random, running },
            signal,
          ),
        ),
    relay?.config.checks.enabled === true
      ? checkSelf(
          { ...selfCheckSettings(relay, clock), expiry: () => relay.tls.expiry },
          signal,
        ).then(({ findings }) => findings)
      : [],
  ])
  return found.flat()
}

const WORDS = { good: 'ok', doubtful: 'look', bad: 'BAD', unknown: '?' } as const

/** The findings as a table, and below it what to do. */
export function liveTable(findings: readonly Finding[]): readonly string[] {
  const rows = findings.map(({ state, check, about, detail }) => [
    WORDS[state],
    check,
    about,
    detail,
  ])
  const todo = findings.filter(({ advice }) => advice !== '')
  return [
    ...table([['', 'what', 'of', 'seen'], ...rows]),
    '',
    ...(todo.length === 0
      ? []
      : ['To do:', ...todo.map(({ about, advice }) => `  ${about}: ${advice}`), '']),
    summary(findings),
  ]
}

function summary(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number =>
    findings.filter(finding => finding.state === state).length
  const doubtful = count('doubtful') + count('unknown')
  switch (worst(findings)) {
    case 'bad':
      return `${count('bad')} of ${findings.length} are bad, ${doubtful} are to be looked at.`
    case 'unknown':
    case 'doubtful':
      return `Nothing is bad; ${doubtful} of ${findings.length} are to be looked at (? could not be found out).`
    default:
      return `All ${findings.length} are well.`
  }
}
