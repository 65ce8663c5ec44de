"""What the NAV reported as DONE against the documents, from Finance's own records: for the nightly cross-check."""

from __future__ import annotations

# Both sides per document and VAT treatment as the NAV knows it; a simplified invoice reports gross amounts alone.
# A report of what is not an issued document here is extra, whatever it says.
REPORTED_DIFFERS = """
with documents as (
  select i.id, k.key, sum(case when simple then v.base_net + v.base_vat else v.base_vat end) as amount
  from invoice i join nav_submission s on s.invoice_id = i.id and s.state = 'done'
  left join invoice b on b.id = s.base_id
  cross join lateral coalesce(b.is_simplified, i.is_simplified) as simple
  cross join lateral jsonb_to_recordset(i.vat_summary) v(vat_code text, base_net numeric, base_vat numeric)
  left join vat_code c on c.code = v.vat_code
  cross join lateral (
    select case when simple and c.nav_element = 'vatPercentage' then 'vatContent ' || c.nav_vat_content
      else c.nav_element || ' ' || split_part(c.nav_value, ' ', 1) end as key) k
  where i.state = 'issued' group by i.id, k.key
), nav as (
  select s.invoice_id as id, r.element || ' ' || r.value as key, sum(coalesce(r.vat, r.gross)) as amount
  from nav_submission s
  left join lateral jsonb_to_recordset(s.reported) r(element text, value text, vat numeric, gross numeric) on true
  where s.state = 'done' group by s.invoice_id, r.element || ' ' || r.value
)
select coalesce(i.number, s.number) as number, coalesce(d.key, n.key, 'no amount') as key,
  coalesce(d.amount, 0) as document, coalesce(n.amount, 0) as nav, i.id is null as is_extra,
  to_char(coalesce(i.issued_on, s.issued_on), 'YYYY-MM') as month
from documents d full join nav n on n.id = d.id and n.key is not distinct from d.key
join nav_submission s on s.invoice_id = coalesce(d.id, n.id)
left join invoice i on i.id = s.invoice_id and i.state = 'issued'
where i.id is null or n.id is null or (d.id is null and n.key is not null) or (d.id is not null and d.key is null)
  or d.amount <> n.amount
order by s.invoice_id, 2"""

NOT_REPORTED = """
select i.number, coalesce(s.state, 'no report') as state, coalesce(s.due_at < clock_timestamp(), true) as is_late,
  coalesce(i.base_vat_total, 0) as vat
from invoice i left join nav_submission s on s.invoice_id = i.id
where i.state = 'issued' and (s.state is null or s.state <> 'done') order by i.id"""
