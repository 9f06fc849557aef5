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
CREATE TABLE public.acquainted (
    login text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    last_at bigint NOT NULL
);
CREATE TABLE public.chunk (
    body uuid NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL
);
ALTER TABLE ONLY public.chunk ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE public.delivery (
    id bigint NOT NULL,
    message bigint NOT NULL,
    domain text NOT NULL COLLATE pg_catalog."C",
    login text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    kept text DEFAULT ''::text NOT NULL,
    due_at bigint NOT NULL,
    ready_at bigint NOT NULL,
    token text COLLATE pg_catalog."C",
    node text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    attempts integer DEFAULT 0 NOT NULL,
    indeterminate smallint DEFAULT 0 NOT NULL,
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'held'::text, 'ended'::text])))
);
ALTER TABLE public.delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.loose_body (
    body uuid NOT NULL,
    node text NOT NULL COLLATE pg_catalog."C",
    written_at timestamp with time zone NOT NULL
);
CREATE TABLE public.message (
    key bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    reverse_path text NOT NULL,
    eight_bit smallint NOT NULL,
    smtputf8 smallint NOT NULL,
    ret text,
    envid text,
    login text NOT NULL COLLATE pg_catalog."C",
    accepted_at bigint NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    size bigint NOT NULL,
    body uuid,
    ended_at bigint
);
ALTER TABLE public.message ALTER COLUMN key ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.message_key_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.queue_key (
    name text NOT NULL COLLATE pg_catalog."C",
    key bytea NOT NULL
);
CREATE TABLE public.recipient (
    message bigint NOT NULL,
    "position" integer NOT NULL,
    delivery bigint NOT NULL,
    address text NOT NULL,
    notify text,
    orcpt text,
    state text NOT NULL COLLATE pg_catalog."C",
    delay_reported smallint DEFAULT 0 NOT NULL,
    last_reply text,
    last_host text DEFAULT ''::text NOT NULL,
    CONSTRAINT recipient_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'bounced'::text, 'removed'::text])))
);
CREATE TABLE public.schema_version (
    part text NOT NULL,
    version integer NOT NULL
);
CREATE TABLE public.standing_hold (
    id bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C",
    set_at bigint NOT NULL,
    set_by text NOT NULL,
    lifted_at bigint,
    lifted_by text
);
ALTER TABLE public.standing_hold ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.standing_hold_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.timeline (
    id bigint NOT NULL,
    message bigint NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    domain text NOT NULL,
    host text NOT NULL,
    reply text NOT NULL,
    tls text NOT NULL,
    note text NOT NULL,
    recipients text
);
ALTER TABLE public.timeline ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.timeline_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.usage (
    login text NOT NULL COLLATE pg_catalog."C",
    step bigint NOT NULL,
    at bigint NOT NULL,
    messages bigint NOT NULL,
    recipients bigint NOT NULL,
    fresh bigint NOT NULL
);
INSERT INTO public.chunk VALUES ('c28900d6-a6e8-44d3-8e75-b11604d3dbed', 0, '\x5375626a6563743a2068656c6c6f0d0a0d0a68656c6c6f0d0a');
INSERT INTO public.delivery OVERRIDING SYSTEM VALUE VALUES (1, 1, 'example.net', 'alice', 'ended', '', 1767600001000, 1767600060000, NULL, 'node-1', 1, 0);
INSERT INTO public.delivery OVERRIDING SYSTEM VALUE VALUES (2, 2, 'example.com', 'alice', 'queued', '', 1767600300000, 1767600300000, NULL, 'node-1', 1, 0);
INSERT INTO public.message OVERRIDING SYSTEM VALUE VALUES (1, '1KE6JQ300E547NZ7', 'alice@example.org', 0, 0, NULL, NULL, 'alice', 1767600000000, '<1KE6JQ300E547NZ7@example.org>', 25, NULL, 1767600001000);
INSERT INTO public.message OVERRIDING SYSTEM VALUE VALUES (2, '1KE6JQ300E9F7XHH', 'alice@example.org', 0, 0, NULL, NULL, 'alice', 1767600000000, '<1KE6JQ300E9F7XHH@example.org>', 25, 'c28900d6-a6e8-44d3-8e75-b11604d3dbed', NULL);
INSERT INTO public.recipient VALUES (1, 0, 1, 'bob@example.net', NULL, NULL, 'delivered', 0, '{"code":250,"enhanced":"2.0.0","text":"Ok: queued as 4XY"}', 'mx.example.net');
INSERT INTO public.recipient VALUES (2, 0, 2, 'carol@example.com', NULL, NULL, 'queued', 0, '{"code":451,"enhanced":"4.7.1","text":"Greylisted"}', 'mx.example.net');
INSERT INTO public.recipient VALUES (2, 1, 2, 'dan@example.com', NULL, NULL, 'queued', 0, '{"code":451,"enhanced":"4.7.1","text":"Greylisted"}', 'mx.example.net');
INSERT INTO public.schema_version VALUES ('queue', 1);
INSERT INTO public.timeline OVERRIDING SYSTEM VALUE VALUES (1, 1, 1767600000000, 'accepted', '', '', '', '', '', NULL);
INSERT INTO public.timeline OVERRIDING SYSTEM VALUE VALUES (2, 1, 1767600001000, 'delivered', 'example.net', 'mx.example.net', '250 2.0.0 Ok: queued as 4XY', 'TLSv1.3', '', '[0]');
INSERT INTO public.timeline OVERRIDING SYSTEM VALUE VALUES (3, 2, 1767600000000, 'accepted', '', '', '', '', '', NULL);
INSERT INTO public.timeline OVERRIDING SYSTEM VALUE VALUES (4, 2, 1767600001000, 'deferred', 'example.com', 'mx.example.net', '451 4.7.1 Greylisted', '', '2 recipients', '[0,1]');
SELECT pg_catalog.setval('public.delivery_id_seq', 2, true);
SELECT pg_catalog.setval('public.message_key_seq', 2, true);
SELECT pg_catalog.setval('public.standing_hold_id_seq', 1, false);
SELECT pg_catalog.setval('public.timeline_id_seq', 4, true);
ALTER TABLE ONLY public.acquainted
    ADD CONSTRAINT acquainted_pkey PRIMARY KEY (login, digest);
ALTER TABLE ONLY public.chunk
    ADD CONSTRAINT chunk_pkey PRIMARY KEY (body, number);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.loose_body
    ADD CONSTRAINT loose_body_pkey PRIMARY KEY (body);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_id_key UNIQUE (id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.queue_key
    ADD CONSTRAINT queue_key_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.recipient
    ADD CONSTRAINT recipient_pkey PRIMARY KEY (message, "position");
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (part);
ALTER TABLE ONLY public.standing_hold
    ADD CONSTRAINT standing_hold_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.usage
    ADD CONSTRAINT usage_pkey PRIMARY KEY (login, step, at);
CREATE INDEX acquainted_last ON public.acquainted USING btree (login, last_at);
CREATE INDEX delivery_alive ON public.delivery USING btree (id) WHERE (state <> 'ended'::text);
CREATE INDEX delivery_domain ON public.delivery USING btree (domain, id) WHERE (state <> 'ended'::text);
CREATE INDEX delivery_leased ON public.delivery USING btree (node) WHERE (token IS NOT NULL);
CREATE INDEX delivery_login ON public.delivery USING btree (login, id) WHERE (state <> 'ended'::text);
CREATE INDEX delivery_message ON public.delivery USING btree (message);
CREATE INDEX delivery_ready ON public.delivery USING btree (domain, ready_at, login) WHERE (state = 'queued'::text);
CREATE INDEX message_alive ON public.message USING btree (accepted_at) WHERE (ended_at IS NULL);
CREATE INDEX message_ended ON public.message USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX message_header ON public.message USING btree (message_id, key) WHERE (message_id <> ''::text);
CREATE UNIQUE INDEX standing_hold_set ON public.standing_hold USING btree (kind, value) WHERE (lifted_at IS NULL);
CREATE INDEX timeline_message ON public.timeline USING btree (message, id);
CREATE INDEX usage_step ON public.usage USING btree (step, at);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_message_fkey FOREIGN KEY (message) REFERENCES public.message(key) ON DELETE CASCADE;
ALTER TABLE ONLY public.recipient
    ADD CONSTRAINT recipient_message_fkey FOREIGN KEY (message) REFERENCES public.message(key) ON DELETE CASCADE;
ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_message_fkey FOREIGN KEY (message) REFERENCES public.message(key) ON DELETE CASCADE;
