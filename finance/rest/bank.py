"""Bank statements over REST: CSV formats, import, entries with their suggestions, and what becomes of them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import CharField, ChoiceField, IntegerField

from erp.actor import Actor
from finance.errors import BadStatement, NotBookable
from finance.models import BankEntry, BankMapping, BankStatement
from finance.rest.inputs import AllocationInput, Input, NothingMore, money_field
from finance.rest.operations import CollectionOperation, Data, FinanceOperation
from finance.rest.reading import InternalReadViewSet
from finance.rest.reports import FinanceReport
from finance.services import bank_balances, bank_import, bank_matching, bank_posting
from finance.services.bank_files import encoding_problem, mapping_problem


class MappingSerializer(serializers.ModelSerializer[BankMapping]):
    """How a bank's CSV file is read."""

    columns = serializers.JSONField(help_text="Field → heading: booked_on, amount, and what else the file has")

    class Meta:
        model = BankMapping
        fields = ("id", "name", "delimiter", "encoding", "decimal_separator", "date_format", "columns")

    def validate_columns(self, columns: Any) -> Any:
        """Known fields with headings; day and amount are needed."""
        if wrong := mapping_problem(columns):
            raise serializers.ValidationError(wrong)
        return columns

    def validate_encoding(self, encoding: str) -> str:
        """One that exists."""
        if wrong := encoding_problem(encoding):
            raise serializers.ValidationError(wrong)
        return encoding


class BankMappings(CollectionOperation):
    """CSV formats: list, and define one."""

    queryset = BankMapping.objects.all()
    row_serializer = MappingSerializer
    serializer_class = MappingSerializer
    filterset_fields = ("name",)

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Define."""
        return self.once(key, data, lambda: dict(MappingSerializer(BankMapping.objects.create(**data)).data))


class StatementSerializer(serializers.ModelSerializer[BankStatement]):
    """An imported statement."""

    class Meta:
        model = BankStatement
        fields = "__all__"


class StatementInput(Input):
    """A statement's file, whole: ``content`` in base64."""

    format = ChoiceField(["camt053", "csv"], default="camt053")
    content = CharField(trim_whitespace=False)
    file_name = CharField(max_length=200, required=False, default="", allow_blank=True)
    mapping = CharField(max_length=60, required=False, help_text="Name of the CSV format")
    account = CharField(max_length=40, required=False, default="", help_text="Own account, of a CSV file")
    currency = CharField(min_length=3, max_length=3, required=False, default="", help_text="Of a CSV file")
    closing_balance = money_field(required=False)


class BankStatements(CollectionOperation):
    """Statements: list, and import a file, all or nothing; what is known already is passed over."""

    queryset = BankStatement.objects.all()
    row_serializer = StatementSerializer
    serializer_class = StatementInput
    filterset_fields = ("account", "statement_ref", "currency", "last_on")

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Import; the answer says how many statements and entries are new, and how many entries were known."""
        try:
            content = base64.b64decode(data["content"], validate=True)
        except binascii.Error as error:
            raise BadStatement("The content is not base64") from error
        statements = bank_import.read_statements(
            content, mapping=_mapping(data), account=data["account"], currency=data["currency"].upper(),
            closing_balance=data.get("closing_balance"),
        )  # fmt: skip
        run = lambda: bank_import.import_statements(statements, actor=actor, file_name=data["file_name"])  # noqa: E731
        return self.once(key, data, run)


def _mapping(data: Data) -> BankMapping | None:
    if data["format"] == "camt053":
        return None
    found = BankMapping.objects.filter(name=data.get("mapping", "")).first()
    if found is None or not data["account"]:
        names = ", ".join(BankMapping.objects.values_list("name", flat=True)) or "none yet"
        raise BadStatement(f"A CSV file needs its account and the name of a mapping; there are: {names}")
    return found


class StatementBalance(FinanceReport):
    """A statement's closing balance beside the ledger's."""

    def report(self, pk: int = 0) -> Data:
        """The comparison; ``difference`` is null while entries are open."""
        row = self.found(BankStatement, pk)
        return {"statement": row.statement_ref, "on": row.last_on, **bank_balances.check_balance(row).as_data()}


class BankEntrySerializer(serializers.ModelSerializer[BankEntry]):
    """A movement on the account, and what became of it."""

    class Meta:
        model = BankEntry
        fields = "__all__"


class BankEntryViewSet(InternalReadViewSet):
    """Entries of all statements."""

    queryset = BankEntry.objects.all()
    serializer_class = BankEntrySerializer
    filterset_fields = ("state", "account", "entry_ref", "booked_on", "statement")


class EntrySuggestions(FinanceReport):
    """What an entry may pay, the likeliest first."""

    def report(self, pk: int = 0) -> Data:
        """Documents per suggestion, and the account to which the last entry of the same other side went."""
        entry = self.found(BankEntry, pk)
        rows = [
            {
                "customer_id": s.customer_id, "reason": s.reason, "is_sure": s.is_sure, "left": s.left,
                "documents": [{"invoice_id": key, "number": number, "amount": a} for key, number, a in s.documents],
            }
            for s in bank_matching.suggest(entry)
        ]  # fmt: skip
        return {"suggestions": rows, "usual_account": bank_posting.usual_account(entry)}


class ShareInput(Input):
    """What of an entry goes to an account; one line may come without an amount and takes the rest."""

    account = CharField(max_length=20)
    amount = money_field(required=False, min_value=0)
    text = CharField(max_length=200, required=False, default="", allow_blank=True)


class BookingInput(Input):
    """Documents, or a customer alone, or accounts."""

    documents = AllocationInput(many=True, required=False)
    customer_id = IntegerField(required=False)
    lines = ShareInput(many=True, required=False)
    text = CharField(max_length=200, required=False, default="", allow_blank=True)


class BookEntry(FinanceOperation):
    """Book an entry as a customer's payment, or to accounts."""

    serializer_class = BookingInput
    success_status = 201

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Book; the answer is the payment, or the journal entry."""
        documents, customer_id, lines = data.get("documents") or [], data.get("customer_id"), data.get("lines") or []
        if bool(documents or customer_id) == bool(lines):
            raise NotBookable("Name either documents or a customer, or lines with accounts")

        def run() -> Data:
            if lines:
                return bank_posting.post_to_accounts(path["pk"], lines, actor=actor, text=data["text"])
            return bank_matching.book_entry(path["pk"], actor=actor, documents=documents, customer_id=customer_id)

        return self.once(key, [path, data], run)


class SetAsideInput(Input):
    """Why an entry is left to other books."""

    reason = CharField(max_length=150)


class SetEntryAside(FinanceOperation):
    """Leave an entry to other books, with a reason; undoing it opens the entry again."""

    serializer_class = SetAsideInput

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Set aside; the answer is the entry's state."""

        def run() -> Data:
            bank_matching.set_aside(path["pk"], actor=actor, reason=data["reason"])
            return {"state": "set_aside"}

        return self.once(key, [path, data], run)


class ReopenEntry(FinanceOperation):
    """Undo the booking of an entry, or take it up again when it was set aside: it is open again."""

    serializer_class = NothingMore

    def run(self, data: Data, actor: Actor, key: str, **path: Any) -> Data:
        """Open again; the answer names what undoes a booking."""

        def run() -> Data:
            if BankEntry.objects.filter(pk=path["pk"], state=BankEntry.State.SET_ASIDE).exists():
                bank_matching.take_up(path["pk"])
                return {"state": "open", "number": ""}
            return {"state": "open", **bank_posting.take_back(path["pk"], actor=actor)}

        return self.once(key, path, run)
