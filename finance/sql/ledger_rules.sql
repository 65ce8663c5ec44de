-- A posting finds its period by its date; nothing enters a month that is locked. The first posting into a
-- calendar year opens its months, but none before a month that is closed for good.
create function enter_period() returns trigger language plpgsql as $$
declare
  month record;
begin
  select p.code, p.state, p.id into month from finance.fiscal_period p
  where new.entry_on between p.starts_on and p.ends_on;
  if not found then
    if exists (select 1 from finance.fiscal_period p where p.state = 'locked' and p.starts_on > new.entry_on) then
      raise exception 'no fiscal period for %: later months are closed', new.entry_on using errcode = 'FI001';
    end if;
    insert into finance.fiscal_period (code, fiscal_year, starts_on, ends_on)
    select to_char(m, 'YYYY-MM'), extract(year from m), m::date, (m + interval '1 month' - interval '1 day')::date
    from generate_series(date_trunc('year', new.entry_on::timestamp), date_trunc('year', new.entry_on::timestamp)
                         + interval '11 months', interval '1 month') m
    on conflict do nothing;
    select p.code, p.state, p.id into strict month from finance.fiscal_period p
    where new.entry_on between p.starts_on and p.ends_on;
  end if;
  -- Closing a month takes this lock alone, so it waits for postings under way and they see the lock.
  perform pg_advisory_xact_lock_shared(1179209216, month.id::int);
  select p.code, p.state, p.id into month from finance.fiscal_period p where p.id = month.id;
  if month.state = 'locked' or (month.state = 'soft_locked' and new.kind <> 'closing') then
    raise exception 'period % is %', month.code, month.state using errcode = 'FI002';
  end if;
  new.period := month.code;
  new.xid := pg_current_xact_id();
  return new;
end $$;
create trigger journal_entry_period before insert on journal_entry
  for each row execute function enter_period();

-- Superseded: the rule in force is enter_line in tax_point_rules.sql. This text stays as the migration of its day applies it.
-- A line belongs to an entry of its own transaction and repeats the entry's own data. Its id is always
-- taken from the sequence: the line with the highest id of an entry is the one that was inserted last.
create function enter_line() returns trigger language plpgsql as $$
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
  return new;
end $$;
create trigger journal_line_enter before insert on journal_line
  for each row execute function enter_line();

-- Every line brings a check of its entry. It is done for the line that was inserted last, which sees all
-- others, so that a long entry is summed once and not once per line.
create function require_balance() returns trigger language plpgsql as $$
declare
  difference numeric;
begin
  if new.id < (select max(l.id) from finance.journal_line l where l.entry_id = new.entry_id) then
    return null;
  end if;
  select sum(l.amount) into difference from finance.journal_line l where l.entry_id = new.entry_id;
  if difference <> 0 then
    raise exception 'entry % does not balance: debit exceeds credit by %', new.entry_id, difference
      using errcode = 'FI003';
  end if;
  return null;
end $$;
create constraint trigger journal_line_balance after insert on journal_line
  deferrable initially deferred for each row execute function require_balance();

create function require_lines() returns trigger language plpgsql as $$
begin
  if (select count(*) from (select 1 from finance.journal_line l where l.entry_id = new.id limit 2) x) < 2 then
    raise exception 'entry % has fewer than two lines', new.id using errcode = 'FI004';
  end if;
  return null;
end $$;
create constraint trigger journal_entry_lines after insert on journal_entry
  deferrable initially deferred for each row execute function require_lines();

-- A hard lock stays, a period's days stay, and closing waits for postings under way.
create function guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.state = 'locked'
     or (new.code, new.fiscal_year, new.starts_on, new.ends_on)
        is distinct from (old.code, old.fiscal_year, old.starts_on, old.ends_on) then
    raise exception 'period % cannot be changed: its days stay, and a hard lock stays', old.code
      using errcode = 'restrict_violation';
  end if;
  perform pg_advisory_xact_lock(1179209216, old.id::int);
  return new;
end $$;
create trigger fiscal_period_guard before update or delete on fiscal_period
  for each row execute function guard_period();

-- An account that has postings keeps its number and is never removed (foreign keys); a group takes none.
create function guard_account() returns trigger language plpgsql as $$
begin
  if new.number <> old.number or (new.is_group and not old.is_group) then
    if exists (select 1 from finance.journal_line l where l.account = old.number) then
      raise exception 'account % has postings: its number stays, and it cannot become a group', old.number
        using errcode = 'restrict_violation';
    end if;
  end if;
  return new;
end $$;
create trigger account_guard before update on account for each row execute function guard_account();
