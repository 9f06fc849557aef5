SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.arrival_count (
    span bigint NOT NULL,
    since bigint NOT NULL,
    provider text NOT NULL COLLATE pg_catalog."C",
    class integer NOT NULL,
    n bigint NOT NULL
);
CREATE TABLE public.canary (
    id text NOT NULL COLLATE pg_catalog."C",
    probe text NOT NULL COLLATE pg_catalog."C",
    origin text NOT NULL COLLATE pg_catalog."C",
    seed text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    content text NOT NULL,
    token text NOT NULL COLLATE pg_catalog."C",
    scheduled_at bigint NOT NULL,
    submitted_at bigint DEFAULT 0 NOT NULL,
    deadline_at bigint NOT NULL,
    queue_id text DEFAULT ''::text NOT NULL,
    label text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    verdict text DEFAULT ''::text NOT NULL,
    decided_at bigint DEFAULT 0 NOT NULL,
    late_at bigint DEFAULT 0 NOT NULL,
    seconds double precision,
    report text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.pause (
    probe text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    by text NOT NULL
);
CREATE TABLE public.schema_version (
    part text NOT NULL,
    version integer NOT NULL
);
CREATE TABLE public.seed_cursor (
    seed text NOT NULL COLLATE pg_catalog."C",
    folder text NOT NULL COLLATE pg_catalog."C",
    uid_validity text NOT NULL,
    uid_next bigint NOT NULL
);
CREATE TABLE public.seed_lease (
    seed text NOT NULL COLLATE pg_catalog."C",
    node text NOT NULL COLLATE pg_catalog."C",
    ends_at timestamp with time zone NOT NULL
);
CREATE TABLE public.seed_look (
    seed text NOT NULL COLLATE pg_catalog."C",
    look text NOT NULL
);
CREATE TABLE public.shared_key (
    name text NOT NULL COLLATE pg_catalog."C",
    key bytea NOT NULL
);
CREATE TABLE public.sighting (
    canary text NOT NULL COLLATE pg_catalog."C",
    seen_at bigint NOT NULL,
    folder text NOT NULL COLLATE pg_catalog."C",
    uid_validity text NOT NULL COLLATE pg_catalog."C",
    uid bigint NOT NULL,
    placement text NOT NULL COLLATE pg_catalog."C",
    sighting text NOT NULL
);
CREATE TABLE public.verdict_count (
    span bigint NOT NULL,
    since bigint NOT NULL,
    origin text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    seed text NOT NULL COLLATE pg_catalog."C",
    label text NOT NULL COLLATE pg_catalog."C",
    n bigint NOT NULL,
    late bigint NOT NULL
);
INSERT INTO public.arrival_count VALUES (3600000, 1800000000000, 'gmail', 0, 1);
INSERT INTO public.arrival_count VALUES (21600000, 1799992800000, 'gmail', 0, 1);
INSERT INTO public.arrival_count VALUES (86400000, 1799971200000, 'gmail', 0, 1);
INSERT INTO public.canary VALUES ('1MCC5RNYGV30TXRW', 'relay/gmail-1', 'relay', 'gmail-1', 'gmail', 'plain', '1MCC5RNYGV30TXRW-TOKEN', 1800000002000, 1800000000100, 1800001802000, 'QUEUED', 'inbox', '{"kind":"arrived","placement":"inbox","seconds":1,"arrivalSource":"internaldate","auth":{"spf":"absent","dkim":"absent","dmarc":"absent"}}', 1800000002000, 0, 1, '');
INSERT INTO public.canary VALUES ('1MCC5TEK034SAGZW', 'relay/gmail-1', 'relay', 'gmail-1', 'gmail', 'plain', '1MCC5TEK034SAGZW-TOKEN', 1800000060000, 0, 1800001860000, '', '', '', 0, 0, NULL, '');
INSERT INTO public.schema_version VALUES ('history', 4);
INSERT INTO public.seed_look VALUES ('gmail-1', '{"seed":"gmail-1","beganAt":1800000000000,"endedAt":1800000001000,"complete":true,"detail":""}');
INSERT INTO public.sighting VALUES ('1MCC5RNYGV30TXRW', 1800000001000, 'INBOX', '1', 1, 'inbox', '{"folder":"INBOX","placement":"inbox","uid":1,"uidValidity":"1","arrivedAt":1800000000000,"arrivalSource":"internaldate","seenAt":1800000001000,"auth":{"spf":"absent","dkim":"absent","dmarc":"absent"},"header":"Subject: x\r\n"}');
INSERT INTO public.verdict_count VALUES (3600000, 1800000000000, 'relay', 'gmail', 'gmail-1', 'inbox', 1, 0);
INSERT INTO public.verdict_count VALUES (21600000, 1799992800000, 'relay', 'gmail', 'gmail-1', 'inbox', 1, 0);
INSERT INTO public.verdict_count VALUES (86400000, 1799971200000, 'relay', 'gmail', 'gmail-1', 'inbox', 1, 0);
ALTER TABLE ONLY public.arrival_count
    ADD CONSTRAINT arrival_count_pkey PRIMARY KEY (span, since, provider, class);
ALTER TABLE ONLY public.canary
    ADD CONSTRAINT canary_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.canary
    ADD CONSTRAINT canary_probe_scheduled_at_key UNIQUE (probe, scheduled_at);
ALTER TABLE ONLY public.canary
    ADD CONSTRAINT canary_token_key UNIQUE (token);
ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (probe);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (part);
ALTER TABLE ONLY public.seed_cursor
    ADD CONSTRAINT seed_cursor_pkey PRIMARY KEY (seed, folder);
ALTER TABLE ONLY public.seed_lease
    ADD CONSTRAINT seed_lease_pkey PRIMARY KEY (seed);
ALTER TABLE ONLY public.seed_look
    ADD CONSTRAINT seed_look_pkey PRIMARY KEY (seed);
ALTER TABLE ONLY public.shared_key
    ADD CONSTRAINT shared_key_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.sighting
    ADD CONSTRAINT sighting_pkey PRIMARY KEY (canary, folder, uid_validity, uid);
ALTER TABLE ONLY public.verdict_count
    ADD CONSTRAINT verdict_count_pkey PRIMARY KEY (span, since, origin, provider, seed, label);
CREATE INDEX canary_decided ON public.canary USING btree (decided_at, id, origin, provider, label, seconds) WHERE (label <> ''::text);
CREATE INDEX canary_label ON public.canary USING btree (label, scheduled_at);
CREATE INDEX canary_open ON public.canary USING btree (probe) WHERE (label = ''::text);
CREATE INDEX canary_pair ON public.canary USING btree (seed, scheduled_at, origin, content, provider, label);
CREATE INDEX canary_seed ON public.canary USING btree (seed, scheduled_at);
CREATE INDEX canary_tally ON public.canary USING btree (scheduled_at, origin, provider, seed, label, late_at);
CREATE INDEX canary_undecided ON public.canary USING btree (id) WHERE (label = ''::text);
ALTER TABLE ONLY public.sighting
    ADD CONSTRAINT sighting_canary_fkey FOREIGN KEY (canary) REFERENCES public.canary(id) ON DELETE CASCADE;
