import { CLASSES, SPANS } from './roll-up.ts'

/*
 * Statements that keep the counts of `roll-up.ts`, and that answer from them. A question has `$since`, `$until` and
 * `$step`; `$span`, `$wholeFrom` and `$wholeUntil` say which part of it whole spans can answer.
 */

const EACH_SPAN = `(${SPANS.map(span => `select ${span} as span`).join(' union all ')})`
const BEGINNING = `scheduled_at / span * span`
const CLASS = `cast(round(ln(max(seconds, 0.001)) * ${CLASSES}) as integer)`
// Beginning of the span that `$before` falls into.
const CUT = `cast($before as integer) / span * span`
/** Condition for what is left of the spans that a sweep cut through. */
const REST = `label <> '' and scheduled_at >= ${CUT} and scheduled_at < ${CUT} + span`

/** @param which condition on `canary` and `span` */
export function countVerdicts(which: string): string {
  return `insert into verdict_count (span, since, origin, provider, seed, label, n, late)
    select span, ${BEGINNING}, origin, provider, seed, label, count(*), sum(late_at > 0)
    from ${EACH_SPAN} cross join canary where ${which}
    group by 1, 2, 3, 4, 5, 6
    on conflict do update set n = n + excluded.n, late = late + excluded.late`
}

/** @param which condition on `canary` and `span` */
export function countArrivals(which: string): string {
  return `insert into arrival_count (span, since, provider, class, n)
    select span, ${BEGINNING}, provider, ${CLASS}, count(*)
    from ${EACH_SPAN} cross join canary where seconds is not null and ${which}
    group by 1, 2, 3, 4
    on conflict do update set n = n + excluded.n`
}

// Numbers are bound as REAL: without the cast the division would not be one of whole numbers.
function stepOf(time: string): string {
  return `case $step when 0 then 0 else ${time} / cast($step as integer) * cast($step as integer) end`
}

/** Canaries before and after the whole spans, counted one by one. @param which further condition */
function edges(columns: string, index: string, which: string): string {
  return [
    ['since', 'wholeFrom'],
    ['wholeUntil', 'until'],
  ]
    .map(
      ([from, until]) => `select ${columns} from canary indexed by ${index}
      where scheduled_at >= $${from} and scheduled_at < $${until} and ${which}`,
    )
    .join('\n    union all ')
}

export const ROLL_UP_STATEMENTS = {
  countVerdict: countVerdicts('id = $id'),
  countArrival: countArrivals('id = $id'),
  countLate: `update verdict_count set late = late + 1
    where (span, since, origin, provider, seed, label) in
      (select span, ${BEGINNING}, origin, provider, seed, label from ${EACH_SPAN} cross join canary where id = $id)`,
  forgetVerdicts: `delete from verdict_count where span in (${SPANS.join(', ')}) and since < $before`,
  forgetArrivals: `delete from arrival_count where span in (${SPANS.join(', ')}) and since < $before`,
  recountVerdicts: countVerdicts(REST),
  recountArrivals: countArrivals(REST),
  tally: `select origin, provider, seed, label, step, sum(n) as n, sum(late) as late from (
    select origin, provider, seed, label, n, late, ${stepOf('since')} as step from verdict_count
      where span = $span and since >= $wholeFrom and since < $wholeUntil
    union all ${edges(
      `origin, provider, seed, label, 1, late_at > 0, ${stepOf('scheduled_at')} as step`,
      'canary_tally',
      `label <> ''`,
    )})
    group by origin, provider, seed, step, label
    order by step, origin, provider, seed`,
  arrivalCounts: `select provider, step as "from", seconds, sum(n) as n from (
    select provider, exp(class / ${CLASSES}.0) as seconds, n, ${stepOf('since')} as step from arrival_count
      where span = $span and since >= $wholeFrom and since < $wholeUntil
    union all ${edges(
      `provider, seconds, 1, ${stepOf('scheduled_at')}`,
      'canary_arrival',
      'seconds is not null',
    )})
    group by provider, step, seconds
    order by step, provider, seconds`,
  // One seed has few: they are counted one by one.
  arrivalCountsOfSeed: `select provider, ${stepOf('scheduled_at')} as "from", seconds, count(*) as n
    from canary indexed by canary_seed
    where seed = $seed and scheduled_at >= $since and scheduled_at < $until and seconds is not null
    group by provider, "from", seconds
    order by "from", provider, seconds`,
} as const
