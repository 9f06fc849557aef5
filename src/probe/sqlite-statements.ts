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
  cursors: `select folder, uid_validity as uidValidity, uid_next as uidNext from cursor
    where seed = $seed order by folder`,
  forgetCursors: `delete from cursor where seed = $seed`,
  saveCursor: `insert into cursor (seed, folder, uid_validity, uid_next)
    values ($seed, $folder, $uidValidity, $uidNext)`,
  // Undecided ones stay: nothing is forgotten before it has a verdict.
  sweep: `delete from canary where id in
    (select id from canary indexed by canary_tally where scheduled_at < $before and label <> '')`,
} as const
