-- Whoever issues a document puts its report into the queue, in the same transaction: no way of issuing can forget it.
-- A change of an invoice takes the next index of its chain; the lock on the chain's first report makes changes queue.
create function queue_report() returns trigger language plpgsql as $$
declare
  root bigint;
  next_index integer;
  rest record;
begin
  if new.original_id is null then
    insert into finance.nav_submission (invoice_id, number, issued_on, operation)
    values (new.id, new.number, new.issued_on, 'CREATE');
    return null;
  end if;
  select coalesce(s.base_id, s.invoice_id) into root
  from finance.nav_submission s where s.invoice_id = new.original_id;
  perform 1 from finance.nav_submission s where s.invoice_id = root for no key update;
  select coalesce(max(s.modification_index), 0) + 1 into next_index
  from finance.nav_submission s where s.base_id = root;
  select new.net_total + coalesce(sum(i.net_total), 0) as net, new.vat_total + coalesce(sum(i.vat_total), 0) as vat
  into rest from finance.nav_submission s join finance.invoice i on i.id = s.invoice_id
  where s.invoice_id = root or s.base_id = root;
  insert into finance.nav_submission (invoice_id, number, issued_on, operation, base_id, modification_index)
  values (new.id, new.number, new.issued_on,
          case when new.kind = 'cancellation' and rest.net = 0 and rest.vat = 0 then 'STORNO' else 'MODIFY' end,
          root, next_index);
  return null;
end $$;
create trigger invoice_report after insert on invoice
  for each row when (new.state = 'issued') execute function queue_report();
create trigger invoice_report_when_issued after update of state on invoice
  for each row when (new.state = 'issued' and old.state = 'draft') execute function queue_report();

-- What was reported, sent and answered is kept.
create function keep_reports() returns trigger language plpgsql as $$
begin
  raise exception '% is kept: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end $$;
create trigger nav_submission_kept before delete on nav_submission for each row execute function keep_reports();
create trigger nav_submission_no_truncate before truncate on nav_submission
  for each statement execute function keep_reports();
create trigger nav_batch_kept before delete on nav_batch for each row execute function keep_reports();
create trigger nav_batch_no_truncate before truncate on nav_batch for each statement execute function keep_reports();
create trigger nav_item_kept before delete on nav_item for each row execute function keep_reports();
create trigger nav_item_no_truncate before truncate on nav_item for each statement execute function keep_reports();

-- Documents that were issued before reports existed are reported as well, base by base, change by change.
insert into nav_submission (invoice_id, number, issued_on, operation, base_id, modification_index)
select i.id, i.number, i.issued_on, case when i.original_id is null then 'CREATE' else 'MODIFY' end, i.original_id,
  case when i.original_id is not null
    then row_number() over (partition by i.original_id order by i.id) end
from invoice i where i.state = 'issued' order by i.id;
