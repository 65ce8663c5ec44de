-- The day whose VAT period a document belongs to: its day of fulfilment (of an advance: the day the money came), not
-- that of issue. What lowers the tax counts on the day of the correcting document; what raises it, with the original,
-- whose day a correction repeats.
create function tax_day(kind text, vat_total numeric, gross_total numeric, fulfilled_on date, issued_on date)
returns date language sql immutable parallel safe as $$
  select case when kind not in ('invoice', 'advance', 'final')
    and (vat_total < 0 or (vat_total = 0 and gross_total <= 0)) then issued_on
    else coalesce(fulfilled_on, issued_on) end
$$;
create index invoice_tax_day on invoice (tax_day(kind, vat_total, gross_total, fulfilled_on, issued_on)) where state = 'issued';

-- A line belongs to an entry of its own transaction and repeats the entry's own data. Its id is always
-- taken from the sequence: the line with the highest id of an entry is the one that was inserted last.
create or replace function enter_line() returns trigger language plpgsql as $$
declare
  e record;
begin
  select j.journal, j.entry_on, j.period, j.xid into e from finance.journal_entry j where j.id = new.entry_id;
  if e.xid is distinct from pg_current_xact_id() then
    raise exception 'entry % was posted before: lines are not added to it', new.entry_id
      using errcode = 'restrict_violation';
  end if;
  new.id := nextval('finance.journal_line_id_seq');
  new.entry_no := new.entry_id;
  new.journal := e.journal;
  new.entry_on := e.entry_on;
  new.period := e.period;
  new.tax_on := coalesce(new.tax_on, e.entry_on);
  return new;
end $$;

-- No line is taken back beyond what it charged, neither in pieces nor net, VAT or gross, in this document or a later
-- one; the lock on the line makes those who take from it queue. A line of the same sign is charged anew or in addition.
create or replace function cap_credit() returns trigger language plpgsql as $$
declare
  original record;
  taken record;
begin
  select l.quantity, l.net, l.vat, l.gross into original
  from finance.invoice_line l where l.id = new.original_line_id for update;
  if sign(new.quantity) = sign(original.quantity) then
    return null;
  end if;
  select sum(l.quantity) as quantity, sum(l.net) as net, sum(l.vat) as vat, sum(l.gross) as gross into taken
  from finance.invoice_line l
  where l.original_line_id = new.original_line_id and sign(l.quantity) <> sign(original.quantity);
  if abs(taken.quantity) > abs(original.quantity) or abs(taken.net) > abs(original.net)
     or abs(taken.vat) > abs(original.vat) or abs(taken.gross) > abs(original.gross) then
    raise exception 'line % is credited beyond what was invoiced', new.original_line_id using errcode = 'FI005';
  end if;
  return null;
end $$;

-- Entries that were posted before lines had a tax date: the document's, else the entry's own day.
alter table journal_line disable trigger user;
update journal_line l set tax_on = case when l.vat_code <> '' then d.tax_on else l.entry_on end
from (
  select e.id, coalesce(tax_day(i.kind, i.vat_total, i.gross_total, i.fulfilled_on, i.issued_on), e.entry_on) as tax_on
  from journal_entry e left join invoice i on e.posting_key = 'invoice:' || i.id and i.state = 'issued'
) d where d.id = l.entry_id;
alter table journal_line enable trigger user;

delete from ledger_balance;
insert into ledger_balance (entry_on, tax_on, account, vat_code, debit, credit)
select l.entry_on, l.tax_on, l.account, l.vat_code, sum(greatest(l.amount, 0)), sum(greatest(-l.amount, 0))
from journal_line l join entry_seal s on s.entry_id = l.entry_id group by 1, 2, 3, 4;

-- Seals up to here were made of lines without a tax date.
update seal_head set dated_from = last_no;
