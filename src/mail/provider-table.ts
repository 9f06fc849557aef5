import type { FailureClass } from './outcome.ts'
import type { Provider, ReplyRule } from './provider.ts'
import { PROVIDERS } from './providers.ts'
import { GENERIC_RULES } from './providers/generic.ts'
import type { Reply } from './reply.ts'

/** The label of whatever no row of the table knows. */
export const OTHER_PROVIDER = 'other'

/**
 * The provider that an MX host belongs to, as a metric label. Never asked with a recipient's domain.
 *
 * @returns the name of the row whose suffix matches on a label boundary, the longest suffix first; else `other`
 */
export function providerOfHost(host: string, providers: readonly Provider[] = PROVIDERS): string {
  const name = `.${host.toLowerCase().replace(/\.$/, '')}`
  let found = OTHER_PROVIDER
  let length = 0
  for (const provider of providers) {
    for (const suffix of provider.mxSuffixes) {
      if (suffix.length > length && name.endsWith(suffix)) {
        found = provider.name
        length = suffix.length
      }
    }
  }
  return found
}

/** The row of a provider, or undefined where there is none of that name. */
export function findProvider(
  name: string,
  providers: readonly Provider[] = PROVIDERS,
): Provider | undefined {
  return providers.find(provider => provider.name === name)
}

/**
 * Why a reply refuses. Whether it is for now or for good is not decided here: that is its basic code alone
 * (RFC 5321 section 4.2.1).
 *
 * @param provider whose rules are asked before the generic ones; undefined where the host is nobody we know
 */
export function classify(reply: Reply, provider: Provider | undefined): FailureClass {
  if (reply.code === 0) return 'network'
  if (reply.code < 400) return 'none'
  const rule = findRule(reply, provider?.replyRules ?? []) ?? findRule(reply, GENERIC_RULES)
  return rule?.class ?? 'other'
}

/** The first rule whose every condition holds. */
export function findRule(reply: Reply, rules: readonly ReplyRule[]): ReplyRule | undefined {
  return rules.find(
    rule =>
      (rule.codes === undefined || rule.codes.includes(reply.code)) &&
      (rule.enhanced === undefined || rule.enhanced.includes(reply.enhanced)) &&
      (rule.text === undefined || rule.text.test(reply.text)),
  )
}
