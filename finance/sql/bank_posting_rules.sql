-- A bank entry stays as the bank sent it. What is booked is opened again only when its booking is undone: the journal
-- entry is reversed, or the payment is paid back as a whole.
create or replace function guard_bank_entry() returns trigger language plpgsql as $$
declare
  frozen finance.bank_entry;
begin
  if tg_op = 'DELETE' then
    raise exception 'bank entries are never deleted' using errcode = 'restrict_violation';
  end if;
  frozen := new;
  frozen.state := old.state;
  frozen.payment_id := old.payment_id;
  frozen.journal_entry_id := old.journal_entry_id;
  frozen.set_aside_reason := old.set_aside_reason;
  if frozen is distinct from old then
    raise exception 'bank entry % cannot be changed', old.entry_ref using errcode = 'restrict_violation';
  end if;
  if old.state = 'booked' and not (new.state = 'open' and (
    exists (select 1 from finance.journal_entry e where e.reverses_id = old.journal_entry_id)
    or exists (
      select 1 from finance.payment p join finance.payment_allocation a on a.payment_id = p.id
      where p.id = old.payment_id and a.counter_payment_id is not null group by p.id having sum(a.amount) = p.amount)))
  then
    raise exception 'bank entry % is booked', old.entry_ref using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
