"""Checks of the VAT choice of lines and summary, and of their kinds."""

from collections.abc import Iterator

from finance.nav.standin.facts import DocumentFacts, Finding, VatFacts

_RATES = frozenset({"0.27", "0.18", "0.05", "0.12", "0.07"})
_OLD_RATES = frozenset({"0.2", "0.25"})
_CONTENTS = frozenset({"0.2126", "0.1525", "0.0476"})
_EXEMPTIONS = frozenset({"AAM", "TAM", "KBAET", "KBAUK", "EAM", "NAM"})
_OUT_OF_SCOPE = frozenset({"ATK", "EUFAD37", "EUFADE", "EUE", "HO"})
_MISMATCHES = frozenset({"REFUNDABLE_VAT", "NONREFUNDABLE_VAT"})


def check_vat(facts: DocumentFacts, operation: str) -> Iterator[Finding]:
    """Find VAT values that are not in the NAV's table."""
    is_change = operation != "CREATE"
    for line in facts.lines:
        if line.vat:
            yield from _check_value(line.vat, "LINE", line.number, is_change, facts.without_master)
            yield from _check_kind(line.vat, facts.category, "LINE", line.number)
    for vat in [row.vat for row in facts.summary] + list(facts.simplified_vat):
        yield from _check_value(vat, "SUMMARY", None, is_change, facts.without_master)
        yield from _check_kind(vat, facts.category, "SUMMARY", None)


def check_kinds(facts: DocumentFacts) -> Iterator[Finding]:
    """Find lines and summaries of different kinds."""
    wanted = "simplified" if facts.category == "SIMPLIFIED" else "normal"
    is_summary_fit = facts.is_summary_normal == (wanted == "normal")
    code = f"LINE_SUMMARY_TYPE_MISMATCH_{wanted.upper()}"
    if not is_summary_fit:
        yield Finding(
            "ERROR", code, f"the summary of a {facts.category} invoice is of the other kind", "invoiceSummary"
        )
    for line in facts.lines:
        if line.kind and line.kind != wanted:
            yield Finding(
                "ERROR", code, "the line is of the other kind", f"lineAmounts{line.kind.title()}", line.number
            )


def _check_value(
    vat: VatFacts, place: str, line: int | None, is_change: bool, without_master: bool
) -> Iterator[Finding]:
    element, value, case = vat
    if element == "vatExemption" and value not in _EXEMPTIONS:
        if not (value == "UNKNOWN" and is_change and without_master):
            yield Finding("ERROR", f"INVALID_{place}_VAT_EXEMPTION_CODE", f"unknown case {value}", element, line, value)
    elif element == "vatOutOfScope" and value not in _OUT_OF_SCOPE:
        if not (value == "UNKNOWN" and is_change and without_master):
            code = f"INVALID_{place}_VAT_OUT_OF_SCOPE_CODE"
            yield Finding("ERROR", code, f"unknown case {value}", element, line, value)
    elif not _is_allowed(element, value, case, is_change):
        yield Finding("ERROR", "INVALID_VAT_DATA", f"{value or case} is not allowed", element, line, value)


def _is_allowed(element: str, value: str, case: str, is_change: bool) -> bool:
    rates = _RATES | _OLD_RATES if is_change else _RATES
    match element:
        case "vatPercentage":
            return _plain(value) in rates
        case "vatContent":
            return _plain(value) in _CONTENTS
        case "vatAmountMismatch":
            return _plain(value) in rates and case in _MISMATCHES
        case _:
            return True


def _check_kind(vat: VatFacts, category: str, place: str, line: int | None) -> Iterator[Finding]:
    if category == "SIMPLIFIED" and vat[0] == "vatPercentage":
        yield Finding(
            "ERROR", f"INVALID_{place}_VAT_RATE_SIMPLIFIED", "vatPercentage on a simplified invoice", vat[0], line
        )
    if category != "SIMPLIFIED" and vat[0] == "vatContent":
        yield Finding("ERROR", f"INVALID_{place}_VAT_RATE_NORMAL", "vatContent on a normal invoice", vat[0], line)


def _plain(rate: str) -> str:
    return rate.rstrip("0") if "." in rate else rate
