-- Superseded: the rule in force is cap_credit in tax_point_rules.sql. This text stays as the migration of its day applies it.
-- No line is taken back beyond what it charged, in this document or a later one; the lock on the line makes those who
-- take from it queue. A line of the same sign is charged anew or in addition, and may itself be taken back.
create or replace function cap_credit() returns trigger language plpgsql as $$
declare
  original record;
  taken record;
begin
  select l.quantity, l.net, l.gross into original
  from finance.invoice_line l where l.id = new.original_line_id for update;
  if sign(new.quantity) = sign(original.quantity) then
    return null;
  end if;
  select sum(l.quantity) as quantity, sum(l.net) as net, sum(l.gross) as gross into taken
  from finance.invoice_line l
  where l.original_line_id = new.original_line_id and sign(l.quantity) <> sign(original.quantity);
  if abs(taken.quantity) > abs(original.quantity) or abs(taken.net) > abs(original.net)
     or abs(taken.gross) > abs(original.gross) then
    raise exception 'line % is credited beyond what was invoiced', new.original_line_id using errcode = 'FI005';
  end if;
  return null;
end $$;

-- Of an advance no more is taken off and credited than was invoiced, per VAT code, its corrections counted; what a
-- cancelled final invoice gives back counts again.
create or replace function cap_advances() returns trigger language plpgsql as $$
declare
  touched bigint;
  beyond record;
begin
  for touched in
    select distinct x.id from (
      select l.advance_invoice_id as id from finance.invoice_line l
      where l.invoice_id = new.id and l.advance_invoice_id is not null
      union all
      select a.id from finance.invoice a where a.id = new.original_id and a.kind = 'advance'
    ) x order by 1
  loop
    perform 1 from finance.invoice_settlement s where s.invoice_id = touched for update;
    select u.vat_code, u.net, u.vat into beyond from (
      select x.vat_code, sum(x.net) as net, sum(x.vat) as vat from (
        select l.vat_code, l.net, l.vat from finance.invoice_line l where l.invoice_id = touched
        union all
        select l.vat_code, l.net, l.vat from finance.invoice_line l join finance.invoice i on i.id = l.invoice_id
        where i.original_id = touched and l.advance_invoice_id is null
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
