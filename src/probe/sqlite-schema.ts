import type { Database } from 'better-sqlite3'

import { migrateFile } from '../base/sqlite.ts'
import { countArrivals, countVerdicts } from './sqlite-roll-up.ts'

/*
 * The tables as they were made at first, and what every later version has changed. A file knows how many of these it has.
 *
 * canary    one row a canary. `label` and what follows it are the verdict: '' while undecided. `verdict` is the whole
 *           of it as JSON; the columns beside it are what is counted, so that no count has to open the JSON.
 * sighting  where a canary was seen, the first one first
 * look      the last look at each seed
 * cursor    how far each folder of a seed was read
 * pause     probes that an operator has paused
 * verdict_count, arrival_count   canaries counted by hour and day: `roll-up.ts`
 *
 * Times are milliseconds since the epoch. Canaries are counted by `scheduled_at`, which all of them have: one that was
 * rejected was never submitted.
 */
/** What leads from each version to the next, the first from nothing; never changed once released. */
export const HISTORY_MIGRATIONS = [
  `
create table canary (
  id text primary key,
  probe text not null,
  origin text not null,
  seed text not null,
  provider text not null,
  content text not null,
  token text not null unique,
  scheduled_at integer not null,
  submitted_at integer not null default 0,
  deadline_at integer not null,
  queue_id text not null default '',
  label text not null default '',
  verdict text not null default '',
  decided_at integer not null default 0,
  late_at integer not null default 0,
  seconds real,
  unique (probe, scheduled_at)
) strict, without rowid;

create index canary_undecided on canary (id) where label = '';
-- Verdicts are counted from this index alone.
create index canary_tally on canary (scheduled_at, origin, provider, seed, label, late_at);
-- So are arrival times; only what arrived is in it.
create index canary_arrival on canary (scheduled_at, origin, provider, label, submitted_at, seconds)
  where seconds is not null;
create index canary_seed on canary (seed, scheduled_at);

create table sighting (
  canary text not null references canary (id) on delete cascade,
  seen_at integer not null,
  folder text not null,
  uid_validity text not null,
  uid integer not null,
  placement text not null,
  sighting text not null,
  primary key (canary, folder, uid_validity, uid)
) strict, without rowid;

create table look (seed text primary key, look text not null) strict, without rowid;

create table cursor (
  seed text not null,
  folder text not null,
  uid_validity text not null,
  uid_next integer not null,
  primary key (seed, folder)
) strict, without rowid;
`,
  `
create table pause (probe text primary key, at integer not null, by text not null) strict, without rowid;

-- The detector reads verdicts in their order, from this index alone.
create index canary_decided on canary (decided_at, id, origin, provider, label, seconds) where label <> '';
-- Finds the canary of the other origin that was sent together with one, and counts what a seed got.
create index canary_pair on canary (seed, scheduled_at, origin, content, provider, label);
create index canary_open on canary (probe) where label = '';
`,
  `
create table verdict_count (
  span integer not null,
  since integer not null,
  origin text not null,
  provider text not null,
  seed text not null,
  label text not null,
  n integer not null,
  late integer not null,
  primary key (span, since, origin, provider, seed, label)
) strict, without rowid;

create table arrival_count (
  span integer not null,
  since integer not null,
  provider text not null,
  class integer not null,
  n integer not null,
  primary key (span, since, provider, class)
) strict, without rowid;

${countVerdicts(`label <> ''`)};
${countArrivals(`label <> ''`)};

-- For lists: of one seed, and of one verdict, which may be rare.
drop index canary_seed;
create index canary_seed on canary (seed, scheduled_at, label, origin, provider, seconds);
create index canary_label on canary (label, scheduled_at, seed, origin, provider);
`,
  // The report that came back, as JSON.
  `alter table canary add column report text not null default '';
`,
] as const

/**
 * Makes the tables, or finds them.
 *
 * @throws Problem if the file was written by a newer version
 */
export function prepare(db: Database): void {
  // A verdict survives power loss: there are few of them, and each stands for half an hour of waiting.
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = full')
  db.pragma('foreign_keys = on')
  db.pragma('busy_timeout = 5000')
  migrateFile(db, { what: 'history', migrations: HISTORY_MIGRATIONS })
}
