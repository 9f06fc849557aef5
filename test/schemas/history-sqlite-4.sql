PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE canary (
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
  seconds real, report text not null default '',
  unique (probe, scheduled_at)
) strict, without rowid;
INSERT INTO canary VALUES('1MCC5RM00KQFXMJ3','relay/gmail-1','relay','gmail-1','gmail','plain','1MCC5RM00KQFXMJ3-TOKEN',1800000000000,1800000000100,1800001800000,'QUEUED','inbox','{"kind":"arrived","placement":"inbox","seconds":1,"arrivalSource":"internaldate","auth":{"spf":"absent","dkim":"absent","dmarc":"absent"}}',1800000002000,0,1.0,'');
INSERT INTO canary VALUES('1MCC5TEK0GPZ11TC','relay/gmail-1','relay','gmail-1','gmail','plain','1MCC5TEK0GPZ11TC-TOKEN',1800000060000,0,1800001860000,'','','',0,0,NULL,'');
CREATE TABLE sighting (
  canary text not null references canary (id) on delete cascade,
  seen_at integer not null,
  folder text not null,
  uid_validity text not null,
  uid integer not null,
  placement text not null,
  sighting text not null,
  primary key (canary, folder, uid_validity, uid)
) strict, without rowid;
INSERT INTO sighting VALUES('1MCC5RM00KQFXMJ3',1800000001000,'INBOX','1',1,'inbox','{"folder":"INBOX","placement":"inbox","uid":1,"uidValidity":"1","arrivedAt":1800000000000,"arrivalSource":"internaldate","seenAt":1800000001000,"auth":{"spf":"absent","dkim":"absent","dmarc":"absent"},"header":"Subject: x\r\n"}');
CREATE TABLE look (seed text primary key, look text not null) strict, without rowid;
INSERT INTO look VALUES('gmail-1','{"seed":"gmail-1","beganAt":1800000000000,"endedAt":1800000001000,"complete":true,"detail":""}');
CREATE TABLE cursor (
  seed text not null,
  folder text not null,
  uid_validity text not null,
  uid_next integer not null,
  primary key (seed, folder)
) strict, without rowid;
CREATE TABLE pause (probe text primary key, at integer not null, by text not null) strict, without rowid;
CREATE TABLE verdict_count (
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
INSERT INTO verdict_count VALUES(3600000,1800000000000,'relay','gmail','gmail-1','inbox',1,0);
INSERT INTO verdict_count VALUES(21600000,1799992800000,'relay','gmail','gmail-1','inbox',1,0);
INSERT INTO verdict_count VALUES(86400000,1799971200000,'relay','gmail','gmail-1','inbox',1,0);
CREATE TABLE arrival_count (
  span integer not null,
  since integer not null,
  provider text not null,
  class integer not null,
  n integer not null,
  primary key (span, since, provider, class)
) strict, without rowid;
INSERT INTO arrival_count VALUES(3600000,1800000000000,'gmail',0,1);
INSERT INTO arrival_count VALUES(21600000,1799992800000,'gmail',0,1);
INSERT INTO arrival_count VALUES(86400000,1799971200000,'gmail',0,1);
CREATE INDEX canary_undecided on canary (id) where label = '';
CREATE INDEX canary_tally on canary (scheduled_at, origin, provider, seed, label, late_at);
CREATE INDEX canary_arrival on canary (scheduled_at, origin, provider, label, submitted_at, seconds)
  where seconds is not null;
CREATE INDEX canary_decided on canary (decided_at, id, origin, provider, label, seconds) where label <> '';
CREATE INDEX canary_pair on canary (seed, scheduled_at, origin, content, provider, label);
CREATE INDEX canary_open on canary (probe) where label = '';
CREATE INDEX canary_seed on canary (seed, scheduled_at, label, origin, provider, seconds);
CREATE INDEX canary_label on canary (label, scheduled_at, seed, origin, provider);
COMMIT;
pragma user_version = 4;
pragma application_id = 0;
