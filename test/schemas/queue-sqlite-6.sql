PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE message (
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
INSERT INTO message VALUES(1,'1KE6JQ300ZCB8B21','alice@example.org',0,0,NULL,NULL,'alice',1767600000000,'<1KE6JQ300ZCB8B21@example.org>',25,NULL,1767600001000);
INSERT INTO message VALUES(2,'1KE6JQ300BNDARDR','alice@example.org',0,0,NULL,NULL,'alice',1767600000000,'<1KE6JQ300BNDARDR@example.org>',25,2,NULL);
CREATE TABLE chunk (
    id integer primary key,
    body integer not null,
    data blob not null
  ) strict;
INSERT INTO chunk VALUES(1,2,X'5375626a6563743a2068656c6c6f0d0a0d0a68656c6c6f0d0a');
CREATE TABLE loose_body (body integer primary key) strict;
CREATE TABLE delivery (
    id integer primary key,
    message integer not null,
    domain text not null,
    state text not null check (state in ('queued', 'held', 'ended')),
    due_at integer not null,
    ready_at integer not null,
    token text,
    attempts integer not null default 0,
    indeterminate integer not null default 0
  , login text not null default '', kept text not null default '') strict;
INSERT INTO delivery VALUES(1,1,'example.net','ended',1767600001000,1767600060000,NULL,1,0,'alice','');
INSERT INTO delivery VALUES(2,2,'example.com','queued',1767600300000,1767600300000,NULL,1,0,'alice','');
CREATE TABLE recipient (
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
INSERT INTO recipient VALUES(1,0,1,'bob@example.net',NULL,NULL,'delivered',0,'{"code":250,"enhanced":"2.0.0","text":"Ok: queued as 4XY"}','mx.example.net');
INSERT INTO recipient VALUES(2,0,2,'carol@example.com',NULL,NULL,'queued',0,'{"code":451,"enhanced":"4.7.1","text":"Greylisted"}','mx.example.net');
INSERT INTO recipient VALUES(2,1,2,'dan@example.com',NULL,NULL,'queued',0,'{"code":451,"enhanced":"4.7.1","text":"Greylisted"}','mx.example.net');
CREATE TABLE destination (
    domain text primary key,
    ready_at integer not null
  ) strict, without rowid;
INSERT INTO destination VALUES('example.com',1767600300000);
CREATE TABLE timeline (
    id integer primary key,
    message integer not null,
    at integer not null,
    kind text not null,
    domain text not null,
    host text not null,
    reply text not null,
    tls text not null,
    note text not null
  , recipients text) strict;
INSERT INTO timeline VALUES(1,1,1767600000000,'accepted','','','','','',NULL);
INSERT INTO timeline VALUES(2,1,1767600001000,'delivered','example.net','mx.example.net','250 2.0.0 Ok: queued as 4XY','TLSv1.3','','[0]');
INSERT INTO timeline VALUES(3,2,1767600000000,'accepted','','','','','',NULL);
INSERT INTO timeline VALUES(4,2,1767600001000,'deferred','example.com','mx.example.net','451 4.7.1 Greylisted','','2 recipients','[0,1]');
CREATE TABLE tally (state text primary key, amount integer not null) strict, without rowid;
INSERT INTO tally VALUES('ended',1);
INSERT INTO tally VALUES('held',0);
INSERT INTO tally VALUES('queued',1);
CREATE TABLE standing_hold (
    id integer primary key,
    kind text not null,
    value text not null,
    set_at integer not null,
    set_by text not null,
    lifted_at integer,
    lifted_by text
  ) strict;
CREATE TABLE lane (
    domain text not null,
    login text not null,
    queued integer not null,
    held integer not null,
    primary key (domain, login)
  ) strict, without rowid;
INSERT INTO lane VALUES('example.com','alice',1,0);
CREATE TABLE usage (
    login text not null,
    step integer not null,
    at integer not null,
    messages integer not null,
    recipients integer not null,
    fresh integer not null,
    primary key (login, step, at)
  ) strict, without rowid;
CREATE TABLE acquainted (
    login text not null,
    digest blob not null,
    last_at integer not null,
    primary key (login, digest)
  ) strict, without rowid;
CREATE TABLE body_file (
    body integer primary key,
    name text not null unique,
    key blob not null,
    tag blob not null
  ) strict;
CREATE INDEX message_ended on message (ended_at) where ended_at is not null;
CREATE INDEX message_header on message (message_id) where message_id <> '';
CREATE INDEX chunk_body on chunk (body);
CREATE INDEX delivery_message on delivery (message);
CREATE INDEX destination_ready on destination (ready_at);
CREATE INDEX timeline_message on timeline (message);
CREATE TRIGGER delivery_added after insert on delivery begin
    update tally set amount = amount + 1 where state = new.state;
  end;
CREATE TRIGGER delivery_moved after update of state on delivery when new.state <> old.state begin
    update tally set amount = amount - 1 where state = old.state;
    update tally set amount = amount + 1 where state = new.state;
  end;
CREATE TRIGGER delivery_removed after delete on delivery begin
    update tally set amount = amount - 1 where state = old.state;
  end;
CREATE UNIQUE INDEX standing_hold_set on standing_hold (kind, value) where lifted_at is null;
CREATE INDEX lane_login on lane (login);
CREATE INDEX lane_held on lane (domain, queued) where held = 1;
CREATE INDEX usage_step on usage (step, at);
CREATE INDEX acquainted_last on acquainted (login, last_at);
CREATE INDEX recipient_refused on recipient (message) where state = 'bounced';
CREATE INDEX delivery_ready on delivery (domain, ready_at) where state = 'queued' and token is null;
CREATE INDEX delivery_lane on delivery (domain, login, ready_at) where state = 'queued' and token is null;
CREATE INDEX delivery_alive on delivery (id) where state <> 'ended' and token is null;
CREATE INDEX delivery_domain on delivery (domain, id) where state <> 'ended' and token is null;
CREATE INDEX delivery_login on delivery (login, id) where state <> 'ended' and token is null;
CREATE INDEX delivery_leased on delivery (ready_at) where token is not null;
CREATE TRIGGER lane_begun after insert on delivery when new.state = 'queued' and new.token is null begin 
  insert into lane values (new.domain, new.login, 1, exists (
  select 1 from standing_hold where lifted_at is null and (
    kind = 'destination' and value = new.domain or kind = 'login' and value = new.login)))
  on conflict (domain, login) do update set queued = queued + 1;
  end;
CREATE TRIGGER lane_joined after update of state, token on delivery
  when new.state = 'queued' and new.token is null and not (old.state = 'queued' and old.token is null) begin 
  insert into lane values (new.domain, new.login, 1, exists (
  select 1 from standing_hold where lifted_at is null and (
    kind = 'destination' and value = new.domain or kind = 'login' and value = new.login)))
  on conflict (domain, login) do update set queued = queued + 1;
  end;
CREATE TRIGGER lane_left after update of state, token on delivery
  when old.state = 'queued' and old.token is null and not (new.state = 'queued' and new.token is null) begin
    update lane set queued = queued - 1 where domain = old.domain and login = old.login;
    delete from lane where domain = old.domain and login = old.login and queued = 0;
  end;
COMMIT;
pragma user_version = 6;
pragma application_id = 1835233653;
