-- Superseded: the rule in force is cap_advances in correction_rules.sql. This text stays as the migration of its day applies it.
-- Of an advance no more is taken off and credited than was invoiced, per VAT code; what a cancelled final invoice gives
-- back counts again. The lock on the advance's settlement makes documents that touch the same advance queue.
create function cap_advances() returns trigger language plpgsql as $$
declare
  touched bigint;
  beyond record;
begin
  for touched in
    select distinct x.id from (
      select l.advance_invoice_id as id from finance.invoice_line l
      where l.invoice_id = new.id and l.advance_invoice_id is not null
      union all
      select o.invoice_id from finance.invoice_line l join finance.invoice_line o on o.id = l.original_line_id
      join finance.invoice a on a.id = o.invoice_id and a.kind = 'advance' where l.invoice_id = new.id
    ) x order by 1
  loop
    perform 1 from finance.invoice_settlement s where s.invoice_id = touched for update;
    select u.vat_code, u.net, u.vat into beyond from (
      select x.vat_code, sum(x.net) as net, sum(x.vat) as vat from (
        select l.vat_code, l.net, l.vat from finance.invoice_line l where l.invoice_id = touched
        union all
        select l.vat_code, l.net, l.vat from finance.invoice_line l
        join finance.invoice_line o on o.id = l.original_line_id
        where o.invoice_id = touched and l.advance_invoice_id is null
        union all
        select l.vat_code, l.net, l.vat from finance.invoice_line l join finance.invoice i on i.id = l.invoice_id
        where l.advance_invoice_id = touched and i.state = 'issued'
      ) x group by x.vat_code
    ) u where u.net < 0 or u.vat < 0 limit 1;
    if found then
      raise exception 'advance invoice %: % more would be taken off than is left of it (VAT code %)',
        (select i.number from finance.invoice i where i.id = touched), -beyond.net, beyond.vat_code
        using errcode = 'FI007';
    end if;
  end loop;
  return null;
end $$;
create constraint trigger invoice_advances_capped after insert on invoice deferrable initially deferred
  for each row when (new.state = 'issued' and new.kind <> 'invoice') execute function cap_advances();
create constraint trigger invoice_advances_capped_when_issued after update of state on invoice
  deferrable initially deferred
  for each row when (new.state = 'issued' and old.state = 'draft' and new.kind <> 'invoice')
  execute function cap_advances();

-- Superseded: the rule in force is guard_bank_entry in bank_posting_rules.sql. This text stays as the migration of its day applies it.
-- A bank entry stays as the bank sent it; what became of it may change until it is booked.
create function guard_bank_entry() returns trigger language plpgsql as $$
declare
  frozen finance.bank_entry;
begin
  if tg_op = 'DELETE' then
    raise exception 'bank entries are never deleted' using errcode = 'restrict_violation';
  end if;
  frozen := new;
  frozen.state := old.state;
  frozen.payment_id := old.payment_id;
  frozen.set_aside_reason := old.set_aside_reason;
  if frozen is distinct from old or old.state = 'booked' then
    raise exception 'bank entry % cannot be changed', old.entry_ref using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger bank_entry_guard before update or delete on bank_entry for each row execute function guard_bank_entry();
create trigger bank_entry_no_truncate before truncate on bank_entry
  for each statement execute function refuse_change();

-- A goods issue that waits is invoiced once.
create function guard_waiting_issue() returns trigger language plpgsql as $$
declare
  frozen finance.waiting_issue;
begin
  if tg_op = 'DELETE' or old.invoice_id is not null then
    raise exception 'goods issue % waits or is invoiced; it is not changed', old.shipment_number
      using errcode = 'restrict_violation';
  end if;
  frozen := new;
  frozen.invoice_id := old.invoice_id;
  if frozen is distinct from old then
    raise exception 'goods issue % stays as it was sent', old.shipment_number using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger waiting_issue_guard before update or delete on waiting_issue
  for each row execute function guard_waiting_issue();
