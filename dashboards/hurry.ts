const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

// A window has to hold a few scrapes, which come once a second then.
const SHORTEST_WINDOW = 10

/**
 * The alert rules as they are where time is short: in the demo, whose canaries go out every ten seconds and whose
 * incidents last a minute, and in a test of the whole way.
 *
 * Every window (`[2h]`), every `offset` and every `for` is divided by `factor`; a window is ten seconds at least. Nothing
 * else is changed: not a number of canaries, not a share, not an age in an expression.
 *
 * @param rules text of alerts.yml
 */
export function hurriedRules(rules: string, factor: number): string {
  const shorter = (amount: string, unit: string, least: number): string => {
    const seconds = (Number(amount) * (SECONDS[unit] ?? 1)) / factor
    return `${Math.round(Math.max(least, seconds) * 1_000)}ms`
  }
  return rules
    .replaceAll(
      /\[(\d+)([smhd])\]/g,
      (_, amount: string, unit: string) => `[${shorter(amount, unit, SHORTEST_WINDOW)}]`,
    )
    .replaceAll(
      /\b(for:|offset) (\d+)([smhd])\b/g,
      (_, word: string, amount: string, unit: string) => `${word} ${shorter(amount, unit, 0)}`,
    )
}
