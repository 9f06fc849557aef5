/**
 * How often a test of crashes goes round: `npm run test:nightly` says more than a suite that people wait for.
 *
 * @param usual where nothing is said
 */
export function cycles(usual: number): number {
  return Number(process.env['MAILCANARY_TEST_CYCLES'] ?? usual)
}
