import { DAY } from '../base/clock.ts'

/** The longer statements of the history in PostgreSQL; they are those of `sqlite-statements.ts`. */
export const STATEMENTS = {
  // A tick that another node has taken inserts nothing.
  begin: `insert into canary (id, probe, origin, seed, provider, content, token,
      scheduled_at, submitted_at, deadline_at, queue_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (probe, scheduled_at) do nothing`,
  // Of two sightings in one look the one in INBOX comes first.
  record: `select canary.*, array(
      select sighting from sighting where sighting.canary = canary.id
      order by seen_at, placement = 'other', placement = 'spam', uid
    ) as sightings from canary`,
  list: `select * from canary where scheduled_at >= $1 and scheduled_at < $2
      and ($3 = '' or origin = $3) and ($4 = '' or provider = $4)
      and ($5 = '' or seed = $5) and ($6 = '' or label = $6)
    order by scheduled_at desc limit $7`,
  arrivals: `select origin, provider, label as placement, submitted_at as "submittedAt", seconds
    from canary where scheduled_at >= $1 and scheduled_at < $2 and seconds is not null
    order by scheduled_at desc limit $3`,
  sighted: `insert into sighting (canary, seen_at, folder, uid_validity, uid, placement, sighting)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
  looked: `insert into seed_look (seed, look) values ($1, $2)
    on conflict (seed) do update set look = excluded.look`,
  cursors: `select folder, uid_validity as "uidValidity", uid_next as "uidNext" from seed_cursor
    where seed = $1 order by folder`,
  saveCursors: `insert into seed_cursor (seed, folder, uid_validity, uid_next)
    select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
    on conflict (seed, folder) do update
    set uid_validity = excluded.uid_validity, uid_next = excluded.uid_next`,
  decisions: `select id, origin, provider, label, seconds, decided_at as "decidedAt" from canary
    where (decided_at, id) > ($1, $2) and label <> '' order by decided_at, id limit $3`,
  outcomes: `select origin, provider,
      count(*) filter (where label in ('missing', 'bounced', 'rejected')) as lost,
      count(*) filter (where label = 'inbox') as inbox,
      count(*) filter (where label in ('spam', 'other')) as elsewhere,
      count(*) filter (where seconds > $3) as slow
    from canary where decided_at >= $1 and decided_at < $2 and label <> ''
    group by origin, provider order by origin, provider`,
  pairs: `select a.provider, a.scheduled_at / ${DAY} * ${DAY} as day, a.label as a, b.label as b, count(*) as n
    from canary a join canary b
      on b.seed = a.seed and b.scheduled_at = a.scheduled_at and b.content = a.content
    where a.scheduled_at >= $3 and a.scheduled_at < $4 and a.origin = $1 and a.label <> ''
      and b.scheduled_at >= $3 and b.scheduled_at < $4 and b.origin = $2 and b.label <> ''
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  standing: `select exists (select 1 from pause where probe = $1) as paused,
    (select count(*) from canary where label = '' and probe = $1) as undecided,
    (select count(*) from canary where seed = $2 and scheduled_at >= $3) as sent`,
} as const
