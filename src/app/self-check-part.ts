import type { Part } from '../base/lifecycle.ts'
import { messageOf } from '../base/problem.ts'
import type { LoadedRelay } from '../config/load-relay.ts'
import type { SelfReport } from '../observe/checks/self-check.ts'
import { SelfChecker } from '../observe/checks/self-checker.ts'
import type { Log } from '../observe/log.ts'
import { selfCheckSettings } from './self-check-settings.ts'
import type { Surroundings } from './surroundings.ts'

/** Looks now and then at our own names, addresses and records, as others see them. */
export function createSelfChecker(
  loaded: LoadedRelay,
  { clock, random }: Pick<Surroundings, 'clock' | 'random'>,
  about: {
    /** When the certificate in use ends, if that is known better than from the start. */
    readonly expiry: () => number | undefined
    readonly report: (report: SelfReport) => void
    readonly say: Log['say']
  },
): Part {
  return new SelfChecker({
    ...selfCheckSettings(loaded, clock),
    every: loaded.config.checks.every,
    expiry: () => about.expiry() ?? loaded.tls.expiry,
    random,
    report: (report, news) => {
      about.report(report)
      for (const { check, about: what, detail } of news) {
        about.say(`${check}: ${what} ${detail}`, 'warn')
      }
    },
    failed: error => about.say(`the checks failed: ${messageOf(error)}`, 'error'),
  })
}
