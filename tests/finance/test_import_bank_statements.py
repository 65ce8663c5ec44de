"""Bank statements: read whole or refused with every error, imported once, matched and booked as payments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.actor import SYSTEM
from finance import api
from finance.errors import BadStatement, NotBookable, PaymentNotAllocatable
from finance.models import BankEntry, BankMapping, BankStatement, FiscalPeriod, Payment
from finance.services.bank_import import import_statements, plan_import, read_statements
from finance.services.bank_matching import book_entry, book_sure, set_aside, suggest, take_up
from finance.services.invoicing import create_invoice
from tests.finance.world import DAY, World, posted

D = Decimal
ACCOUNT = "HU42117730161111101800000000"

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt>
<Id>{ref}</Id><Acct><Id><IBAN>{account}</IBAN></Id><Ccy>HUF</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="HUF">1000</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="HUF">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
{entries}</Stmt></BkToCstmrStmt></Document>"""

ENTRY = """<Ntry><Amt Ccy="HUF">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-03-12</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>{details}</Ntry>"""

DETAIL = """<TxDtls>{amount}<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr><DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct>
</RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"""


def entry(ref: str, amount: int, text: str = "", name: str = "Somebody", iban: str = "") -> str:
    details = f"<NtryDtls>{DETAIL.format(amount='', name=name, iban=iban, text=text)}</NtryDtls>"
    return ENTRY.format(ref=ref, amount=abs(amount), side="CRDT" if amount > 0 else "DBIT", details=details)


def camt(ref: str, *entries: str, closing: int) -> bytes:
    return CAMT.format(ref=ref, account=ACCOUNT, closing=closing, entries="".join(entries)).encode()


def load(content: bytes, **more: Any) -> dict[str, Any]:
    return import_statements(read_statements(content, **more), actor=SYSTEM, file_name="bank.xml")


def invoice(world: World, price: str = "1000", **more: Any) -> dict[str, Any]:
    line = {"name": "Advice", "quantity": 1, "unit_price": price, "vat_code": "27"}
    return create_invoice({"customer_id": world.customer, "issued_on": DAY, "lines": [line], **more}, SYSTEM)


def test_statement_is_imported_once(fresh_world: World) -> None:
    content = camt("S1", entry("A1", 500, "first"), entry("A2", -200), closing=1300)
    plan = plan_import(read_statements(content))[0]
    assert (len(plan.new), plan.known, BankEntry.objects.count()) == (2, 0, 0)
    assert load(content) == {"statements": 1, "entries": 2, "known": 0}
    assert load(content) == {"statements": 0, "entries": 0, "known": 2}
    found = BankEntry.objects.get(entry_ref="A1")
    assert (found.amount, found.booked_on, found.reference, found.payer_name) == (
        D(500), date(2026, 3, 12), "first", "Somebody",
    )  # fmt: skip


def test_overlapping_statement_brings_only_what_is_new(fresh_world: World) -> None:
    load(camt("S1", entry("A1", 500), closing=1500))
    assert load(camt("S2", entry("A1", 500), entry("A2", 100), closing=1600))["entries"] == 1
    with pytest.raises(BadStatement, match="A1 was imported as .* 500"):
        load(camt("S3", entry("A1", 501), closing=1501))


def test_bad_file_is_refused_with_every_error_and_nothing_is_kept(fresh_world: World) -> None:
    bad = camt(
        "S1", entry("A1", 500), entry("A2", 1).replace(">1<", ">x<"), entry("A3", 2).replace("CRDT", "UP"), closing=1
    )
    with pytest.raises(BadStatement) as refused:
        load(bad)
    assert "entry 2" in refused.value.message
    assert "entry 3" in refused.value.message
    with pytest.raises(BadStatement, match="do not make the balance 99"):
        load(camt("S1", entry("A1", 500), closing=99))
    with pytest.raises(BadStatement, match="used twice"):
        load(camt("S1", entry("A1", 500), entry("A1", 1), closing=1501))
    for content in (b"", b"<a/>", b"no xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"):
        with pytest.raises(BadStatement):
            load(content)
    assert (BankStatement.objects.count(), BankEntry.objects.count()) == (0, 0)


def test_batch_is_split_into_its_transactions(fresh_world: World) -> None:
    part = '<AmtDtls><TxAmt><Amt Ccy="HUF">{}</Amt></TxAmt></AmtDtls>'
    details = "".join(DETAIL.format(amount=part.format(n), name=f"P{n}", iban="", text=f"T{n}") for n in (100, 200))
    batch = ENTRY.format(ref="B1", amount=300, side="CRDT", details=f"<NtryDtls>{details}</NtryDtls>")
    load(camt("S1", batch, closing=1300))
    rows = BankEntry.objects.order_by("entry_ref").values_list("entry_ref", "amount", "payer_name", "reference")
    assert list(rows) == [("B1/1", D(100), "P100", "T100"), ("B1/2", D(200), "P200", "T200")]


@pytest.fixture
def mapping(fresh_world: World) -> BankMapping:
    columns = {"booked_on": "Dátum", "amount": "Összeg", "reference": "Közlemény", "payer_name": "Partner"}
    return BankMapping.objects.create(name="OTP", encoding="cp1250", date_format="%Y.%m.%d", columns=columns)


def test_csv_is_read_by_its_mapping(mapping: BankMapping) -> None:
    content = (
        "Dátum;Összeg;Partner;Közlemény\n2026.03.12;1 270,50;Kovács Bt.;INV\n"
        "2026.03.12;-30;Bank;díj\n2026.03.12;-30;Bank;díj\n"
    ).encode("cp1250")
    done = load(content, mapping=mapping, account=ACCOUNT, currency="HUF")
    assert done == {"statements": 1, "entries": 3, "known": 0}  # two equal fees are two entries
    assert BankEntry.objects.get(payer_name="Kovács Bt.").amount == D("1270.5")
    assert load(content, mapping=mapping, account=ACCOUNT, currency="HUF")["entries"] == 0


def test_csv_errors_name_their_rows(mapping: BankMapping) -> None:
    content = "Dátum;Összeg;Partner;Közlemény\n2026-03-12;1;a;b\n2026.03.12;sok;a;b\n2026.03.12;5;a;b\n".encode(
        "cp1250"
    )
    with pytest.raises(BadStatement, match="row 2: .*not a date.*row 3: .*not an amount"):
        load(content, mapping=mapping, account=ACCOUNT, currency="HUF")
    with pytest.raises(BadStatement, match="no column Közlemény"):
        load("Dátum;Összeg;Partner\n".encode("cp1250"), mapping=mapping, account=ACCOUNT, currency="HUF")
    assert BankEntry.objects.count() == 0


def test_number_and_amount_make_a_sure_suggestion(fresh_world: World) -> None:
    first, second = invoice(fresh_world), invoice(fresh_world, "2000")
    text = f"{first['number'].lower().replace('-', ' ')} es {second['number']}"
    load(camt("S1", entry("A1", 3810, text), entry("A2", 1270), closing=6080))
    (best, *_) = suggest(BankEntry.objects.get(entry_ref="A1"))
    assert (best.is_sure, best.numbers, best.left) == (True, f"{first['number']}, {second['number']}", 0)
    (guess, *_) = suggest(BankEntry.objects.get(entry_ref="A2"))
    assert (guess.is_sure, guess.reason, guess.numbers) == (False, "same amount", first["number"])
    assert book_sure(SYSTEM) == {"booked": 1, "refused": [], "open": 1}
    assert [api.get_invoice(i["id"])["payment_state"] for i in (first, second)] == ["paid", "paid"]
    assert suggest(BankEntry.objects.get(entry_ref="A2")) == []


def test_payer_of_an_earlier_payment_is_recognised(fresh_world: World) -> None:
    first, second = invoice(fresh_world), invoice(fresh_world, "3000")
    iban = "HU00999"
    load(camt("S1", entry("A1", 1270, first["number"], iban=iban), entry("A2", 500, iban=iban), closing=2770))
    book_sure(SYSTEM)
    (best, *_) = suggest(BankEntry.objects.get(entry_ref="A2"))
    assert (best.numbers, best.reason) == (second["number"], "open documents of the payer, oldest first")


def test_entry_is_booked_once_partly_and_with_what_is_left_over(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    load(camt("S1", entry("A1", 1000, "x"), entry("A2", 300, "y"), closing=2300))
    first, second = BankEntry.objects.get(entry_ref="A1"), BankEntry.objects.get(entry_ref="A2")
    book_entry(first.pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    assert api.get_invoice(sale["id"])["payment_state"] == "partly_paid"
    with pytest.raises(NotBookable, match="booked already"):
        book_entry(first.pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    done = book_entry(second.pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}])
    assert (api.get_invoice(sale["id"])["payment_state"], done["unallocated"]) == ("paid", 30)
    assert posted(kind="payment", key=done["id"]) == {"384": D(300), "311": D(-270), "4795": D(-30)}


def test_refused_booking_leaves_the_entry_open(fresh_world: World) -> None:
    load(camt("S1", entry("A1", 1000), closing=2000))
    row = BankEntry.objects.get()
    with pytest.raises(PaymentNotAllocatable):
        book_entry(row.pk, actor=SYSTEM)
    assert (BankEntry.objects.get().state, Payment.objects.count()) == ("open", 0)
    set_aside(row.pk, actor=SYSTEM, reason="Interest")
    with pytest.raises(NotBookable, match="set aside already"):
        book_entry(row.pk, actor=SYSTEM, customer_id=fresh_world.customer)
    take_up(row.pk)
    done = book_entry(row.pk, actor=SYSTEM, customer_id=fresh_world.customer)
    assert done["unallocated"] == 1000


def test_refused_entry_stops_none_of_the_others(fresh_world: World) -> None:
    first, second = invoice(fresh_world), invoice(fresh_world, "2000")
    old = entry("A1", 1270, first["number"]).replace("2026-03-12", "2026-02-12")
    load(camt("S1", old, entry("A2", 2540, second["number"]), closing=4810))
    FiscalPeriod.objects.filter(code="2026-02").update(state=FiscalPeriod.State.SOFT_LOCKED)
    done = book_sure(SYSTEM)
    assert (done["booked"], done["open"]) == (1, 1)
    assert [api.get_invoice(i["id"])["payment_state"] for i in (first, second)] == ["open", "paid"]
    (reason,) = done["refused"]
    assert "2026-02-12 1270" in reason
    assert "period" in reason.lower()


def test_document_named_twice_is_refused_and_the_entry_stays_open(fresh_world: World) -> None:
    sale = invoice(fresh_world)
    load(camt("S1", entry("A1", 1270), closing=2270))
    row = BankEntry.objects.get()
    with pytest.raises(PaymentNotAllocatable, match="named twice"):
        book_entry(row.pk, actor=SYSTEM, documents=[{"invoice_id": sale["id"]}, {"invoice_id": sale["id"]}])
    assert BankEntry.objects.get().state == "open"
