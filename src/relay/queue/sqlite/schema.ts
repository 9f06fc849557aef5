import { LEDGER } from './counting.ts'

/*
 * The tables of the queue. Those of the limits are in `counting.ts`.
 *
 * message      one row a 250; it is what makes a message exist, so it is written after its body. Rows stay after the
 *              end, for questions, until the sweep
 * chunk        small bodies in pieces of 64 KiB, in the order of their ids; a body is reached only through message.body. Before
 *              there was body_file, large ones as well
 * body_file    large bodies: the name of the file, and what makes it readable (`body-files/body-file.ts`)
 * loose_body   bodies that have rows in chunk and no message: of programs before body_file, and of a rescue; swept at start
 * recipient    one row a RCPT
 * delivery     one row a message and domain. `due_at` is when it is to be tried. With a `token` it is leased, until
 *              `ready_at`; without one `ready_at` is when anybody may take it
 * lane         one row a domain and login with waiting deliveries: how many, and whether a standing hold keeps them
 *              back. To hold or release a million deliveries touches only their lanes
 * destination  one row a domain with lanes that are not held and the earliest `ready_at` in them: leasing goes over
 *              domains, so that a million messages for one busy provider cost the others nothing
 * standing_hold  what operators have said shall be kept back; rows stay after the end of the hold, until the sweep
 * tally        how many deliveries are in each state; kept by triggers, for counting a million rows takes too long
 * timeline     what happened, in order
 */
const FIRST = `
  create table message (
    key integer primary key,
    id text not null unique,
    reverse_path text not null,
    eight_bit integer not null,
    smtputf8 integer not null,
    ret text,
    envid text,
    login text not null,
    accepted_at integer not null,
    message_id text not null,
    size integer not null,
    body integer,
    ended_at integer
  ) strict;
  create index message_alive on message (accepted_at) where ended_at is null;
  create index message_ended on message (ended_at) where ended_at is not null;
  create index message_header on message (message_id) where message_id <> '';

  create table chunk (
    id integer primary key,
    body integer not null,
    data blob not null
  ) strict;
  create index chunk_body on chunk (body);

  create table loose_body (body integer primary key) strict;

  create table delivery (
    id integer primary key,
    message integer not null,
    domain text not null,
    state text not null check (state in ('queued', 'held', 'ended')),
    due_at integer not null,
    ready_at integer not null,
    token text,
    attempts integer not null default 0,
    indeterminate integer not null default 0
  ) strict;
  create index delivery_message on delivery (message);
  create index delivery_ready on delivery (domain, ready_at) where state = 'queued';
  create index delivery_leased on delivery (token) where token is not null;

  create table recipient (
    message integer not null,
    position integer not null,
    delivery integer not null,
    address text not null,
    notify text,
    orcpt text,
    state text not null check (state in ('queued', 'delivered', 'bounced', 'removed')),
    delay_reported integer not null default 0,
    last_reply text,
    last_host text not null default '',
    primary key (message, position)
  ) strict, without rowid;

  create table destination (
    domain text primary key,
    ready_at integer not null
  ) strict, without rowid;
  create index destination_ready on destination (ready_at);

  create table timeline (
    id integer primary key,
    message integer not null,
    at integer not null,
    kind text not null,
    domain text not null,
    host text not null,
    reply text not null,
    tls text not null,
    note text not null
  ) strict;
  create index timeline_message on timeline (message);

  create table tally (state text primary key, amount integer not null) strict, without rowid;
  insert into tally values ('queued', 0), ('held', 0), ('ended', 0);
  create trigger delivery_added after insert on delivery begin
    update tally set amount = amount + 1 where state = new.state;
  end;
  create trigger delivery_moved after update of state on delivery when new.state <> old.state begin
    update tally set amount = amount - 1 where state = old.state;
    update tally set amount = amount + 1 where state = new.state;
  end;
  create trigger delivery_removed after delete on delivery begin
    update tally set amount = amount - 1 where state = old.state;
  end;
`

// A hold of a kind that this program does not know holds everything: what cannot be understood must not send.
const HELD = (lane: string): string => `exists (
  select 1 from standing_hold where lifted_at is null and (
    kind = 'destination' and value = ${lane}.domain or kind = 'login' and value = ${lane}.login))`

const JOIN_LANE = `
  insert into lane values (new.domain, new.login, 1, ${HELD('new')})
  on conflict (domain, login) do update set queued = queued + 1;`

const HOLDS = `
  alter table delivery add column login text not null default '';
  alter table delivery add column kept text not null default '';
  update delivery set login = (select login from message where key = delivery.message);
  update delivery set kept = 'held by an operator' where state = 'held';
  create index delivery_lane on delivery (domain, login, ready_at) where state = 'queued';
  create index delivery_alive on delivery (id) where state <> 'ended';
  create index delivery_domain on delivery (domain, id) where state <> 'ended';
  create index delivery_login on delivery (login, id) where state <> 'ended';

  alter table timeline add column recipients text;

  create table standing_hold (
    id integer primary key,
    kind text not null,
    value text not null,
    set_at integer not null,
    set_by text not null,
    lifted_at integer,
    lifted_by text
  ) strict;
  create unique index standing_hold_set on standing_hold (kind, value) where lifted_at is null;

  create table lane (
    domain text not null,
    login text not null,
    queued integer not null,
    held integer not null,
    primary key (domain, login)
  ) strict, without rowid;
  create index lane_login on lane (login);
  create index lane_held on lane (domain, queued) where held = 1;
  insert into lane select domain, login, count(*), 0
    from delivery where state = 'queued' group by domain, login;
  create trigger lane_begun after insert on delivery when new.state = 'queued' begin ${JOIN_LANE}
  end;
  create trigger lane_joined after update of state on delivery
  when new.state = 'queued' and old.state <> 'queued' begin ${JOIN_LANE}
  end;
  create trigger lane_left after update of state on delivery
  when old.state = 'queued' and new.state <> 'queued' begin
    update lane set queued = queued - 1 where domain = old.domain and login = old.login;
    delete from lane where domain = old.domain and login = old.login and queued = 0;
  end;
`

const REFUSED = `
  create index recipient_refused on recipient (message) where state = 'bounced';
`

const BODY_FILES = `
  create table body_file (
    body integer primary key,
    name text not null unique,
    key blob not null,
    tag blob not null
  ) strict;
`

// What waits: nobody has it in hand, and no hold of its own keeps it back.
const WAITS = (row: string): string => `${row}.state = 'queued' and ${row}.token is null`

/*
 * Indexes and lanes are of what waits, no longer of what is leased: a message that is delivered at once is in none of
 * them. The oldest message is found by the oldest deliveries.
 */
const IN_HAND = `
  drop index message_alive;
  drop index delivery_ready;
  drop index delivery_lane;
  drop index delivery_alive;
  drop index delivery_domain;
  drop index delivery_login;
  drop index delivery_leased;
  create index delivery_ready on delivery (domain, ready_at) where state = 'queued' and token is null;
  create index delivery_lane on delivery (domain, login, ready_at) where state = 'queued' and token is null;
  create index delivery_alive on delivery (id) where state <> 'ended' and token is null;
  create index delivery_domain on delivery (domain, id) where state <> 'ended' and token is null;
  create index delivery_login on delivery (login, id) where state <> 'ended' and token is null;
  create index delivery_leased on delivery (ready_at) where token is not null;

  drop trigger lane_begun;
  drop trigger lane_joined;
  drop trigger lane_left;
  delete from lane;
  insert into lane select domain, login, count(*), ${HELD('delivery')}
    from delivery where ${WAITS('delivery')} group by domain, login;
  create trigger lane_begun after insert on delivery when ${WAITS('new')} begin ${JOIN_LANE}
  end;
  create trigger lane_joined after update of state, token on delivery
  when ${WAITS('new')} and not (${WAITS('old')}) begin ${JOIN_LANE}
  end;
  create trigger lane_left after update of state, token on delivery
  when ${WAITS('old')} and not (${WAITS('new')}) begin
    update lane set queued = queued - 1 where domain = old.domain and login = old.login;
    delete from lane where domain = old.domain and login = old.login and queued = 0;
  end;
`

/** Migration n leads from schema n to n + 1. Never edited once released: add one. */
export const MIGRATIONS: readonly string[] = [FIRST, HOLDS, LEDGER, REFUSED, BODY_FILES, IN_HAND]

/** Marks the file as a queue of ours (`pragma application_id`): 'mcqu'. */
export const APPLICATION_ID = 0x6d637175
