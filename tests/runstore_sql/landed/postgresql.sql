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
CREATE TABLE public.runstore_experiment (
    pk bigint NOT NULL,
    id character varying(255) NOT NULL COLLATE pg_catalog."C",
    name character varying(255) NOT NULL COLLATE pg_catalog."C",
    description text COLLATE pg_catalog."C",
    created_us bigint NOT NULL
);
CREATE VIEW public.experiments AS
 SELECT e.id,
    e.name,
    e.description,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((e.created_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(e.created_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS created_at
   FROM public.runstore_experiment e;
CREATE TABLE public.runstore_artifact (
    run_pk bigint NOT NULL,
    name character varying(255) NOT NULL COLLATE pg_catalog."C",
    artifact_type character varying(50) NOT NULL COLLATE pg_catalog."C",
    uri text NOT NULL COLLATE pg_catalog."C",
    sha256 character varying(64) COLLATE pg_catalog."C",
    size bigint,
    is_stored boolean NOT NULL,
    created_us bigint NOT NULL,
    metadata text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.runstore_run (
    pk bigint NOT NULL,
    id character varying(255) NOT NULL COLLATE pg_catalog."C",
    experiment_pk bigint NOT NULL,
    parent_pk bigint,
    name character varying(255) COLLATE pg_catalog."C",
    client_id character varying(255) COLLATE pg_catalog."C",
    training_mode character varying(50) NOT NULL COLLATE pg_catalog."C",
    status character varying(20) NOT NULL COLLATE pg_catalog."C",
    attempt integer NOT NULL,
    start_us bigint NOT NULL,
    end_us bigint,
    heartbeat_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    lease_s double precision NOT NULL,
    source_path text COLLATE pg_catalog."C",
    tags text NOT NULL COLLATE pg_catalog."C",
    provenance text NOT NULL COLLATE pg_catalog."C",
    failure text COLLATE pg_catalog."C"
)
WITH (fillfactor='70');
CREATE VIEW public.run_artifacts AS
 SELECT r.id AS run_id,
    a.name AS artifact_name,
    a.uri AS artifact_path,
    a.artifact_type,
    a.sha256,
    a.size,
    a.is_stored,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((a.created_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(a.created_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS created_at,
    a.metadata
   FROM (public.runstore_artifact a
     JOIN public.runstore_run r ON ((r.pk = a.run_pk)));
CREATE TABLE public.runstore_config_leaf (
    run_pk bigint NOT NULL,
    key character varying(512) NOT NULL COLLATE pg_catalog."C",
    kind character varying(10) NOT NULL COLLATE pg_catalog."C",
    number double precision,
    special smallint NOT NULL,
    head character varying(64) NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE VIEW public.run_configurations AS
 SELECT r.id AS run_id,
    l.key,
    l.value,
    l.kind AS value_type
   FROM (public.runstore_config_leaf l
     JOIN public.runstore_run r ON ((r.pk = l.run_pk)));
CREATE TABLE public.runstore_point (
    series_pk bigint NOT NULL,
    step bigint NOT NULL,
    value double precision NOT NULL,
    logged_at_us bigint NOT NULL
);
CREATE TABLE public.runstore_series (
    pk bigint NOT NULL,
    run_pk bigint NOT NULL,
    name character varying(255) NOT NULL COLLATE pg_catalog."C",
    dataset_type character varying(10) NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    non_finite_count bigint NOT NULL,
    first_step bigint NOT NULL,
    first_value double precision,
    first_special smallint NOT NULL,
    last_step bigint NOT NULL,
    last_value double precision,
    last_special smallint NOT NULL,
    min_step bigint,
    min_value double precision,
    min_special smallint,
    max_step bigint,
    max_value double precision,
    max_special smallint
)
WITH (fillfactor='70');
CREATE VIEW public.run_metrics AS
 SELECT r.id AS run_id,
    s.name AS metric_name,
    p.value AS metric_value,
    p.step,
    s.dataset_type,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((p.logged_at_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(p.logged_at_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS logged_at,
        CASE p.value
            WHEN 'NaN'::double precision THEN 'nan'::text
            WHEN 'Infinity'::double precision THEN 'inf'::text
            WHEN '-Infinity'::double precision THEN '-inf'::text
            ELSE NULL::text
        END AS non_finite
   FROM ((public.runstore_point p
     JOIN public.runstore_series s ON ((s.pk = p.series_pk)))
     JOIN public.runstore_run r ON ((r.pk = s.run_pk)));
CREATE VIEW public.runs AS
 SELECT r.id,
    e.id AS experiment_id,
    parent.id AS parent_run_id,
    r.client_id,
    r.name,
    r.training_mode,
        CASE
            WHEN (((r.status)::text = 'in_progress'::text) AND (r.expires_us < ((EXTRACT(epoch FROM clock_timestamp()) * (1000000)::numeric))::bigint)) THEN 'lost'::character varying
            ELSE r.status
        END AS status,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((r.start_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(r.start_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS start_time,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((r.end_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(r.end_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS end_time,
    r.source_path,
    r.attempt,
    (('1970-01-01 00:00:00+00'::timestamp with time zone + (((r.heartbeat_us / 1000000))::double precision * '00:00:01'::interval)) + ((mod(r.heartbeat_us, (1000000)::bigint))::double precision * '00:00:00.000001'::interval)) AS heartbeat_at,
    r.lease_s,
    r.tags,
    r.provenance,
    r.failure
   FROM ((public.runstore_run r
     JOIN public.runstore_experiment e ON ((e.pk = r.experiment_pk)))
     LEFT JOIN public.runstore_run parent ON ((parent.pk = r.parent_pk)));
CREATE TABLE public.runstore_alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.runstore_blob (
    pk bigint NOT NULL,
    sha256 character varying(64) COLLATE pg_catalog."C",
    size bigint NOT NULL,
    created_us bigint NOT NULL
);
CREATE TABLE public.runstore_blob_chunk (
    blob_pk bigint NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL
);
CREATE SEQUENCE public.runstore_blob_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runstore_blob_pk_seq OWNED BY public.runstore_blob.pk;
CREATE TABLE public.runstore_config (
    run_pk bigint NOT NULL,
    document text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.runstore_experiment_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runstore_experiment_pk_seq OWNED BY public.runstore_experiment.pk;
CREATE SEQUENCE public.runstore_run_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runstore_run_pk_seq OWNED BY public.runstore_run.pk;
CREATE TABLE public.runstore_schema (
    pk smallint NOT NULL,
    version integer NOT NULL,
    min_reader integer NOT NULL,
    min_writer integer NOT NULL,
    written_by character varying(64) NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.runstore_series_pk_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runstore_series_pk_seq OWNED BY public.runstore_series.pk;
CREATE TABLE public.runstore_tag (
    run_pk bigint NOT NULL,
    key character varying(255) NOT NULL COLLATE pg_catalog."C",
    head character varying(64) NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
ALTER TABLE ONLY public.runstore_blob ALTER COLUMN pk SET DEFAULT nextval('public.runstore_blob_pk_seq'::regclass);
ALTER TABLE ONLY public.runstore_experiment ALTER COLUMN pk SET DEFAULT nextval('public.runstore_experiment_pk_seq'::regclass);
ALTER TABLE ONLY public.runstore_run ALTER COLUMN pk SET DEFAULT nextval('public.runstore_run_pk_seq'::regclass);
ALTER TABLE ONLY public.runstore_series ALTER COLUMN pk SET DEFAULT nextval('public.runstore_series_pk_seq'::regclass);
INSERT INTO public.runstore_alembic_version VALUES ('0001');
INSERT INTO public.runstore_artifact VALUES (1, 'weights.bin', 'file', 'database:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c', '9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c', 7, true, 1795944893915927, '{"epoch":3,"score":{"$float":"inf"}}');
INSERT INTO public.runstore_artifact VALUES (2, 'films/a.txt', 'folder', 'database:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 1, true, 1795944893964455, '{}');
INSERT INTO public.runstore_artifact VALUES (2, 'far', 'file', 's3://bucket/key', NULL, NULL, false, 1795944894007069, '{}');
INSERT INTO public.runstore_blob VALUES (1, '9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c', 7, 1795944893920482);
INSERT INTO public.runstore_blob VALUES (2, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 1, 1795944893973295);
INSERT INTO public.runstore_blob_chunk VALUES (1, 0, '\x77656967687473');
INSERT INTO public.runstore_blob_chunk VALUES (2, 0, '\x61');
INSERT INTO public.runstore_config VALUES (1, '{"lr":0.002,"nan":{"$float":"nan"},"big":1180591620717411303424,"model":{"depth":18,"a.b":[1,null]},"on":true,"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}');
INSERT INTO public.runstore_config VALUES (2, '{"lr":-0.0}');
INSERT INTO public.runstore_config_leaf VALUES (1, 'nan', 'float', NULL, 2, 'nan', 'nan');
INSERT INTO public.runstore_config_leaf VALUES (1, 'big', 'int', 1.1805916207174113e+21, 0, '1180591620717411303424', '1180591620717411303424');
INSERT INTO public.runstore_config_leaf VALUES (1, 'model.depth', 'int', 18, 0, '18', '18');
INSERT INTO public.runstore_config_leaf VALUES (1, 'model.a\.b', 'list', NULL, 0, '[1,null]', '[1,null]');
INSERT INTO public.runstore_config_leaf VALUES (1, 'lr', 'float', 0.002, 0, '0.002', '0.002');
INSERT INTO public.runstore_config_leaf VALUES (1, 'on', 'bool', 1, 0, 'true', 'true');
INSERT INTO public.runstore_config_leaf VALUES (1, 'text', 'str', NULL, 0, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
INSERT INTO public.runstore_config_leaf VALUES (2, 'lr', 'float', 0, 3, '-0.0', '-0.0');
INSERT INTO public.runstore_experiment VALUES (1, 'd06e8343-411e-5183-9437-cb2487a70cf1', 'first', 'Größe
zwei', 1795944893657238);
INSERT INTO public.runstore_experiment VALUES (2, '609710ca-60be-5646-98d6-1ecb2cfd7c3d', 'second', NULL, 1795944893668631);
INSERT INTO public.runstore_point VALUES (1, 0, 'NaN', 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 1, 'Infinity', 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 2, '-Infinity', 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 3, '-0', 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 4, 5e-324, 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 5, 1.7976931348623157e+308, 1767323045678901);
INSERT INTO public.runstore_point VALUES (1, 6, 0.1, 1767323045678901);
INSERT INTO public.runstore_point VALUES (2, 3, 'NaN', 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 0, 0, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1, 0.8414709848078965, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 2, 0.9092974268256817, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 3, 0.1411200080598672, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 4, -0.7568024953079282, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 5, -0.9589242746631385, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 6, -0.27941549819892586, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 8, 0.9893582466233818, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 9, 0.4121184852417566, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 10, -0.5440211108893698, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 11, -0.9999902065507035, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 12, -0.5365729180004349, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 13, 0.4201670368266409, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 14, 0.9906073556948704, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 15, 0.6502878401571168, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 16, -0.2879033166650653, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 17, -0.9613974918795568, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 18, -0.750987246771676, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 19, 0.14987720966295234, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 20, 0.9129452507276277, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 21, 0.8366556385360561, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 22, -0.008851309290403876, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 23, -0.8462204041751706, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 24, -0.9055783620066239, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 25, -0.13235175009777303, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 26, 0.7625584504796027, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 27, 0.956375928404503, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 28, 0.27090578830786904, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 29, -0.6636338842129675, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 30, -0.9880316240928618, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 31, -0.404037645323065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 32, 0.5514266812416906, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 33, 0.9999118601072672, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 34, 0.5290826861200238, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 35, -0.428182669496151, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 36, -0.9917788534431158, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 37, -0.6435381333569995, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 38, 0.2963685787093853, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 39, 0.9637953862840878, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 40, 0.7451131604793488, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 41, -0.158622668804709, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 42, -0.9165215479156338, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 43, -0.8317747426285983, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 44, 0.017701925105413577, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 45, 0.8509035245341184, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 46, 0.9017883476488092, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 47, 0.123573122745224, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 48, -0.7682546613236668, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 49, -0.9537526527594719, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 50, -0.26237485370392877, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 51, 0.6702291758433747, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 52, 0.9866275920404853, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 53, 0.39592515018183416, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 54, -0.5587890488516163, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 55, -0.9997551733586199, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 56, -0.5215510020869119, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 57, 0.43616475524782494, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 58, 0.9928726480845371, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 59, 0.6367380071391379, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 60, -0.3048106211022167, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 61, -0.9661177700083929, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 62, -0.7391806966492228, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 63, 0.16735570030280691, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 64, 0.9200260381967906, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 65, 0.8268286794901034, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 66, -0.026551154023966794, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 67, -0.8555199789753223, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 68, -0.8979276806892913, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 69, -0.11478481378318722, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 70, 0.7738906815578891, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 71, 0.9510546532543747, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 72, 0.25382336276203626, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 73, -0.6767719568873076, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 74, -0.9851462604682474, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 75, -0.38778163540943045, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 76, 0.5661076368981803, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 77, 0.9995201585807313, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 78, 0.5139784559875352, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 79, -0.4441126687075084, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 80, -0.9938886539233752, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 81, -0.6298879942744539, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 82, 0.31322878243308516, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 83, 0.9683644611001854, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 84, 0.7331903200732922, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 85, -0.1760756199485871, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 86, -0.9234584470040598, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 87, -0.8218178366308225, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 88, 0.03539830273366068, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 89, 0.8600694058124533, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 90, 0.8939966636005579, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 91, 0.10598751175115685, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 92, -0.7794660696158047, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 93, -0.9482821412699473, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 94, -0.24525198546765434, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 95, 0.683261714736121, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 96, 0.9835877454343449, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 97, 0.3796077390275217, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 98, -0.5733818719904229, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 99, -0.9992068341863537, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 100, -0.5063656411097588, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 101, 0.45202578717835057, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 102, 0.9948267913584063, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 103, 0.6229886314423488, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 104, -0.32162240316253093, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 105, -0.9705352835374847, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 106, -0.7271425000808526, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 107, 0.18478174456066745, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 108, 0.926818505417785, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 109, 0.8167426066363169, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 110, -0.044242678085070965, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 111, -0.8645514486106083, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 112, -0.8899956043668333, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 113, -0.09718190589320902, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 114, 0.7849803886813105, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 115, 0.9454353340247703, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 116, 0.23666139336428604, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 117, -0.689697940935389, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 118, -0.9819521690440836, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 119, -0.3714041014380902, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 120, 0.5806111842123143, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 121, 0.9988152247235795, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 122, 0.4987131538963941, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 123, -0.45990349068959124, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 124, -0.9956869868891794, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 125, -0.6160404591886565, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 126, 0.329990825673782, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 127, 0.972630067242408, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 128, 0.7210377105017316, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 129, -0.19347339203846847, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 130, -0.9301059501867618, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 131, -0.8116033871367004, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 132, 0.05308358714605824, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 133, 0.8689657562142357, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 134, 0.8859248164599484, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 135, 0.08836868610400143, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 136, -0.7904332067228887, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 137, -0.9425144545582509, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 138, -0.2280522595008612, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 139, 0.6960801312247415, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 140, 0.9802396594403116, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 141, 0.363171365373259, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 142, -0.5877950071674065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 143, -0.9983453608739179, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 144, -0.49102159389846933, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 145, 0.4677451620451334, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 146, 0.9964691731217737, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 147, 0.6090440218832924, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 148, -0.3383333943242765, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 149, -0.9746486480944947, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 150, -0.7148764296291646, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 151, 0.20214988141565363, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 152, 0.933320523748862, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 153, 0.8064005807754863, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 154, -0.06192033725605731, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 155, -0.8733119827746476, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 156, -0.8817846188147811, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 157, -0.0795485428747221, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 158, 0.7958240965274552, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 159, 0.9395197317131483, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 160, 0.21942525837900473, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 161, -0.702407785577371, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 162, -0.9784503507933796, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 163, -0.35491017584493534, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 164, 0.5949327780232085, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 165, 0.9977972794498907, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 166, 0.48329156372825655, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 167, -0.47555018687189876, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 168, -0.9971732887740798, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 169, -0.6019998676776046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 170, 0.3466494554970303, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 171, 0.9765908679435658, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 172, 0.7086591401823227, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 173, -0.2108105329134813, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 174, -0.9364619742512132, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 175, -0.8011345951780408, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 176, 0.07075223608034517, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 177, 0.8775897877771157, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 178, 0.8775753358042688, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 179, 0.07072216723899125, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 180, -0.8011526357338304, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 181, -0.936451400117644, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 182, -0.21078106590019152, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 183, 0.7086804082392084, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 184, 0.9765843832906294, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 185, 0.346621180094276, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 186, -0.6020239375552833, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 187, -0.997171023392149, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 188, -0.47552366901205834, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 189, 0.48331795366796265, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 190, 0.9977992786806003, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 191, 0.594908548461427, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 192, -0.3549383576518463, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 193, -0.9784565746221131, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 194, -0.7023863292684921, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 195, 0.21945466799406363, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 196, 0.9395300555699313, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 197, 0.7958058429196471, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 198, -0.07957859166428352, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 199, -0.8817988360675502, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 200, -0.8732972972139946, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 201, -0.06189025071872073, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 202, 0.8064184068658303, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 203, 0.9333097001669604, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 204, 0.2021203593127912, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 205, -0.7148975077677643, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 206, -0.97464190312541, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 207, -0.3383050275409778, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 208, 0.6090679301910603, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 209, 0.9964666417661079, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 210, 0.46771851834275896, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 211, -0.491047853850463, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 212, -0.9983470937967718, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 213, -0.5877706198198406, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 214, 0.36319945137636067, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 215, 0.9802456219572225, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 216, 0.6960584883449115, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 217, -0.22808160941352784, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 218, -0.9425245273294025, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 219, -0.7904147414931815, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 220, 0.08839871248753149, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 221, 0.8859387978787574, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 222, 0.8689508382163493, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 223, 0.05305348526993529, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 224, -0.8116209973649744, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 225, -0.9300948780045254, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 226, -0.19344381715900788, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 227, 0.7210585970706318, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 228, 0.9726230624856244, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 229, 0.3299623697323973, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 230, -0.6160642040533645, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 231, -0.9956841897581032, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 232, -0.4598767232321427, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 233, 0.49873928180328125, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 234, 0.9988166912028082, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 235, 0.5805866409896447, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 236, -0.37143208943692263, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 237, -0.9819578697820255, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 238, -0.6896761131802671, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 239, 0.2366906812750767, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 240, 0.9454451549211168, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 241, 0.7849617132764033, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 242, -0.09721190751822432, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 243, -0.8900093488562771, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 244, -0.8645362993442719, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 245, -0.04421256322855966, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 246, 0.8167599996228085, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 247, 0.9268071855026884, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 248, 0.184752119221718, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 249, -0.727163193443649, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 250, -0.9705280195418053, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 251, -0.3215938602925038, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 252, 0.623012211003653, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 253, 0.9948237286710673, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 254, 0.45199889806298343, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 255, -0.5063916349244909, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 256, -0.9992080341070627, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 257, -0.5733571748155426, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 258, 0.37963562682930313, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 259, 0.9835931839466808, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 260, 0.6832397038158508, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 261, -0.24528120908194284, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 262, -0.9482917095220488, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 263, -0.7794471854988634, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 264, 0.10601748626711377, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 265, 0.8940101700837942, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 266, 0.8600540264645697, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 267, 0.035368177256176046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 268, -0.8218350110128397, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 269, -0.9234468802429867, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 270, -0.1760459464712114, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 271, 0.7332108186087175, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 272, 0.9683569384347241, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 273, 0.3132001548706699, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 274, -0.6299114066849614, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 275, -0.9938853259197261, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 276, -0.4440856600409099, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 277, 0.5140043136735694, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 278, 0.99952109184891, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 279, 0.5660827877060441, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 280, -0.3878094208292295, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 281, -0.9851514363288851, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 282, -0.6767497645263835, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 283, 0.253852519790234, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 284, 0.9510639681125854, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 285, 0.7738715902084317, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 286, -0.11481475884166603, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 287, -0.8979409481081247, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 288, -0.8555043707508208, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 289, -0.026521020285755953, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 290, 0.8268456339220814, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 291, 0.9200142254959646, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 292, 0.16732598101183924, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 293, -0.739200998751274, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 294, -0.9661099892625297, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 295, -0.30478191109030295, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 296, 0.6367612505645516, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 297, 0.992869055025318, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 298, 0.43613762914604876, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 299, -0.5215767216183704, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 300, -0.9997558399011495, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 301, -0.5587640495890891, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 302, 0.39595283104274065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 303, 0.9866325048439105, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 304, 0.6702068037805061, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 305, -0.2624039418616639, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 306, -0.9537617134939987, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 307, -0.7682353642374472, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 308, 0.12360303600011291, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 309, 0.9018013749637745, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 310, 0.8508876886558596, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 311, 0.01767178546737087, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 312, -0.8317914757822045, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 313, -0.9165094902005468, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 314, -0.15859290602857282, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 315, 0.7451332645574127, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 316, 0.9637873480674221, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 317, 0.2963397884973224, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 318, -0.6435612059762619, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 319, -0.9917749956098326, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 320, -0.42815542808445156, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 321, 0.5291082654818533, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 322, 0.9999122598719259, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 323, 0.551401533867395, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 324, -0.4040652194563607, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 325, -0.9880362734541701, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 326, -0.6636113342009432, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 327, 0.2709348053161655, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 328, 0.9563847343054627, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 329, 0.7625389491684939, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 330, -0.13238162920545193, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 331, -0.9055911481970673, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 332, -0.8462043418838514, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 333, -0.008821166113885877, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 334, 0.8366721491002946, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 335, 0.9129329489429682, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 336, 0.14984740573347818, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 337, -0.7510071512506543, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 338, -0.9613891968218607, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 339, -0.2878744485084861, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 340, 0.6503107401625525, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 341, 0.9906032333897737, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 342, 0.4201396822393068, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 343, -0.5365983551885637, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 344, -0.9999903395061709, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 345, -0.5439958173735323, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 346, 0.412145950487085, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 347, 0.9893626321783087, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 348, 0.6569638725243397, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 349, -0.27944444178438205, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 350, -0.9589328250406132, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 351, -0.7567827912998033, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 352, 0.14114985067939137, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 353, 0.9093099708898409, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 354, 0.8414546973619527, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 355, -3.014435335948845e-05, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 356, -0.8414872714892108, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 357, -0.9092848819352602, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 358, -0.14109016531210986, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 359, 0.7568221986283603, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 360, 0.9589157234143065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 361, 0.2793865543595699, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 362, -0.6570093243162466, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 363, -0.9893538601694428, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 364, -0.41209101962194344, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 365, 0.5440464039108651, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 366, 0.9999900726865629, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 367, 0.5365474803247321, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 368, -0.42019439103217676, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 369, -0.9906114770998198, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 370, -0.6502649395607762, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 371, 0.28793218456003195, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 372, 0.9614057860636483, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 373, 0.7509673416102893, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 374, -0.14990701345623575, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 375, -0.9129575516827102, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 376, -0.8366391272115635, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 377, 0.00888145245887885, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 378, 0.8462364656975445, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 379, 0.9055655749932976, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 380, 0.13232187086982847, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 381, -0.7625779510977885, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 382, -0.9563671216345017, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 383, -0.27087677105340535, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 384, 0.6636564336219596, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 385, 0.9880269738337468, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 386, 0.4040100708226276, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 387, -0.5514518281149147, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 388, -0.9999114594340064, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 389, -0.5290571062774264, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 390, 0.42820991051876856, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 391, 0.9917827103751873, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 392, 0.6435150601529656, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 393, -0.2963973686521434, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 394, -0.9638034236249698, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 395, -0.745093055724214, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 396, 0.15865243143670757, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 397, 0.916533604797894, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 398, 0.8317580087191733, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 399, -0.017732064727370864, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 400, -0.8509193596391765, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 401, -0.9017753195144049, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 402, -0.12354320937804643, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 403, 0.7682739577117872, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 404, 0.953743591158287, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 405, 0.26234576530777837, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 406, -0.6702515472972181, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 407, -0.9866226783405293, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 408, -0.39589746896115763, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 409, 0.5588140476063818, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 410, 0.9997545059076306, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 411, 0.5215252820815293, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 412, -0.43619188095326605, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 413, -0.9928762402415507, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 414, -0.6367147631351318, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 415, 0.30483933083715453, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 416, 0.9661255498763623, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 417, 0.7391603938754915, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 418, -0.1673854194417015, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 419, -0.9200378500616057, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 420, -0.8268117243068012, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 421, 0.02658128773805108, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 422, 0.8555355864224282, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 423, 0.8979144124545271, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 424, 0.1147548686204055, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 425, -0.773909772204126, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 426, -0.9510453375319575, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 427, -0.2537942055031938, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 428, 0.6767941486332613, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 429, 0.9851410837124249, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 430, 0.38775384963726117, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 431, -0.5661324855759046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 432, -0.9995192244043064, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 433, -0.5139525978344581, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 434, 0.4441396769705497, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 435, 0.9938919810238954, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 436, 0.6298645812915785, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 437, -0.31325740971087507, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 438, -0.9683719828857112, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 439, -0.73316982087163, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 440, 0.176105293265966, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 441, 0.9234700129260028, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 442, 0.8218006615020342, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 443, -0.035428428178979524, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 444, -0.8600847843788071, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 445, -0.8939831563049628, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 446, -0.10595753713889097, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 447, 0.7794849530244592, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 448, 0.9482725721561587, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 449, 0.2452227616305097, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 450, -0.6832837250355236, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 451, -0.9835823060282404, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 452, -0.3795798508807975, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 453, 0.5734065686442813, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 454, 0.9992056333576834, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 455, 0.5063396468349013, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 456, -0.45205267588297, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 457, -0.9948298531417643, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 458, -0.6229650513149461, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 459, 0.32165094574030556, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 460, 0.970542546651256, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 461, 0.7271218060573149, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 462, -0.18481136973170906, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 463, -0.9268298244906983, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 464, -0.816725212907666, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 465, 0.04427279290137974, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 466, 0.8645665970913422, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 467, 0.8899818590686664, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 468, 0.09715190417988626, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 469, -0.7849990633729202, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 470, -0.9454255122693237, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 471, -0.2366321052384454, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 472, 0.689719768063795, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 473, 0.9819464674138593, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 474, 0.3713761131017696, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 475, -0.580635726907393, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 476, -0.9988137573367454, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 477, -0.4986870255363352, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 478, 0.45993025772913376, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 479, 0.9956897831154927, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 480, 0.6160167137641636, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 481, -0.33001928131531005, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 482, -0.9726370711153801, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 483, -0.7210168232776373, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 484, 0.19350296674212325, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 485, 0.9301170215238276, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 486, 0.8115857761709371, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 487, -0.053113688973945104, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 488, -0.8689806734225085, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 489, -0.8859108342361154, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 490, -0.08833865964017233, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 491, 0.7904516712343437, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 492, 0.9425043809306535, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 493, 0.22802290938096753, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 494, -0.6961017734720562, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 495, -0.9802336960326743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 496, -0.36314327904015004, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 497, 0.5878193939808536, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 498, 0.9983436270438855, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 499, 0.4909953335002932, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 500, -0.46777180532247614, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 501, -0.9964717035719659, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 502, -0.6090201130220971, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 503, 0.33836176080013775, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 504, 0.9746553921779337, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 505, 0.7148553508409695, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 506, -0.20217940333482604, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 507, -0.9333313464826719, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 508, -0.8063827539523805, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 509, 0.061950423737127995, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 510, 0.8733266675417377, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 511, 0.8817704007607503, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 512, 0.07951849401287635, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 513, -0.7958423494121123, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 514, -0.9395094070026404, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 515, -0.21939584856455807, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 516, 0.7024292412479847, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 517, 0.9784441260755459, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 518, 0.35488199371552387, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 519, -0.5949570070443855, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 520, -0.9977952793125009, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 521, -0.483265173349392, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 522, 0.4755767042996153, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 523, 0.9971755532498972, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 524, 0.6019757972528995, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 525, -0.34667773058479046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 526, -0.9765973517090915, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 527, -0.708637871481491, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 528, 0.21083999973521134, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 529, 0.9364725475338364, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 530, 0.8011165538942744, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 531, -0.07078230485740782, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 532, -0.8776042389525125, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 533, -0.877560883033985, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 534, -0.07069209833337335, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 535, 0.8011706755616272, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 536, 0.9364408251331382, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 537, 0.21075159869536877, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 538, -0.708701675652129, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 539, -0.9765778977502884, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 540, -0.34659290437655327, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 541, 0.6020480068859135, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 542, 0.9971687571041068, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 543, 0.47549715072011806, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 544, -0.48334434316848646, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 545, -0.9978012770046274, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 546, -0.5948843183590627, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 547, 0.35496653913623116, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 548, 0.9784627975617406, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 549, 0.7023648723213674, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 550, -0.219484077409708, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 551, -0.9395403785729803, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 552, -0.7957875885887045, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 553, 0.0796086403815333, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 554, 0.8818130525190443, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 555, 0.873282610859792, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 556, 0.061860164125145584, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 557, -0.8064362322233966, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 558, -0.9332988757369771, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 559, -0.20209083702626568, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 560, 0.7149185852567496, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 561, 0.9746351572706857, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 562, 0.33827666045026744, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 563, -0.6090918379453792, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 564, -0.9964641095049708, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 565, -0.46769187421537717, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 566, 0.4910741133562503, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 567, 0.9983488258124457, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 568, 0.587746231938178, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 569, -0.36322753704942956, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 570, -0.9802515835834019, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 571, -0.6960368448325855, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 572, 0.22811095911894086, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 573, 0.9425345992440989, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 574, 0.7903962755452384, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 575, -0.08842873879073523, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 576, -0.8859527784925297, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 577, -0.8689359194288628, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 578, -0.053023383345603574, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 579, 0.811638606855743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 580, 0.9300838049771285, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 581, 0.19341424210376837, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 582, -0.7210794829843191, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 583, -0.9726160568450356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 584, -0.32993391349118173, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 585, 0.616087948358266, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 586, 0.9956813917222668, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 587, 0.4598499553568124, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 588, -0.49876540925697305, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 589, -0.9988181567744302, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 590, -0.5805620972394064, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 591, 0.37146007709824136, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 592, 0.9819635696276799, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 593, 0.6896542847984487, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 594, -0.23671996897079078, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 595, -0.9454549749583542, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 596, -0.7849430371582153, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 597, 0.09724190905490493, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 598, 0.8900230925369855, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 599, 0.864521149292347, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 600, 0.044182448331873195, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 601, -0.816777391867125, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 602, -0.9267958647454188, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 603, -0.18472249371488758, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 604, 0.7271838861456853, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 605, 0.9705207546642247, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 606, 0.3215653171302501, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 607, -0.6230357899988371, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 608, -0.9948206650797496, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 609, -0.451972008536893, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 610, 0.506417628279074, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 611, 0.9992092331198094, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 612, 0.5733324771196631, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 613, -0.37966351428611655, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 614, -0.9835986215652434, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 615, -0.683217692274733, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 616, 0.24531043247334874, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 617, 0.9483012769124547, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 618, 0.7794283006736524, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 619, -0.10604746068673451, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 620, -0.8940236757546595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 621, -0.8600386463351707, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 622, -0.03533805174655298, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 623, 0.8218521846480703, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 624, 0.923435312642794, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 625, 0.17601627283386595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 626, -0.7332313164778873, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 627, -0.9683494148893343, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 628, -0.31317152702365525, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 629, 0.6299348185230796, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 630, 0.9938819970129513, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 631, 0.4440586509707787, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 632, -0.514030170892537, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 633, -0.9995220242088421, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 634, -0.5660579379995188, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 635, 0.38783720589663306, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 636, 0.9851566112943334, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 637, 0.6767275715505089, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 638, -0.2538816765877605, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 639, -0.9510732821065815, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 640, -0.773852498155771, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 641, 0.11484470379581474, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 642, 0.8979542147110153, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 643, 0.8554887617489377, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 644, 0.026490886523445938, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 645, -0.8268625876027196, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 646, -0.920002411959138, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 647, -0.1672962615688254, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 648, 0.7392213001816265, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 649, 0.9661022076387795, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 650, 0.3047532008014393, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 651, -0.6367844934113518, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 652, -0.9928654610638965, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 653, -0.43611050264796214, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 654, 0.5216024406758817, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 655, 0.999756505535219, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 656, 0.5587390498188232, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 657, -0.3959805115438519, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 658, -0.9866374167508005, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 659, -0.6701844311086327, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 660, 0.2624330297809573, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 661, 0.9537707733618594, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 662, 0.7682160664531459, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 663, -0.12363294914268595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 664, -0.9018144014592891, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 665, -0.8508718520044144, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 666, -0.01764164581327013, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 667, 0.8318082081799767, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 668, 0.9164974316526442, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 669, 0.15856314310832614, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 670, -0.7451533679583873, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 671, -0.9637793089749802, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 672, -0.2963109980159809, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 673, 0.6435842780107317, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 674, 0.9917711368753414, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 675, 0.428128186283695, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 676, -0.5291338443628917, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 677, -0.9999126587279824, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 678, -0.5513763859920506, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 679, 0.40409279322248953, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 680, 0.9880409219176677, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 681, 0.6635887835859072, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 682, -0.27096382207826836, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 683, -0.9563935393373727, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 684, -0.7625194471644794, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 685, 0.13241150819283803, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 686, 0.9056039335646163, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 687, 0.8461882788236016, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 688, 0.008791022929352243, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 689, -0.8366886589042641, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 690, -0.912920646328743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 691, -0.1498176016678404, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 692, 0.7510270550472058, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 693, 0.9613809008905675, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 694, 0.2878455800903205, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 695, -0.6503336395770626, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 696, -0.9905991101845337, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 697, -0.42011232727019937, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 698, 0.5366237918890951, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 699, 0.999990471552965, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 700, 0.5439705233633756, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 701, -0.4121734153579038, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 702, -0.9893670168342196, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 703, -0.6569411457329191, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 704, 0.279473385115912, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 705, 0.9589413745467228, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 706, 0.7567630866040035, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 707, -0.1411796931706552, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 708, -0.9093225141277265, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 709, -0.8414384091513941, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 710, 6.0288706691585265e-05, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 711, 0.8415035574058807, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 712, 0.9092723362185879, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 713, 0.14106032243614638, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 714, -0.7568419012610816, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 715, -0.9589071712941251, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 716, -0.2793576102663403, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 717, 0.6570320493166915, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 718, 0.9893494728164958, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 719, 0.41206355362767066, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 720, -0.5440716964379951, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 721, -0.9999899379137492, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 722, -0.536522042161478, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 723, 0.42022174485588953, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 724, 0.9906155976046185, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 725, 0.6502420383735517, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 726, -0.28796105219335977, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 727, -0.9614140793741277, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 728, -0.750947435766512, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 729, 0.14993681711330134, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 730, 0.9129698518082046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 731, 0.8366226151268321, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 732, -0.008911595619283405, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 733, -0.8462525264509585, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 734, -0.9055527871571002, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 735, -0.1322919915216454, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 736, 0.7625974510230334, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 737, 0.9563583139954668, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 738, 0.2708477535528008, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 739, -0.663678982427899, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 740, -0.9880223226768295, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 741, -0.40398249595507346, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 742, 0.5514769744870444, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 743, 0.9999110578521441, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 744, 0.5290315259540843, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 745, -0.42823715115227945, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 746, -0.9917865664060436, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 747, -0.643491986364181, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 748, 0.29642615832557057, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 749, 0.963811460090061, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 750, 0.7450729502920265, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 751, -0.15868219392454155, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 752, -0.9165456608473167, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 753, -0.8317412740539448, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 754, 0.01776220433321534, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 755, 0.8509351939710194, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 756, 0.9017622905605737, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 757, 0.12351329589860735, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 758, -0.7682932534017909, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 759, -0.9537345286904526, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 760, -0.26231667667323905, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 761, 0.670273918142016, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 762, 0.986617763744047, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 763, 0.39586978738073614, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 764, -0.5588390458533631, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 765, -0.9997538375481824, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 766, -0.521499561602246, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 767, 0.43621900626234744, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 768, 0.9928798314963556, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 769, 0.6366915185525545, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 770, -0.30486804029509035, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 771, -0.9661333288664309, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 772, -0.7391400904300984, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 773, 0.16741513842849595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 774, 0.9200496610903988, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 775, 0.8267947683721899, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 776, -0.026611421427981424, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 777, -0.8555511930921242, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 778, -0.8979011434038441, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 779, -0.11472492335334811, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 780, 0.773928862147125, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 781, 0.9510360209453427, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 782, 0.2537650480137331, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 783, -0.6768163397642243, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 784, -0.9851359060614224, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 785, -0.38772606351274697, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 786, 0.5661573337391944, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 787, 0.9995182893196364, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 788, 0.5139267392143615, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 789, -0.4441666848300092, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 790, -0.9938953072212839, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 791, -0.6298411677363565, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 792, 0.3132860367040136, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 793, 0.9683795037912949, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 794, 0.7331493210037495, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 795, -0.1761349664233212, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 796, -0.9234815780088051, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 797, -0.8217834856264904, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 798, 0.03545855359210518, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 799, 0.8601001621636173, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 800, 0.8939696481970214, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 801, 0.1059275624303434, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 802, -0.7795038357248097, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 803, -0.9482630021806919, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 804, -0.2451935375705356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 805, 0.6833057347140384, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 806, 0.9835768657283723, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 807, 0.37955196238915595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 808, -0.5734312647770955, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 809, -0.9992044316210529, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 810, -0.5063136520999421, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 811, 0.4520795641768173, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 812, 0.9948329140211382, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 813, 0.6229414706214662, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 814, -0.32167948802580176, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 815, -0.9705498088831128, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 816, -0.7271011113730546, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 817, 0.1848409947348159, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 818, 0.926841142721418, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 819, 0.8167078184368716, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 820, -0.044302907677458626, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 821, -0.86458174478646, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 822, -0.889968112961789, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 823, -0.09712190237828329, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 824, 0.7850177373512154, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 825, 0.945415689654786, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 826, 0.23660281689758147, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 827, -0.6897415945654649, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 828, -0.981940764891358, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 829, -0.3713481244279862, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 830, 0.5806602690748583, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 831, 0.998812289042307, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 832, 0.49866089672312836, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 833, -0.459957024350746, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 834, -0.9956925784370406, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 835, -0.6159929677799073, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 836, 0.3300477366569554, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 837, 0.9726440741045344, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 838, 0.7209959353983679, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 839, -0.19353254126994537, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 840, -0.9301280920157128, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 841, -0.8115681644677003, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 842, 0.0531437907535685, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 843, 0.8689955898411542, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 844, 0.8858968512072711, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 845, 0.08830863309607147, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 846, -0.7904701350275293, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 847, -0.9424943064466191, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 848, -0.22799355905387356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 849, 0.6961234150868356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 850, 0.9802277317343164, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 851, 0.36311519237705925, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 852, -0.5878437802601598, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 853, -0.9983418923066761, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 854, -0.49096907265595835, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 855, 0.46779844817476307, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 856, 0.9964742331166823, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 857, 0.6089962036074962, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 858, -0.33839012696853565, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 859, -0.9746621353757209, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 860, -0.7148342714031982, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 861, 0.20220892507028168, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 862, 0.9333421683683804, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 863, 0.8063649263965292, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 864, -0.06198051016190544, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 865, -0.8733413515152515, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 866, -0.8817561819054704, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 867, -0.07948844507877358, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 868, 0.7958606015736018, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 869, 0.9394990814384173, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 870, 0.21936643855075033, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 871, -0.7024506962803133, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 872, -0.9784379004686174, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 873, -0.35485381126363746, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 874, 0.5949812355249355, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 875, 0.9977932782684322, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 876, 0.48323878253139313, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 877, -0.47560322129518384, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 878, -0.997177816819599, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 879, -0.6019517262811898, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 880, 0.3467060053575308, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 881, 0.9766038345872008, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 882, 0.7086166021367329, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 883, -0.21086946636535486, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 884, -0.9364831199655037, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 885, -0.8010985118825479, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 886, 0.07081237357015184, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 887, 0.8776186893304462, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 888, 0.8775464294662774, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 889, 0.07066202936351883, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 890, -0.8011887146614145, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 891, -0.9364302492977055, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 892, -0.21072213129903983, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 893, 0.7087229424210653, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 894, 0.9765714113225485, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 895, 0.3465646283438878, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 896, -0.6020720756694737, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 897, -0.9971664899099553, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 898, -0.47547063199610207, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 899, 0.4833707322298039, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 900, 0.9978032744219705, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 901, 0.5948600877161377, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 902, -0.3549947202980643, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 903, -0.9784690196122566, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 904, -0.7023434147360162, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 905, 0.2195134866259111, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 906, 0.9395507007222859, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 907, 0.795769333534644, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 908, -0.07963868902644415, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 909, -0.8818272681692509, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 910, -0.8732679237120532, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 911, -0.06183007747535922, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 912, 0.8064540568481685, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 913, 0.9332880504589218, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 914, 0.20206131455610385, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 915, -0.714939662096101, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 916, -0.9746284105303279, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 917, -0.33824829305217113, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 918, 0.6091157451462272, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 919, 0.9964615763383645, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 920, 0.46766522966301216, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 921, -0.4911003724158074, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 922, -0.9983505569209379, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 923, -0.5877218435224411, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 924, 0.3632556223924401, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 925, 0.9802575443188444, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 926, 0.6960152006877834, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 927, -0.22814030861707352, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 928, -0.9425446703023311, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 929, -0.7903778088790765, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 930, 0.08845876501358538, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 931, 0.8859667583012527, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 932, 0.8689209998517899, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 933, 0.05299328137309047, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 934, -0.81165621560899, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 935, -0.9300727311045811, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 936, -0.1933846668727768, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 937, 0.7211003682427743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 938, 0.9726090503206481, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 939, 0.3299054569501611, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 940, -0.6161116921033395, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 941, -0.9956785927816724, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 942, -0.4598231870636247, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 943, 0.49879153625744566, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 944, 0.998819621438444, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 945, 0.5805375529616218, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 946, -0.371488064422021, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 947, -0.9819692685810417, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 948, -0.6896324557899539, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 949, 0.23674925645140169, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 950, 0.9454647941364738, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 951, 0.7849243603267638, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 952, -0.09727191050322355, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 953, -0.8900368354089458, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 954, -0.8645059984548472, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 955, -0.044152333395038934, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 956, 0.8167947833692505, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 957, 0.9267845431459862, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 958, 0.18469286804020318, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 959, -0.7272045781869426, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 960, -0.9705134889047492, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 961, -0.3215367736757958, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 962, 0.6230593684278799, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 963, 0.9948176005844565, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 964, 0.4519451186001038, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 965, -0.5064436211734845, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 966, -0.9992104312245924, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 967, -0.5733077789028065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 968, 0.3796914013979365, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 969, 0.9836040582900275, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 970, 0.6831956801127874, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 971, -0.24533965564184546, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 972, -0.9483108434411563, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 973, -0.7794094151401889, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 974, 0.10607743500999182, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 975, 0.8940371806131416, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 976, 0.86002326542427, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 977, 0.03530792620481886, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 978, -0.8218693575364985, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 979, -0.9234237442034923, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 980, -0.17598659903657765, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 981, 0.733251813680783, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 982, 0.9683418904640229, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 983, 0.31314289889206726, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 984, -0.6299582297887875, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 985, -0.9938786672030538, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 986, -0.4440316414971394, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 987, 0.5140560276444147, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 988, 0.9995229556605263, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 989, 0.5660330877786267, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 990, -0.38786499061161595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 991, -0.9851617853645876, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 992, -0.6767053779597042, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 993, 0.2539108331545893, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 994, 0.9510825952363544, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 995, 0.7738334053999244, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 996, -0.11487464864560613, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 997, -0.8979674804979512, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 998, -0.8554731519696874, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 999, -0.026460752737064126, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1000, 0.8268795405320025, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1001, 0.9199905975863218, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1002, 0.1672665419737925, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1003, -0.7392416009402618, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1004, -0.9660944251371497, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1005, -0.30472449023565196, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1006, 0.6368077356795173, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1007, 0.992861866200276, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1008, 0.4360833757535898, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1009, -0.5216281592594221, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1010, -0.9997571702608278, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1011, -0.558714049540841, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1012, 0.3960081916851428, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1013, 0.9866423277611509, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1014, 0.6701620578277746, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1015, -0.26246211746178244, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1016, -0.9537798323630459, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1017, -0.7681967679707804, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1018, 0.12366286217291594, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1019, 0.9018274271353413, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1020, 0.8508560145797973, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1021, 0.017611506143138743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1022, -0.8318249398218998, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1023, -0.9164853722719367, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1024, -0.15853338004399595, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1025, 0.7451734706822545, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1026, 0.9637712690067693, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1027, 0.29628220726538684, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1028, -0.6436073494603881, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1029, -0.9917672772396455, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1030, -0.428100944093906, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1031, 0.5291594227631156, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1032, 0.9999130566754362, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1033, 0.5513512376156806, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1034, -0.40412036662142653, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1035, -0.9880455694833501, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1036, -0.66356623236788, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1037, 0.27099283859415124, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1038, 0.9564023435002251, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1039, 0.7624999444675773, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1040, -0.13244138705990416, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1041, -0.9056167181092594, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1042, -0.8461722149944356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1043, -0.008760879736830363, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1044, 0.8367051679479498, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1045, 0.9129083428849631, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1046, 0.14978779746606605, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1047, -0.7510469581613124, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1048, -0.9613726040856847, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1049, -0.28781671141059484, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1050, 0.6503565384006261, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1051, 0.9905949860791541, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1052, 0.42008497191934335, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1053, -0.5366492281020062, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1054, -0.9999906026910859, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1055, -0.5439452288589227, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1056, 0.4122008798541881, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1057, 0.9893714005911104, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1058, 0.6569184183445477, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1059, -0.2795023281934896, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1060, -0.9589499231814597, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1061, -0.7567433812205466, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1062, 0.14120953553363158, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1063, 0.909335056539327, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1064, 0.8414221201762355, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1065, -9.043305996889882e-05, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1066, -0.8415198425578914, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1067, -0.9092597896756763, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1068, -0.14103047943200392, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1069, 0.7568616032060743, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1070, 0.9588986183026019, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1071, 0.2793286659192636, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1072, -0.6570547737201031, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1073, -0.9893450845645446, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1074, -0.41203608725896307, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1075, 0.5440969884707371, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1076, 0.9999898022322627, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1077, 0.5364966035106962, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1078, -0.4202490982977543, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1079, -0.9906197172092625, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1080, -0.6502191365954637, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1081, 0.28798991956502257, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1082, 0.9614223718109872, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1083, 0.7509275292403622, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1084, -0.14996662063412206, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1085, -0.9129821511040995, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1086, -0.8366061022818767, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1087, 0.008941738771590156, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1088, 0.846268586435398, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1089, 0.9055399984980432, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1090, 0.13226211205325097, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1091, -0.7626169502553196, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1092, -0.9563495054874062, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1093, -0.2708187358060818, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1094, 0.6637015306307652, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1095, 0.9880176706221142, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1096, 0.4039549207204277, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1097, -0.5515021203580569, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1098, -0.9999106553616806, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1099, -0.5290059451500208, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1100, 0.4282643913966589, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1101, 0.9917904215356813, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1102, 0.6434689119906669, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1103, -0.29645494772964054, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1104, -0.9638194956793541, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1105, -0.7450528441828046, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1106, 0.15871195626818388, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1107, 0.9165577160638908, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1108, 0.8317245386329278, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1109, -0.01779234392291962, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1110, -0.8509510275296328, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1111, -0.9017492607873272, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1112, -0.12348338230693397, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1113, 0.7683125483936604, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1114, 0.9537254653559767, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1115, 0.2622875878003373, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1116, -0.6702962883777479, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1117, -0.9866128482510428, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1118, -0.39584210544059495, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1119, 0.5588640435925373, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1120, 0.9997531682802758, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1121, 0.5214738406490854, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1122, -0.4362461311750444, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1123, -0.9928834218489483, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1124, -0.636668273391427, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1125, 0.30489674947599804, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1126, 0.9661411069785915, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1127, 0.739119786313062, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1128, -0.16744485726316327, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1129, -0.9200614712831593, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1130, -0.8267778116862851, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1131, 0.02664155509373045, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1132, 0.8555667989843964, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1133, 0.8978878735372546, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1134, 0.11469497798204223, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1135, -0.7739479513868687, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1136, -0.9510267034945383, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1137, -0.25373589029368065, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1138, 0.6768385302801764, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1139, 0.9851307275152447, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1140, 0.3876982770359131, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1141, -0.5661821813880273, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1142, -0.9995173533267221, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1143, -0.5139008801272689, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1144, 0.4441936922858625, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1145, 0.9938986325155377, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1146, 0.6298177536088091, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1147, -0.3133146634124747, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1148, -0.9683870238169294, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1149, -0.7331288204696695, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1150, 0.1761646394206257, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1151, 0.9234931422524565, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1152, 0.8217663090042067, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1153, -0.03548867897301029, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1154, -0.8601155391668699, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1155, -0.8939561392767458, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1156, -0.10589758762554134, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1157, 0.7795227177168391, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1158, 0.9482534313435556, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1159, 0.2451643132877585, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1160, -0.6833277437716457, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1161, -0.9835714245347456, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1162, -0.3795240735526223, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1163, 0.5734559603888431, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1164, 0.9992032289764632, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1165, 0.5062876569049047, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1166, -0.452106452059868, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1167, -0.9948359739965252, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1168, -0.6229178893619305, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1169, 0.32170803001899356, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1170, 0.9705570702330484, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1171, 0.7270804160280906, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1172, -0.18487061956996106, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1173, -0.9268524601099338, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1174, -0.8166904232239494, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1175, 0.04433302241328026, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1176, 0.8645968916959479, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1177, 0.8899543660462135, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1178, 0.0970919004884274, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1179, -0.7850364106161789, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1180, -0.9454058661811658, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1181, -0.23657352834172077, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1182, 0.689763420440379, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1183, 0.9819350614765846, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1184, 0.3713201354167654, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1185, -0.5806848107146881, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1186, -0.9988108198402659, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1187, -0.4986347674567973, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1188, 0.45998379055440347, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1189, 0.9956953728538205, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1190, 0.6159692212359092, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1191, -0.3300761916986924, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1192, -0.9726510762098645, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1193, -0.7209750468639425, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1194, 0.19356211562190795, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1195, 0.9301391616624073, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1196, 0.8115505520270061, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1197, -0.0531738924849011, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1198, -0.8690105054701593, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 7, 42, 1767323045678901);
INSERT INTO public.runstore_point VALUES (3, 1199, -42, 1767323045678901);
INSERT INTO public.runstore_point VALUES (4, 1000000000000000, 0.3333333333333333, 1767323045678901);
INSERT INTO public.runstore_point VALUES (4, 2000000000000000, 0.6666666666666666, 1767323045678901);
INSERT INTO public.runstore_point VALUES (4, 3000000000000000, 1, 1767323045678901);
INSERT INTO public.runstore_point VALUES (4, 4000000000000000, 1.3333333333333333, 1767323045678901);
INSERT INTO public.runstore_point VALUES (5, 1, 0.5, 1767323045678901);
INSERT INTO public.runstore_run VALUES (1, 'parent', 1, NULL, 'the parent', NULL, 'centralized', 'completed', 1, 1767323045678901, 1767323135678901, 1795944893679753, 1796031293679760, 86400, NULL, '{"empty":"","größe":"üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü","owner":"me"}', '{"git":{"dirty":true}}', NULL);
INSERT INTO public.runstore_run VALUES (2, 'child', 1, 1, NULL, 'c1', 'federated', 'failed', 1, 1767323045678901, 1767323125678901, 1795944893703888, 1796031293703894, 86400, NULL, '{}', '{}', '{"type":"ValueError","message":"no good","traceback":"ValueError: no good\n"}');
INSERT INTO public.runstore_run VALUES (3, 'resumed', 2, NULL, NULL, NULL, 'centralized', 'completed', 2, 1767323045678901, 1767323120678901, 1795944894040408, 1796031294040414, 86400, '/films/ä', '{}', '{}', NULL);
INSERT INTO public.runstore_run VALUES (4, 'unfinished', 2, NULL, NULL, NULL, 'centralized', 'in_progress', 1, 1767323045678901, NULL, 1795944894203567, 1795945494203571, 600, NULL, '{}', '{}', NULL);
INSERT INTO public.runstore_run VALUES (5, 'bare', 2, NULL, NULL, NULL, 'centralized', 'in_progress', 1, 1767323045678901, NULL, 1795944894212554, 1795945494212559, 600, NULL, '{}', '{}', NULL);
INSERT INTO public.runstore_schema VALUES (1, 1, 1, 1, '0.1.0.dev0');
INSERT INTO public.runstore_series VALUES (1, 1, 'strange', 'train', 7, 3, 0, NULL, 2, 6, 0.1, 0, 3, 0, 3, 5, 1.7976931348623157e+308, 0);
INSERT INTO public.runstore_series VALUES (2, 1, 'only nan', 'train', 1, 1, 3, NULL, 2, 3, NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.runstore_series VALUES (3, 1, 'long', 'train', 1200, 0, 0, 0, 0, 1199, -42, 0, 1199, -42, 0, 7, 42, 0);
INSERT INTO public.runstore_series VALUES (4, 2, 'sparse', 'validation', 4, 0, 1000000000000000, 0.3333333333333333, 0, 4000000000000000, 1.3333333333333333, 0, 1000000000000000, 0.3333333333333333, 0, 4000000000000000, 1.3333333333333333, 0);
INSERT INTO public.runstore_series VALUES (5, 4, 'loss', 'train', 1, 0, 1, 0.5, 0, 1, 0.5, 0, 1, 0.5, 0, 1, 0.5, 0);
INSERT INTO public.runstore_tag VALUES (1, 'empty', '', '');
INSERT INTO public.runstore_tag VALUES (1, 'größe', 'üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü', 'üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü');
INSERT INTO public.runstore_tag VALUES (1, 'owner', 'me', 'me');
SELECT pg_catalog.setval('public.runstore_blob_pk_seq', 2, true);
SELECT pg_catalog.setval('public.runstore_experiment_pk_seq', 2, true);
SELECT pg_catalog.setval('public.runstore_run_pk_seq', 5, true);
SELECT pg_catalog.setval('public.runstore_series_pk_seq', 5, true);
ALTER TABLE ONLY public.runstore_alembic_version
    ADD CONSTRAINT runstore_alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.runstore_artifact
    ADD CONSTRAINT runstore_artifact_pkey PRIMARY KEY (run_pk, name);
ALTER TABLE ONLY public.runstore_blob_chunk
    ADD CONSTRAINT runstore_blob_chunk_pkey PRIMARY KEY (blob_pk, number);
ALTER TABLE ONLY public.runstore_blob
    ADD CONSTRAINT runstore_blob_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.runstore_blob
    ADD CONSTRAINT runstore_blob_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.runstore_config_leaf
    ADD CONSTRAINT runstore_config_leaf_pkey PRIMARY KEY (run_pk, key);
ALTER TABLE ONLY public.runstore_config
    ADD CONSTRAINT runstore_config_pkey PRIMARY KEY (run_pk);
ALTER TABLE ONLY public.runstore_experiment
    ADD CONSTRAINT runstore_experiment_id UNIQUE (id);
ALTER TABLE ONLY public.runstore_experiment
    ADD CONSTRAINT runstore_experiment_name UNIQUE (name);
ALTER TABLE ONLY public.runstore_experiment
    ADD CONSTRAINT runstore_experiment_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.runstore_point
    ADD CONSTRAINT runstore_point_pkey PRIMARY KEY (series_pk, step);
ALTER TABLE ONLY public.runstore_run
    ADD CONSTRAINT runstore_run_id UNIQUE (id);
ALTER TABLE ONLY public.runstore_run
    ADD CONSTRAINT runstore_run_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.runstore_schema
    ADD CONSTRAINT runstore_schema_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.runstore_series
    ADD CONSTRAINT runstore_series_identity UNIQUE (run_pk, name, dataset_type);
ALTER TABLE ONLY public.runstore_series
    ADD CONSTRAINT runstore_series_pkey PRIMARY KEY (pk);
ALTER TABLE ONLY public.runstore_tag
    ADD CONSTRAINT runstore_tag_pkey PRIMARY KEY (run_pk, key);
CREATE INDEX runstore_config_leaf_by_number ON public.runstore_config_leaf USING btree (key, number, run_pk);
CREATE INDEX runstore_config_leaf_by_text ON public.runstore_config_leaf USING btree (key, head, run_pk);
CREATE INDEX runstore_run_by_experiment ON public.runstore_run USING btree (experiment_pk, start_us, id);
CREATE INDEX runstore_run_by_parent ON public.runstore_run USING btree (parent_pk, start_us, id);
CREATE INDEX runstore_run_by_start ON public.runstore_run USING btree (start_us, id);
CREATE INDEX runstore_tag_by_value ON public.runstore_tag USING btree (key, head, run_pk);
ALTER TABLE ONLY public.runstore_artifact
    ADD CONSTRAINT runstore_artifact_run_pk_fkey FOREIGN KEY (run_pk) REFERENCES public.runstore_run(pk) ON DELETE CASCADE;
ALTER TABLE ONLY public.runstore_blob_chunk
    ADD CONSTRAINT runstore_blob_chunk_blob_pk_fkey FOREIGN KEY (blob_pk) REFERENCES public.runstore_blob(pk) ON DELETE CASCADE;
ALTER TABLE ONLY public.runstore_config_leaf
    ADD CONSTRAINT runstore_config_leaf_run_pk_fkey FOREIGN KEY (run_pk) REFERENCES public.runstore_run(pk) ON DELETE CASCADE;
ALTER TABLE ONLY public.runstore_config
    ADD CONSTRAINT runstore_config_run_pk_fkey FOREIGN KEY (run_pk) REFERENCES public.runstore_run(pk) ON DELETE CASCADE;
ALTER TABLE ONLY public.runstore_run
    ADD CONSTRAINT runstore_run_experiment_pk_fkey FOREIGN KEY (experiment_pk) REFERENCES public.runstore_experiment(pk);
ALTER TABLE ONLY public.runstore_run
    ADD CONSTRAINT runstore_run_parent_pk_fkey FOREIGN KEY (parent_pk) REFERENCES public.runstore_run(pk);
ALTER TABLE ONLY public.runstore_series
    ADD CONSTRAINT runstore_series_run_pk_fkey FOREIGN KEY (run_pk) REFERENCES public.runstore_run(pk) ON DELETE CASCADE;
ALTER TABLE ONLY public.runstore_tag
    ADD CONSTRAINT runstore_tag_run_pk_fkey FOREIGN KEY (run_pk) REFERENCES public.runstore_run(pk) ON DELETE CASCADE;
