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
CREATE TABLE public.application_password (
    login text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    account text NOT NULL,
    name text NOT NULL,
    created_at bigint NOT NULL,
    used_at bigint
);
CREATE TABLE public.schema_version (
    part text NOT NULL,
    version integer NOT NULL
);
INSERT INTO public.application_password VALUES ('alice', '\x0707070707070707070707070707070707070707070707070707070707070707', 'laptop-1', '5d5c1d1e-0000-4000-8000-000000000001', 'laptop', 1767600000000, NULL);
INSERT INTO public.schema_version VALUES ('account', 1);
ALTER TABLE ONLY public.application_password
    ADD CONSTRAINT application_password_id_key UNIQUE (id);
ALTER TABLE ONLY public.application_password
    ADD CONSTRAINT application_password_pkey PRIMARY KEY (login, digest);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (part);
