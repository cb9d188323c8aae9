-- Up Migration

CREATE TABLE maskinporten_audit.records (
  writer uuid NOT NULL,
  seq bigint NOT NULL,
  previous text NOT NULL,
  hash text NOT NULL,
  kind text NOT NULL,
  at timestamptz NOT NULL,
  request_id text,
  call_id text,
  caller text,
  client text,
  organisation text,
  scopes text[],
  method text,
  host text,
  path_template text,
  status integer,
  error_code text,
  duration_ms integer,
  jti text,
  kid text,
  decision text,
  external_ref text,
  party text,
  resource text,
  action text,
  source text,
  rulebook_version text,
  lost integer,
  earlier_writer uuid,
  earlier_seq bigint,
  earlier_hash text,
  -- A key of a partitioned table contains what it is partitioned by; append() sees to it that a number is there once.
  PRIMARY KEY (writer, seq, at)
) PARTITION BY RANGE (at);

-- Nothing is refused because its month was not prepared.
CREATE TABLE maskinporten_audit.records_default PARTITION OF maskinporten_audit.records DEFAULT;

CREATE INDEX records_request_id ON maskinporten_audit.records (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX records_organisation ON maskinporten_audit.records (organisation, at, writer, seq) WHERE organisation IS NOT NULL;
CREATE INDEX records_jti ON maskinporten_audit.records (jti) WHERE jti IS NOT NULL;
CREATE INDEX records_openings ON maskinporten_audit.records (earlier_writer) WHERE kind = 'opened';

CREATE TABLE maskinporten_audit.checkpoints (
  writer uuid NOT NULL,
  seq bigint NOT NULL,
  hash text NOT NULL,
  at timestamptz NOT NULL,
  key_id text NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (writer, seq, key_id)
);

CREATE FUNCTION maskinporten_audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is refused: the audit log can only be added to', TG_OP
    USING ERRCODE = 'insufficient_privilege';
END
$body$;

-- Statement triggers, so that also a change of no row is refused; each partition has its own, because a statement that
-- names a partition does not fire those of its parent.
CREATE FUNCTION maskinporten_audit.protect(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE format(
    'CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
       FOR EACH STATEMENT EXECUTE FUNCTION maskinporten_audit.refuse_change()', target);
  -- Also for those who work as a replica.
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_change', target);
END
$body$;

SELECT maskinporten_audit.protect('maskinporten_audit.records');
SELECT maskinporten_audit.protect('maskinporten_audit.records_default');
SELECT maskinporten_audit.protect('maskinporten_audit.checkpoints');

-- Partitions for this month and the next ones. It runs as the owner, because the running role may not create tables; it
-- takes nothing but a number, and does nothing when they are there. A month that has records in the default partition
-- stays there. It gives up when somebody reads for so long that others would have to wait for it. How times are written is
-- settled here, since they go through text and the session of the one who calls may have it otherwise.
CREATE FUNCTION maskinporten_audit.prepare_months(ahead integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
  SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $body$
DECLARE
  first_day date;
  partition_name text;
  is_used boolean;
  created integer := 0;
BEGIN
  IF ahead NOT BETWEEN 0 AND 24 THEN
    RAISE EXCEPTION 'months ahead must be from 0 to 24' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR month IN 0 .. ahead LOOP
    first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month))::date;
    partition_name := 'records_' || to_char(first_day, 'YYYY_MM');
    CONTINUE WHEN to_regclass('maskinporten_audit.' || partition_name) IS NOT NULL;
    -- Two that start at once must not create the same.
    PERFORM pg_advisory_xact_lock(hashtextextended('maskinporten_audit.prepare_months', 0));
    CONTINUE WHEN to_regclass('maskinporten_audit.' || partition_name) IS NOT NULL;
    EXECUTE format('SELECT EXISTS (SELECT FROM maskinporten_audit.records_default WHERE at >= %L AND at < %L)',
      first_day::timestamp AT TIME ZONE 'UTC', (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC') INTO is_used;
    CONTINUE WHEN is_used;
    EXECUTE format('CREATE TABLE maskinporten_audit.%I PARTITION OF maskinporten_audit.records FOR VALUES FROM (%L) TO (%L)',
      partition_name, first_day::timestamp AT TIME ZONE 'UTC', (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    PERFORM maskinporten_audit.protect(('maskinporten_audit.' || partition_name)::regclass);
    created := created + 1;
  END LOOP;
  RETURN created;
END
$body$;

-- Adds a batch of one writer, all or nothing, if it continues what is stored; the same batch again adds nothing. Batches
-- of one writer wait for each other: what a broken connection left behind is either there or gone when the next one looks.
CREATE FUNCTION maskinporten_audit.append(batch jsonb, checkpoint jsonb) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  head record;
  batch_writer uuid := coalesce(batch -> 0 ->> 'writer', checkpoint ->> 'writer')::uuid;
  first_seq bigint := (batch -> 0 ->> 'seq')::bigint;
  latest uuid;
BEGIN
  -- "on" is the least that makes an answer mean that it is on disk.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('maskinporten_audit.append ' || batch_writer, 0));
  IF first_seq IS NOT NULL THEN
    PERFORM FROM maskinporten_audit.records r
      WHERE r.writer = batch_writer AND r.seq = first_seq AND r.hash = batch -> 0 ->> 'hash';
    IF FOUND THEN
      RETURN 'stored';
    END IF;
    SELECT r.seq, r.hash INTO head FROM maskinporten_audit.records r
      WHERE r.writer = batch_writer ORDER BY r.seq DESC LIMIT 1;
    IF coalesce(head.seq, 0) <> first_seq - 1 OR coalesce(head.hash, repeat('0', 64)) <> batch -> 0 ->> 'previous' THEN
      RETURN 'chain';
    END IF;
    IF batch -> 0 ->> 'kind' = 'opened' THEN
      -- Openings are one line: each names the one before.
      PERFORM pg_advisory_xact_lock(hashtextextended('maskinporten_audit.open', 0));
      latest := maskinporten_audit.latest_writer();
      IF latest IS DISTINCT FROM (batch -> 0 ->> 'earlier_writer')::uuid THEN
        RETURN 'opening';
      END IF;
    END IF;
    INSERT INTO maskinporten_audit.records
      SELECT * FROM jsonb_populate_recordset(NULL::maskinporten_audit.records, batch);
  END IF;
  IF checkpoint IS NOT NULL THEN
    INSERT INTO maskinporten_audit.checkpoints
      SELECT * FROM jsonb_populate_record(NULL::maskinporten_audit.checkpoints, checkpoint)
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN 'added';
END
$body$;

-- The writer that no other names as the one before it.
CREATE FUNCTION maskinporten_audit.latest_writer() RETURNS uuid LANGUAGE sql STABLE AS $body$
  SELECT o.writer FROM maskinporten_audit.records o
    WHERE o.kind = 'opened' AND NOT EXISTS (
      SELECT FROM maskinporten_audit.records n WHERE n.kind = 'opened' AND n.earlier_writer = o.writer)
    ORDER BY o.at DESC LIMIT 1
$body$;

SELECT maskinporten_audit.prepare_months(2);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA maskinporten_audit FROM PUBLIC;
