import { countArrivals, countVerdicts } from './postgres-roll-up.ts'

/*
 * The prober's tables in PostgreSQL; the words are those of the SQLite file (`sqlite-schema.ts`), and
 *
 * seed_lease   which node watches which seed, until when by the database's own clock
 * shared_key   what all nodes need the same of
 *
 * What is JSON is kept as text: the header of a message may hold U+0000, which `jsonb` refuses. Text is compared by
 * octets, so that neither an order nor an index depends on the locale of the server.
 */
export const HISTORY_MIGRATIONS = [
  `
create table canary (
  id text collate "C" primary key,
  probe text collate "C" not null,
  origin text collate "C" not null,
  seed text collate "C" not null,
  provider text collate "C" not null,
  content text not null,
  token text collate "C" not null unique,
  scheduled_at bigint not null,
  submitted_at bigint not null default 0,
  deadline_at bigint not null,
  queue_id text not null default '',
  label text collate "C" not null default '',
  verdict text not null default '',
  decided_at bigint not null default 0,
  late_at bigint not null default 0,
  seconds double precision,
  unique (probe, scheduled_at)
);
create index canary_undecided on canary (id) where label = '';
create index canary_tally on canary (scheduled_at, origin, provider, seed, label, late_at);

create table sighting (
  canary text collate "C" not null references canary (id) on delete cascade,
  seen_at bigint not null,
  folder text collate "C" not null,
  uid_validity text collate "C" not null,
  uid bigint not null,
  placement text collate "C" not null,
  sighting text not null,
  primary key (canary, folder, uid_validity, uid)
);

create table seed_look (seed text collate "C" primary key, look text not null);

create table seed_cursor (
  seed text collate "C" not null,
  folder text collate "C" not null,
  uid_validity text not null,
  uid_next bigint not null,
  primary key (seed, folder)
);

create table seed_lease (
  seed text collate "C" primary key,
  node text collate "C" not null,
  ends_at timestamptz not null
);

create table shared_key (name text collate "C" primary key, key bytea not null);
`,
  `
create table pause (probe text collate "C" primary key, at bigint not null, by text not null);
create index canary_decided on canary (decided_at, id, origin, provider, label, seconds) where label <> '';
create index canary_pair on canary (seed, scheduled_at, origin, content, provider, label);
create index canary_open on canary (probe) where label = '';
`,
  `
create table verdict_count (
  span bigint not null,
  since bigint not null,
  origin text collate "C" not null,
  provider text collate "C" not null,
  seed text collate "C" not null,
  label text collate "C" not null,
  n bigint not null,
  late bigint not null,
  primary key (span, since, origin, provider, seed, label)
);

create table arrival_count (
  span bigint not null,
  since bigint not null,
  provider text collate "C" not null,
  class integer not null,
  n bigint not null,
  primary key (span, since, provider, class)
);

${countVerdicts(`canary where label <> ''`)};
${countArrivals('canary where seconds is not null')};

-- For lists: of one seed, and of one verdict, which may be rare.
create index canary_seed on canary (seed, scheduled_at);
create index canary_label on canary (label, scheduled_at);
`,
  // The report that came back, as JSON.
  `alter table canary add column report text not null default '';
`,
] as const
