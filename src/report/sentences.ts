import type { ComparedRate, ComparedTime } from './compared.ts'
import { percent, points, pWords, secondsWords } from './words.ts'

/*
 * What a comparison says, in plain words. A difference is called one only where the exact test, corrected for all the
 * questions of the comparison, says so and the days say the same.
 */

const LEVEL = 0.05
/** Less than this matters to nobody, however surely it is there. */
const SMALL = 0.02

export function sentenceOf(rate: Omit<ComparedRate, 'sentence'>, a: string, b: string): string {
  const { provider, measure, difference, byDays, pAdjusted } = rate
  const does = measure === 'arrival' ? 'arrives' : 'reaches the inbox'
  if (!difference) {
    const without = rate.a.n === 0 ? a : b
    return `${provider}: nothing can be said of ${measure}: ${without} has no canary with a verdict.`
  }
  const how = `${percent(rate.a.k / rate.a.n)} of ${rate.a.n} against ${percent(rate.b.k / rate.b.n)} of ${rate.b.n}`
  const { low, high } = byDays ?? difference
  const range = `${points(low)} to ${points(high)} points`
  const basis = rate.pairs > 0 ? `${rate.pairs} pairs` : 'samples sent apart'
  const end = `(${range}, ${basis}, ${pWords(pAdjusted)})`
  if (pAdjusted < LEVEL && (low > 0 || high < 0)) {
    const [better, worse] = difference.estimate > 0 ? [a, b] : [b, a]
    return `${provider}: mail from ${better} ${does} more often than mail from ${worse}: ${how} ${end}.`
  }
  if (low > -SMALL && high < SMALL) {
    return `${provider}: mail from ${a} and from ${b} ${does} equally often, to within ${points(SMALL).replace('+', '')} points: ${how} ${end}.`
  }
  const what = measure === 'arrival' ? 'arrival' : 'placement'
  const short = `(${basis}, ${pWords(pAdjusted)})`
  if (low > 0 || high < 0) {
    return `${provider}: a difference in ${what} of ${range} is likely, but not beyond the chance of so many questions and so few canaries: ${how} ${short}.`
  }
  const days =
    pAdjusted < LEVEL ? ' The canaries differ, but so do the days: it may be a few bad days.' : ''
  return `${provider}: no difference in ${what} is shown, and one within ${range} is not ruled out: ${how} ${short}.${days}`
}

export function timeSentenceOf(
  { provider, a: first, b: second, difference, byDays }: Omit<ComparedTime, 'sentence'>,
  a: string,
  b: string,
): string {
  if (!first || !second || difference === undefined) {
    return `${provider}: nothing can be said of time: nothing from ${first ? b : a} arrived.`
  }
  const how = `half of it within ${secondsWords(first.p50)} (n = ${first.n}) against ${secondsWords(second.p50)} (n = ${second.n})`
  if (!byDays) return `${provider}: mail from ${a} and from ${b}: ${how}; too few days to say more.`
  const range = `${secondsWords(byDays.low)} to ${secondsWords(byDays.high)}`
  if (byDays.low <= 0 && byDays.high >= 0) {
    return `${provider}: no difference in time is shown: ${how}, a difference of ${range}.`
  }
  const [slower, faster] = difference > 0 ? [a, b] : [b, a]
  return `${provider}: mail from ${slower} takes longer than mail from ${faster}: ${how}, a difference of ${range}.`
}
