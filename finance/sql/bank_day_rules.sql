-- Payments of statements that are linked with their entry, and posted on another day than the bank's.
alter table payment disable trigger user;
update payment p set bank_on = e.booked_on from bank_entry e where e.payment_id = p.id and e.booked_on <> p.received_on;
alter table payment enable trigger user;
