/*
 * The tables of the queue in PostgreSQL. The words are those of the SQLite file (`sqlite/schema.ts`); different are
 *
 * chunk        a body in pieces of 64 KiB by their number; its name is made up by the node that takes it in
 * loose_body   bodies that have rows in chunk and no message yet, who writes them, and when last
 * delivery     `node` is who has the lease: a node that starts again ends those it died with
 *
 * No row sums up others (lanes, destinations, tallies): it would be written by all nodes at once, and each put for a
 * busy provider would wait for the one before. The sums are asked of the indices instead.
 */
export const QUEUE_MIGRATIONS = [
  `
create table message (
  key bigint generated always as identity primary key,
  id text collate "C" not null unique,
  reverse_path text not null,
  eight_bit smallint not null,
  smtputf8 smallint not null,
  ret text,
  envid text,
  login text collate "C" not null,
  accepted_at bigint not null,
  message_id text collate "C" not null,
  size bigint not null,
  body uuid,
  ended_at bigint
);
create index message_alive on message (accepted_at) where ended_at is null;
create index message_ended on message (ended_at) where ended_at is not null;
create index message_header on message (message_id, key) where message_id <> '';

create table chunk (
  body uuid not null,
  number integer not null,
  data bytea not null,
  primary key (body, number)
);
-- Letters do not get smaller by the fast compression there is, and it costs time.
alter table chunk alter column data set storage external;

create table loose_body (
  body uuid primary key,
  node text collate "C" not null,
  written_at timestamptz not null
);

create table delivery (
  id bigint generated always as identity primary key,
  message bigint not null references message (key) on delete cascade,
  domain text collate "C" not null,
  login text collate "C" not null,
  state text collate "C" not null check (state in ('queued', 'held', 'ended')),
  kept text not null default '',
  due_at bigint not null,
  ready_at bigint not null,
  token text collate "C",
  node text collate "C" not null default '',
  attempts integer not null default 0,
  indeterminate smallint not null default 0
);
create index delivery_message on delivery (message);
create index delivery_ready on delivery (domain, ready_at, login) where state = 'queued';
create index delivery_leased on delivery (node) where token is not null;
create index delivery_alive on delivery (id) where state <> 'ended';
create index delivery_domain on delivery (domain, id) where state <> 'ended';
create index delivery_login on delivery (login, id) where state <> 'ended';

create table recipient (
  message bigint not null references message (key) on delete cascade,
  position integer not null,
  delivery bigint not null,
  address text not null,
  notify text,
  orcpt text,
  state text collate "C" not null check (state in ('queued', 'delivered', 'bounced', 'removed')),
  delay_reported smallint not null default 0,
  last_reply text,
  last_host text not null default '',
  primary key (message, position)
);

create table timeline (
  id bigint generated always as identity primary key,
  message bigint not null references message (key) on delete cascade,
  at bigint not null,
  kind text not null,
  domain text not null,
  host text not null,
  reply text not null,
  tls text not null,
  note text not null,
  recipients text
);
create index timeline_message on timeline (message, id);

create table standing_hold (
  id bigint generated always as identity primary key,
  kind text collate "C" not null,
  value text collate "C" not null,
  set_at bigint not null,
  set_by text not null,
  lifted_at bigint,
  lifted_by text
);
create unique index standing_hold_set on standing_hold (kind, value) where lifted_at is null;

create table usage (
  login text collate "C" not null,
  step bigint not null,
  at bigint not null,
  messages bigint not null,
  recipients bigint not null,
  fresh bigint not null,
  primary key (login, step, at)
);
create index usage_step on usage (step, at);

create table acquainted (
  login text collate "C" not null,
  digest bytea not null,
  last_at bigint not null,
  primary key (login, digest)
);
create index acquainted_last on acquainted (login, last_at);

create table queue_key (name text collate "C" primary key, key bytea not null);
`,
  `create index recipient_refused on recipient (message) where state = 'bounced';`,
] as const
