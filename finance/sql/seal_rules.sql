-- A chain of hashes as a window: each row's hash covers the one before it. ``start`` is the hash before the first row.
create function chain_step(state bytea, content bytea, start bytea) returns bytea
language sql immutable parallel safe as $$ select sha256(coalesce(state, start) || content) $$;
create aggregate chain_sha256(bytea, bytea) (sfunc = chain_step, stype = bytea);

-- Digest of a document's content. Empty values do not count, so that a column added later with an empty default
-- leaves older digests as they are.
create function content_digest(content jsonb) returns bytea language sql immutable parallel safe as $$
  select sha256(convert_to(coalesce(jsonb_object_agg(c.key, c.value)::text, ''), 'UTF8'))
  from jsonb_each(content) c where c.value not in ('null', '""', '0', 'false', '[]', '{}')
$$;

-- The series' row is locked by whoever takes a number, so the chain of a series needs no lock of its own.
create or replace function guard_series() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or (new.code, new.fiscal_year) <> (old.code, old.fiscal_year)
     or not (new.last_no = old.last_no + 1
             or (new.last_no = old.last_no and new.last_hash is distinct from old.last_hash)) then
    raise exception 'series % counts on by one', old.code using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create function seal_document() returns trigger language plpgsql as $$
declare
  header bytea := finance.content_digest(to_jsonb(new) - '{version,created_at,updated_at,retired_at}'::text[]);
  lines bytea;
  sealed bytea;
begin
  select coalesce(string_agg(finance.content_digest(to_jsonb(l)), ''::bytea order by l.line_no), ''::bytea) into lines
  from finance.invoice_line l where l.invoice_id = new.id;
  update finance.number_series s set last_hash = sha256(coalesce(s.last_hash, ''::bytea) || header || lines)
  where s.code = new.series and s.fiscal_year = new.fiscal_year returning s.last_hash into sealed;
  insert into finance.invoice_seal (invoice_id, number, series, fiscal_year, sequence_no, header, lines, hash)
  values (new.id, new.number, new.series, new.fiscal_year, new.sequence_no, header, lines,
          coalesce(sealed, sha256(header || lines)));
  return null;
end $$;

-- Documents that were issued before chains existed.
do $$
declare
  i record; mine bytea; digests bytea; head bytea;
begin
  for i in select * from invoice where state = 'issued' order by series, fiscal_year, sequence_no loop
    head := content_digest(to_jsonb(i) - '{version,created_at,updated_at,retired_at}'::text[]);
    select coalesce(string_agg(content_digest(to_jsonb(l)), ''::bytea order by l.line_no), ''::bytea) into digests
    from invoice_line l where l.invoice_id = i.id;
    update number_series s set last_hash = sha256(coalesce(s.last_hash, ''::bytea) || head || digests)
    where s.code = i.series and s.fiscal_year = i.fiscal_year returning s.last_hash into mine;
    insert into invoice_seal (invoice_id, number, series, fiscal_year, sequence_no, header, lines, hash)
    values (i.id, i.number, i.series, i.fiscal_year, i.sequence_no, head, digests, mine);
  end loop;
end $$;

create trigger invoice_seal_new after insert on invoice
  for each row when (new.state = 'issued') execute function seal_document();
create trigger invoice_seal_issued after update of state on invoice
  for each row when (new.state = 'issued' and old.state = 'draft') execute function seal_document();

insert into seal_head (id, lo) values (1, '0');
