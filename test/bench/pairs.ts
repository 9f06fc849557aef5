import { measure, median, middle, type Bench, type Run } from './measure.ts'
import type { Row, Verdict } from './report.ts'
import type { Scenario } from './scenarios.ts'
import type { Subject } from './subject.ts'

interface Subjects {
  readonly ours: Subject
  readonly postfix: Subject
  readonly hashed: Subject
  /** Shown in the table, without a target. */
  readonly haraka?: Subject | undefined
}

/** Of no scenario: a message a connection, then many. */
const WARM_UP: readonly Scenario[] = [
  {
    name: 'warm-up',
    title: '',
    sessions: 10,
    perConnection: 1,
    size: 10_240,
    messages: [12_000, 500],
  },
  {
    name: 'warm-up',
    title: '',
    sessions: 50,
    perConnection: 40,
    size: 10_240,
    messages: [4_000, 2_000],
  },
]

/**
 * Has each server take some mail that is not measured. The first ten thousand messages compile our code, which a relay that
 * runs for more than a minute has behind it: measured first, they made a1 nearly twice as dear as it is. The others have
 * less to compile, or no target.
 */
export async function warmUp(
  { ours, postfix, hashed, haraka }: Subjects,
  bench: Bench,
  quick: boolean,
): Promise<void> {
  for (const subject of [ours, postfix, hashed, ...(haraka === undefined ? [] : [haraka])]) {
    for (const scenario of WARM_UP) {
      const messages = scenario.messages[quick ? 1 : 0] * (subject === ours ? 1 : 0.25)
      await measure(subject, scenario, messages, bench)
    }
  }
}

/**
 * Runs a scenario in pairs, ours and theirs in turn, for the speed of a shared machine drifts: only what was measured
 * next to each other is compared, and of the ratios of all pairs the median counts.
 */
export async function comparePairs(
  { ours, postfix, hashed, haraka }: Subjects,
  scenario: Scenario,
  options: { readonly bench: Bench; readonly messages: number; readonly rounds: number },
): Promise<{ readonly rows: readonly Row[]; readonly verdicts: readonly Verdict[] }> {
  const subjects = [
    ours,
    postfix,
    ...(scenario.hashedTarget === undefined ? [] : [hashed]),
    ...(haraka === undefined ? [] : [haraka]),
  ]
  const runs = new Map(subjects.map((subject): [Subject, Run[]] => [subject, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      // The others need no thousand messages to show their rate.
      const share = subject === ours ? 1 : 0.4
      const messages = Math.ceil(options.messages * share)
      runs.get(subject)?.push(await measure(subject, scenario, messages, options.bench))
    }
  }
  const ratio = (other: Subject, of: 'accepted' | 'drained'): number =>
    median(
      (runs.get(ours) ?? []).map((run, i) => run[of] / (runs.get(other)?.[i]?.[of] ?? Number.NaN)),
    )
  const verdict = (what: string, other: Subject, of: 'accepted' | 'drained', wanted: number) => {
    const measured = ratio(other, of)
    return {
      what: `${scenario.name}: ${what} to ${other.name}`,
      target: `${wanted}x`,
      measured: `${measured.toFixed(1)}x`,
      met: measured >= wanted,
    }
  }
  const { target, hashedTarget, drainTarget } = scenario
  return {
    rows: subjects.map(subject => ({
      scenario: scenario.name,
      server: subject.name,
      run: middle(runs.get(subject) ?? []),
    })),
    verdicts: [
      ...(target === undefined ? [] : [verdict('accepted', postfix, 'accepted', target)]),
      ...(hashedTarget === undefined
        ? []
        : [verdict('accepted', hashed, 'accepted', hashedTarget)]),
      ...(drainTarget === undefined ? [] : [verdict('drained', postfix, 'drained', drainTarget)]),
    ],
  }
}
