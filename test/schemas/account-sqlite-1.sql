PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE application_password (
  login text not null,
  digest blob not null,
  id text not null unique,
  account text not null,
  name text not null,
  created_at integer not null,
  used_at integer,
  primary key (login, digest)
) strict, without rowid;
INSERT INTO application_password VALUES('alice',X'0707070707070707070707070707070707070707070707070707070707070707','laptop-1','5d5c1d1e-0000-4000-8000-000000000001','laptop',1767600000000,NULL);
COMMIT;
pragma user_version = 1;
pragma application_id = 1835229539;
