import { DAY } from '../base/clock.ts'

/*
 * The longer questions put to the history in PostgreSQL; they are those of `sqlite-statements.ts`.
 */

export const DECISIONS = `select id, origin, provider, label, seconds, decided_at as "decidedAt" from canary
    where (decided_at, id) > ($1, $2) and label <> '' order by decided_at, id limit $3`

export const OUTCOMES = `select origin, provider,
      count(*) filter (where label in ('missing', 'bounced', 'rejected')) as lost,
      count(*) filter (where label = 'inbox') as inbox,
      count(*) filter (where label in ('spam', 'other')) as elsewhere,
      count(*) filter (where seconds > $3) as slow
    from canary where decided_at >= $1 and decided_at < $2 and label <> ''
    group by origin, provider order by origin, provider`

export const PAIRS = `select a.provider, a.scheduled_at / ${DAY} * ${DAY} as day, a.label as a, b.label as b, count(*) as n
    from canary a join canary b
      on b.seed = a.seed and b.scheduled_at = a.scheduled_at and b.content = a.content
    where a.scheduled_at >= $3 and a.scheduled_at < $4 and a.origin = $1 and a.label <> ''
      and b.scheduled_at >= $3 and b.scheduled_at < $4 and b.origin = $2 and b.label <> ''
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`

export const STANDING = `select exists (select 1 from pause where probe = $1) as paused,
    (select count(*) from canary where label = '' and probe = $1) as undecided,
    (select count(*) from canary where seed = $2 and scheduled_at >= $3) as sent`
