-- What was sent is written with its row and never again; an answer is written once. What became of a document
-- (status, messages, times) is noted as it comes in.
create trigger nav_item_frozen before update of batch_id, index_no, submission_id, xml, hash, totals on nav_item
  for each row when (
    (old.batch_id, old.index_no, old.submission_id, old.hash, old.totals)
      is distinct from (new.batch_id, new.index_no, new.submission_id, new.hash, new.totals)
    or old.xml is distinct from new.xml)
  execute function keep_reports();
create trigger nav_batch_frozen
  before update of is_annulment, endpoint, request_id, item_count, sent_at, request on nav_batch
  for each row when (
    (old.is_annulment, old.endpoint, old.request_id, old.item_count, old.sent_at)
      is distinct from (new.is_annulment, new.endpoint, new.request_id, new.item_count, new.sent_at)
    or old.request is distinct from new.request)
  execute function keep_reports();
create trigger nav_batch_answer_frozen before update of response on nav_batch
  for each row when (old.response <> '' and old.response is distinct from new.response)
  execute function keep_reports();
create trigger nav_annulment_frozen before update of submission_id, code, reason, xml on nav_annulment
  for each row when (
    (old.submission_id, old.code, old.reason, old.xml)
      is distinct from (new.submission_id, new.code, new.reason, new.xml))
  execute function keep_reports();
create trigger nav_annulment_kept before delete on nav_annulment for each row execute function keep_reports();
create trigger nav_annulment_no_truncate before truncate on nav_annulment
  for each statement execute function keep_reports();
