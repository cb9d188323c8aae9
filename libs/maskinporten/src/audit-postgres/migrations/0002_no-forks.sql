-- Up Migration

-- Openings are one line: the database itself refuses a second one on the same predecessor, whoever inserts it (F-154). Those
-- that insert openings wait for each other, and each looks at what is committed by then. That holds with read committed
-- alone: with the levels above, this look would be at what was there when the transaction began.
CREATE FUNCTION maskinporten_audit.refuse_fork() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'an opening is refused with isolation %: the audit log needs read committed',
      current_setting('transaction_isolation') USING ERRCODE = 'invalid_transaction_state';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('maskinporten_audit.open', 0));
  PERFORM FROM maskinporten_audit.records r
    WHERE r.kind = 'opened' AND r.earlier_writer IS NOT DISTINCT FROM NEW.earlier_writer;
  IF FOUND THEN
    RAISE EXCEPTION 'an opening is refused: another writer was opened in its place already' USING ERRCODE = 'unique_violation';
  END IF;
  -- Else openings could be made that name each other in a circle, and nobody could open a writer after that.
  PERFORM FROM maskinporten_audit.records r WHERE r.writer = NEW.writer;
  IF FOUND OR NEW.seq <> 1 THEN
    RAISE EXCEPTION 'an opening is refused: it is not the first record of its writer' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END
$body$;

CREATE TRIGGER refuse_fork BEFORE INSERT ON maskinporten_audit.records
  FOR EACH ROW WHEN (NEW.kind = 'opened') EXECUTE FUNCTION maskinporten_audit.refuse_fork();

-- As before, and with read committed alone.
CREATE OR REPLACE FUNCTION maskinporten_audit.append(batch jsonb, checkpoint jsonb) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  head record;
  batch_writer uuid := coalesce(batch -> 0 ->> 'writer', checkpoint ->> 'writer')::uuid;
  first_seq bigint := (batch -> 0 ->> 'seq')::bigint;
  latest uuid;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RETURN 'isolation';
  END IF;
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

REVOKE ALL ON FUNCTION maskinporten_audit.refuse_fork() FROM PUBLIC;
