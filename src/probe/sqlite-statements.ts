import { DAY } from '../base/clock.ts'
import { ROLL_UP_STATEMENTS } from './sqlite-roll-up.ts'

/**
 * One walk through an index from the newest back; `limit` ends it. What is found is looked up afterwards: a table without
 * rowids would be asked at every step of the walk.
 */
function listBy(index: string, first: string): string {
  return `select canary.* from (
      select id from canary indexed by ${index}
      where ${first} scheduled_at >= $since and scheduled_at < $until
        and ($origin = '' or origin = $origin) and ($provider = '' or provider = $provider)
        and ($seed = '' or seed = $seed) and ($label = '' or label = $label)
      order by scheduled_at desc limit $limit
    ) as found cross join canary on canary.id = found.id
    order by scheduled_at desc`
}

/*
 * The questions put to the history, by name, so that a test can ask SQLite how it answers them. `$since` and `$until`
 * bound `scheduled_at`.
 */
export const STATEMENTS = {
  ...ROLL_UP_STATEMENTS,
  begin: `insert into canary
    (id, probe, origin, seed, provider, content, token, scheduled_at, submitted_at, deadline_at, queue_id)
    values ($id, $probe, $origin, $seed, $provider, $content, $token, $scheduledAt, $submittedAt, $deadlineAt, $queueId)
    on conflict (probe, scheduled_at) do nothing`,
  submitted: `update canary set submitted_at = $at, queue_id = $queueId where id = $id`,
  // The first decision stands.
  decide: `update canary set label = $label, verdict = $verdict, decided_at = $at, seconds = $seconds
    where id = $id and label = ''`,
  sighted: `insert into sighting (canary, seen_at, folder, uid_validity, uid, placement, sighting)
    values ($id, $seenAt, $folder, $uidValidity, $uid, $placement, $sighting)
    on conflict do nothing`,
  late: `update canary set late_at = $at where id = $id and label = 'missing' and late_at = 0`,
  reported: `update canary set report = $report where id = $id and report = ''`,
  looked: `insert into look (seed, look) values ($seed, $look)
    on conflict (seed) do update set look = excluded.look`,
  lastLook: `select look from look where seed = $seed`,
  undecided: `select * from canary where label = '' and ($seed = '' or seed = $seed) order by id`,
  byToken: `select * from canary where token = $token`,
  find: `select * from canary where id = $id`,
  sightings: `select sighting from sighting where canary = $id
    order by seen_at, placement = 'other', placement = 'spam', uid`,
  list: listBy('canary_tally', ''),
  listOfSeed: listBy('canary_seed', 'seed = $seed and'),
  listOfVerdict: listBy('canary_label', 'label = $label and'),
  arrivals: `select origin, provider, label as placement, submitted_at as submittedAt, seconds
    from canary indexed by canary_arrival
    where scheduled_at >= $since and scheduled_at < $until and seconds is not null
    order by scheduled_at desc limit $limit`,
  decisions: `select id, origin, provider, label, seconds, decided_at as decidedAt
    from canary indexed by canary_decided
    where (decided_at, id) > ($at, $id) and label <> '' order by decided_at, id limit $limit`,
  outcomes: `select origin, provider,
      sum(label in ('missing', 'bounced', 'rejected')) as lost, sum(label = 'inbox') as inbox,
      sum(label in ('spam', 'other')) as elsewhere, sum(coalesce(seconds > $slowAfter, 0)) as slow
    from canary indexed by canary_decided
    where decided_at >= $from and decided_at < $until and label <> ''
    group by origin, provider order by origin, provider`,
  // Seed by seed: of each seed both ends of the period are found in the index.
  pairs: `with recursive seeds (seed) as (
      select min(seed) from canary
      union all
      select (select min(seed) from canary where seed > seeds.seed) from seeds where seed is not null
    )
    select a.provider, a.scheduled_at / ${DAY} * ${DAY} as day, a.label as a, b.label as b, count(*) as n
    from seeds
    cross join canary a indexed by canary_pair on a.seed = seeds.seed
    cross join canary b indexed by canary_pair on b.seed = a.seed and b.scheduled_at = a.scheduled_at
    where a.scheduled_at >= $since and a.scheduled_at < $until and a.origin = $a and a.label <> ''
      and b.origin = $b and b.content = a.content and b.label <> ''
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  pause: `insert into pause (probe, at, by) values ($probe, $at, $by) on conflict do nothing`,
  resume: `delete from pause where probe = $probe`,
  pauses: `select probe, at, by from pause order by probe`,
  standing: `select exists (select 1 from pause where probe = $probe) as paused,
    (select count(*) from canary indexed by canary_open where label = '' and probe = $probe) as undecided,
    (select count(*) from canary indexed by canary_pair where seed = $seed and scheduled_at >= $since) as sent`,
  cursors: `select folder, uid_validity as uidValidity, uid_next as uidNext from cursor
    where seed = $seed order by folder`,
  forgetCursors: `delete from cursor where seed = $seed`,
  saveCursor: `insert into cursor (seed, folder, uid_validity, uid_next)
    values ($seed, $folder, $uidValidity, $uidNext)`,
  // Undecided ones stay: nothing is forgotten before it has a verdict.
  sweep: `delete from canary where id in
    (select id from canary indexed by canary_tally where scheduled_at < $before and label <> '')`,
} as const
