-- An issued document never changes; version and updated_at move when its payment state does.
create function guard_invoice() returns trigger language plpgsql as $$
declare
  frozen finance.invoice;
begin
  if tg_op = 'DELETE' then
    raise exception 'invoices are never deleted' using errcode = 'restrict_violation';
  end if;
  if old.state = 'issued' then
    frozen := new;
    frozen.version := old.version;
    frozen.updated_at := old.updated_at;
    if frozen is distinct from old then
      raise exception 'document % is issued and cannot be changed; correct it by a credit note', old.number
        using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end $$;
create trigger invoice_guard before update or delete on invoice
  for each row execute function guard_invoice();
create trigger invoice_no_truncate before truncate on invoice
  for each statement execute function refuse_change();

create function guard_invoice_line() returns trigger language plpgsql as $$
declare
  document bigint := case when tg_op = 'INSERT' then new.invoice_id else old.invoice_id end;
begin
  if exists (select 1 from finance.invoice i where i.id = document and i.state = 'issued') then
    raise exception 'invoice % is issued: % of its lines is refused', document, lower(tg_op)
      using errcode = 'restrict_violation';
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  if tg_op = 'UPDATE' and new.invoice_id <> old.invoice_id then
    raise exception 'a line stays on its invoice' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger invoice_line_guard before insert or update or delete on invoice_line
  for each row execute function guard_invoice_line();
create trigger invoice_line_no_truncate before truncate on invoice_line
  for each statement execute function refuse_change();

-- Superseded: the rule in force is cap_credit in tax_point_rules.sql. This text stays as the migration of its day applies it.
-- No line is credited beyond what was invoiced; the lock on the original line makes concurrent credits queue.
create function cap_credit() returns trigger language plpgsql as $$
declare
  original record;
  credited record;
begin
  select l.quantity, l.net, l.vat, l.gross into original
  from finance.invoice_line l where l.id = new.original_line_id for update;
  select sum(l.quantity) as quantity, sum(l.net) as net, sum(l.vat) as vat, sum(l.gross) as gross into credited
  from finance.invoice_line l where l.original_line_id = new.original_line_id;
  if abs(credited.quantity) > abs(original.quantity) or abs(credited.net) > abs(original.net)
     or abs(credited.gross) > abs(original.gross) or credited.quantity * original.quantity > 0 then
    raise exception 'line % is credited beyond what was invoiced', new.original_line_id using errcode = 'FI005';
  end if;
  return null;
end $$;
create trigger invoice_line_credit_cap after insert or update on invoice_line
  for each row when (new.original_line_id is not null) execute function cap_credit();

-- The totals of an issued document are the sums of its lines, and it is posted: one entry for every number.
create function require_whole_document() returns trigger language plpgsql as $$
declare
  s record;
begin
  select coalesce(sum(l.net), 0) as net, coalesce(sum(l.vat), 0) as vat, coalesce(sum(l.gross), 0) as gross into s
  from finance.invoice_line l where l.invoice_id = new.id;
  if (s.net, s.vat, s.gross) is distinct from (new.net_total, new.vat_total, new.gross_total) then
    raise exception 'document %: totals are not the sums of its lines', new.number using errcode = 'FI006';
  end if;
  if not exists (select 1 from finance.journal_entry e where e.posting_key = 'invoice:' || new.id)
     or not exists (select 1 from finance.invoice_settlement i where i.invoice_id = new.id) then
    raise exception 'document % is not posted', new.number using errcode = 'FI006';
  end if;
  return null;
end $$;
create constraint trigger invoice_whole after insert on invoice deferrable initially deferred
  for each row when (new.state = 'issued') execute function require_whole_document();
create constraint trigger invoice_whole_when_issued after update of state on invoice deferrable initially deferred
  for each row when (new.state = 'issued' and old.state = 'draft') execute function require_whole_document();

-- Of a payment only the allocated part moves.
create function guard_payment() returns trigger language plpgsql as $$
declare
  frozen finance.payment;
begin
  if tg_op = 'DELETE' then
    raise exception 'payments are never deleted' using errcode = 'restrict_violation';
  end if;
  frozen := new;
  frozen.allocated := old.allocated;
  if frozen is distinct from old then
    raise exception 'payment % is posted and cannot be changed', old.number using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger payment_guard before update or delete on payment for each row execute function guard_payment();
create trigger payment_no_truncate before truncate on payment
  for each statement execute function refuse_change();

-- Superseded: the rule in force is guard_series in seal_rules.sql. This text stays as the migration of its day applies it.
-- A number that was given stays given.
create function guard_series() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or new.last_no <> old.last_no + 1 or (new.code, new.fiscal_year) <> (old.code, old.fiscal_year)
  then
    raise exception 'series % counts on by one', old.code using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger number_series_guard before update or delete on number_series
  for each row execute function guard_series();
