"""Check 7: entries, lines and their chain."""

from __future__ import annotations

from tests.scrub.plants.sql import Plants, swapped, twice

LEDGER: Plants = {
    "one minor unit": (
        ("update finance.journal_line set amount = amount + 0.01 where id = {line[0]}",),
        {"finance/journal_entry {entry}": "owner corrupt", "finance/line {entry}/1": "rogue write"},
    ),
    "balanced change": (
        ("update finance.journal_line set amount = amount * 2 where entry_id = {entry}",),
        {"finance/line {entry}/1": "rogue write", "finance/line {entry}/2": "rogue write",
         "finance/line {entry}/3": "rogue write"},
    ),
    "lost entry": (
        ("delete from finance.journal_line where entry_id = {entry}",),
        {"finance/journal_entry {entry}": "lost", "finance/line {entry}/1": "rogue write",
         "finance/line {entry}/2": "rogue write", "finance/line {entry}/3": "rogue write"},
    ),
    "duplicated line": (
        (twice("finance.journal_line", "id = {line[0]}", "'line_no', 99"),),
        {"finance/journal_entry {entry}": "owner corrupt", "finance/line {entry}/99": "rogue write"},
    ),
    "further lines that keep the entry balanced": (
        tuple(
            twice("finance.journal_line", "id = {line[0]}", f"'line_no', {no}", f"'id', {999900 + no}",
                  f"'amount', {amount}", f"'document_amount', {amount}")
            for no, amount in ((98, 5), (99, -5))
        ),
        {"finance/line {entry}/98": "rogue write", "finance/line {entry}/99": "rogue write"},
    ),
    "entry written past the seals": (
        (twice("finance.journal_entry", "id = {entry}", "'posting_key', 'rogue'"),
         twice("finance.journal_line", "entry_id = {entry}", "'id', t.id + 900000", "'entry_id', 999999",
               "'entry_no', 999999")),
        {"finance/entry 999999": "rogue write"},
    ),
    "lines in another entry": (
        ("update finance.journal_line set entry_id = {next_entry}, line_no = line_no + 50 where entry_id = {entry}",),
        {"finance/journal_entry {entry}": "lost",
         **{f"finance/journal_line {{line[{at}]}}": "rogue write" for at in range(3)},
         **{f"finance/line {{entry}}/{no}": "rogue write" for no in (1, 2, 3)},
         **{f"finance/line {{next_entry}}/{no}": "rogue write" for no in (51, 52, 53)}},
    ),
    "swapped lines": (
        swapped("finance.journal_line", "line_no", "entry_id = {entry}", "1", "2"),
        {"finance/line {entry}/1": "rogue write", "finance/line {entry}/2": "rogue write"},
    ),
    "account that is none": (
        ("update finance.journal_line set account = '0' where id = {line[0]}",),
        {"finance/journal_line {line[0]}": "rogue write", "finance/line {entry}/1": "rogue write"},
    ),
    "broken chain": (
        ("update finance.entry_seal set hash = sha256('x') where no = 2",),
        {"finance/seal ledger 2": "rogue write", "finance/seal ledger 3": "rogue write"},
    ),
    "lost seal": (
        ("delete from finance.entry_seal where no = 2",),
        {"finance/seal ledger 2": "rogue write", "finance/entry 2": "rogue write"},
    ),
    "entry without lines": (
        (twice("finance.journal_entry", "id = {entry}", "'posting_key', 'rogue'"),),
        {"finance/journal_entry 999999": "lost", "finance/entry 999999": "rogue write"},
    ),
    "issued document without entry": (
        ("update finance.journal_entry set posting_key = 'rogue' where id = {entry}",),
        {"finance/invoice {number[0]}": "lost", "finance/entry {entry}": "rogue write"},
    ),
}  # fmt: skip
