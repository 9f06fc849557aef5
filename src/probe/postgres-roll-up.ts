import { CLASSES, SPANS } from './roll-up.ts'

/*
 * Statements that keep the counts of `roll-up.ts`, and that answer from them: those of `sqlite-roll-up.ts` in the words of
 * PostgreSQL. A question has $1 since, $2 until, $3 step, $4 span, $5 and $6 beginning and end of the whole spans.
 */

const EACH_SPAN = `unnest(array[${SPANS.map(span => `${span}::bigint`).join(', ')}]) as spans (span)`
const BEGINNING = `scheduled_at / span * span`
const CLASS = `round(ln(greatest(seconds, 0.001)) * ${CLASSES})::integer`

/** Adds canaries to the counts. @param from where they stand: `canary where …` */
export function countVerdicts(from: string): string {
  return `insert into verdict_count as known (span, since, origin, provider, seed, label, n, late)
    select span, ${BEGINNING}, origin, provider, seed, label, count(*), count(*) filter (where late_at > 0)
    from ${EACH_SPAN}, ${from}
    group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6
    on conflict (span, since, origin, provider, seed, label)
      do update set n = known.n + excluded.n, late = known.late + excluded.late`
}

/** @param from where they stand: `canary where …`, of those that arrived */
export function countArrivals(from: string): string {
  return `insert into arrival_count as known (span, since, provider, class, n)
    select span, ${BEGINNING}, provider, ${CLASS}, count(*)
    from ${EACH_SPAN}, ${from}
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
    on conflict (span, since, provider, class) do update set n = known.n + excluded.n`
}

// What is left of the spans that a sweep cut through.
const REST = `label <> '' and scheduled_at >= $1::bigint / span * span and scheduled_at < $1::bigint / span * span + span`

function stepOf(time: string): string {
  return `coalesce(${time} / nullif($3::bigint, 0) * $3::bigint, 0) as step`
}

/** Canaries before and after the whole spans, counted one by one. @param which further condition */
function edges(columns: string, which: string): string {
  return [
    ['$1', '$5'],
    ['$6', '$2'],
  ]
    .map(
      ([from, until]) =>
        `select ${columns} from canary where scheduled_at >= ${from} and scheduled_at < ${until} and ${which}`,
    )
    .join('\n    union all ')
}

/** Stores a verdict and counts it: all of it or nothing. $1 id, $2 label, $3 verdict, $4 at, $5 seconds */
export const DECIDE = `with decided as (
    update canary set label = $2, verdict = $3, decided_at = $4, seconds = $5
    where id = $1 and label = ''
    returning scheduled_at, origin, provider, seed, label, late_at, seconds
  ),
  verdicts as (${countVerdicts('decided')}),
  arrivals as (${countArrivals('decided where seconds is not null')})
  select 1 from decided`

/** $1 id, $2 at */
export const LATE = `with came as (
    update canary set late_at = $2 where id = $1 and label = 'missing' and late_at = 0
    returning scheduled_at, origin, provider, seed, label
  ),
  counted as (
    update verdict_count as known set late = late + 1 from came, ${EACH_SPAN}
    where known.span = spans.span and known.since = scheduled_at / spans.span * spans.span
      and known.origin = came.origin and known.provider = came.provider
      and known.seed = came.seed and known.label = came.label
  )
  select 1 from came`

/** What follows the removal of canaries. $1 before */
export const RECOUNT = [
  'delete from verdict_count where since < $1',
  countVerdicts(`canary where ${REST}`),
  'delete from arrival_count where since < $1',
  countArrivals(`canary where seconds is not null and ${REST}`),
] as const

export const TALLY = `select origin, provider, seed, label, step, sum(n)::bigint as n, sum(late)::bigint as late from (
    select origin, provider, seed, label, n, late, ${stepOf('since')} from verdict_count
      where span = $4 and since >= $5 and since < $6
    union all ${edges(
      `origin, provider, seed, label, 1, (late_at > 0)::integer, ${stepOf('scheduled_at')}`,
      `label <> ''`,
    )}) as counted
    group by origin, provider, seed, step, label
    order by step, origin, provider, seed`

export const ARRIVAL_COUNTS = `select provider, step as "from", seconds, sum(n)::bigint as n from (
    select provider, exp(class / ${CLASSES}.0)::double precision as seconds, n, ${stepOf('since')}
      from arrival_count where span = $4 and since >= $5 and since < $6
    union all ${edges(`provider, seconds, 1, ${stepOf('scheduled_at')}`, 'seconds is not null')}) as counted
    group by provider, step, seconds
    order by step, provider, seconds`

/** One seed has few: they are counted one by one. $4 seed */
export const ARRIVAL_COUNTS_OF_SEED = `select provider, step as "from", seconds, count(*) as n from (
    select provider, seconds, ${stepOf('scheduled_at')} from canary
      where seed = $4 and scheduled_at >= $1 and scheduled_at < $2 and seconds is not null) as arrived
    group by provider, step, seconds
    order by step, provider, seconds`
