"""Technical annulments: their check, and the decision a person takes on the NAV's web page."""

from finance.nav.standin.facts import Finding
from finance.nav.standin.store import Store

DECISIONS = {"DONE": "VERIFICATION_DONE", "REJECTED": "VERIFICATION_REJECTED"}


def check_annulment(store: Store, tax_number: str, number: str) -> list[Finding]:
    """Find why the report of `number` cannot be annulled."""
    held = store.first(
        "SELECT is_complete FROM item WHERE tax_number = ? AND number = ? AND state = 'DONE' AND is_annulled = 0"
        " AND operation <> 'ANNUL'",
        *(tax_number, number),
    )
    if held is None:
        return [_error("INVALID_ANNULMENT_REFERENCE", "no such report")]
    if held["is_complete"]:
        return [_error("INVALID_ANNULMENT_REFERENCE", "the report is itself the electronic invoice")]
    pending = store.first(
        "SELECT 1 FROM item JOIN batch USING (seq) WHERE item.tax_number = ? AND number = ? AND operation = 'ANNUL'"
        " AND state = 'DONE' AND annulment = 'VERIFICATION_PENDING'",
        *(tax_number, number),
    )
    return [_error("ANNULMENT_IN_PROGRESS", "an annulment is pending")] if pending else []


def decide_annulment(store: Store, number: str, decision: str) -> int:
    """Approve (DONE) or refuse (REJECTED) the pending annulment batches that name `number`; returns how many.

    An approved annulment takes the base's modifications along; the numbers may then be used again.
    """
    verdict = DECISIONS[decision]
    with store.transaction():
        batches = store.rows(
            "SELECT DISTINCT seq FROM item JOIN batch USING (seq)"
            " WHERE number = ? AND operation = 'ANNUL' AND annulment = 'VERIFICATION_PENDING'",
            number,
        )
        for batch in batches:
            store.run("UPDATE batch SET annulment = ? WHERE seq = ?", verdict, batch["seq"])
            if decision == "DONE":
                _annul(store, batch["seq"])
    return len(batches)


def _annul(store: Store, seq: int) -> None:
    for item in store.rows("SELECT tax_number, number FROM item WHERE seq = ? AND state = 'DONE'", seq):
        store.run(
            "UPDATE item SET is_annulled = 1 WHERE tax_number = ? AND (number = ? OR original_number = ?)"
            " AND state = 'DONE' AND operation <> 'ANNUL'",
            *(item["tax_number"], item["number"], item["number"]),
        )


def _error(code: str, message: str) -> Finding:
    return Finding("ERROR", code, message, "annulmentReference")
