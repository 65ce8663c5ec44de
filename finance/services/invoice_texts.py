"""Words of the printed invoice, Hungarian and English, as the VAT Act (Áfa tv. 169. §) and custom name them."""

from __future__ import annotations

from collections.abc import Mapping

Texts = Mapping[str, str]

TEXTS: Mapping[str, Texts] = {
    "hu": {
        "invoice": "Számla",
        "collective": "Gyűjtőszámla",
        "advance": "Előlegszámla",
        "final": "Végszámla",
        "credit_note": "Módosító számla (jóváírás)",
        "cancellation": "Érvénytelenítő számla (sztornó)",
        "credit_without_original": "Jóváíró számla",
        "correction": "Módosító számla",
        "draft": "Tervezet – nem számla",
        "supplier": "Eladó",
        "buyer": "Vevő",
        "tax_number": "Adószám: {}",
        "eu_tax_number": "Közösségi adószám: {}",
        "bank_account": "Bankszámlaszám: {}",
        "issued_on": "Számla kelte",
        "fulfilled_on": "Teljesítés",
        "due_on": "Fizetési határidő",
        "payment_method": "Fizetési mód",
        "currency": "Pénznem",
        "order": "Rendelésszám",
        "period": "Elszámolt időszak",
        "exchange_rate": "Árfolyam",
        "item": "Megnevezés",
        "quantity": "Menny.",
        "unit_price": "Egységár",
        "unit_price_gross": "Bruttó egységár",
        "discount": "Kedvezm.",
        "net": "Nettó",
        "vat_rate": "Áfa",
        "vat": "Áfa összege",
        "gross": "Bruttó",
        "summary": "Áfa-összesítő",
        "vat_kind": "Áfakulcs, jogcím",
        "base_net": "Nettó ({})",
        "base_vat": "Áfa ({})",
        "net_total": "Nettó összesen",
        "vat_total": "Áfa összesen",
        "document_discount": "Ebből a végösszegre adott kedvezmény",
        "payable": "Fizetendő",
        "refundable": "Visszajár",
        "base_vat_total": "Áfa összesen ({})",
        "corrects": "Módosított számla: {}",
        "cancels": "Érvénytelenített számla: {}",
        "line_corrects": "{} számla {}. tétele",
        "line_advance": "{} számú előlegszámla beszámítása",
        "line_delivery": "Teljesítés: {}",
        "reason": "Megjegyzés: {}",
        "exempt": "{}: mentes az adó alól ({}).",
        "exempt_plain": "{}: mentes az adó alól.",
        "out_of_scope": "{}: az áfa területi vagy tárgyi hatályán kívül ({}).",
        "out_of_scope_plain": "{}: az áfa területi vagy tárgyi hatályán kívül.",
        "reverse_charge": "Fordított adózás: az adót a vevő fizeti ({}).",
        "margin": "Különbözet szerinti szabályozás – {}.",
        "no_charge": "Nincs felszámított áfa ({}).",
        "zero": "Pénzügyi teljesítést nem igényel.",
    },
    "en": {
        "invoice": "Invoice",
        "collective": "Collective invoice",
        "advance": "Advance invoice",
        "final": "Final invoice",
        "credit_note": "Credit note",
        "cancellation": "Cancellation invoice",
        "credit_without_original": "Credit note",
        "correction": "Correction invoice",
        "draft": "Draft – not an invoice",
        "supplier": "Supplier",
        "buyer": "Customer",
        "tax_number": "Tax number: {}",
        "eu_tax_number": "VAT number: {}",
        "bank_account": "Bank account: {}",
        "issued_on": "Date of issue",
        "fulfilled_on": "Date of supply",
        "due_on": "Due date",
        "payment_method": "Payment",
        "currency": "Currency",
        "order": "Order",
        "period": "Period",
        "exchange_rate": "Exchange rate",
        "item": "Description",
        "quantity": "Qty",
        "unit_price": "Unit price",
        "unit_price_gross": "Unit price incl. VAT",
        "discount": "Discount",
        "net": "Net",
        "vat_rate": "VAT",
        "vat": "VAT amount",
        "gross": "Gross",
        "summary": "VAT summary",
        "vat_kind": "VAT rate, ground",
        "base_net": "Net ({})",
        "base_vat": "VAT ({})",
        "net_total": "Net total",
        "vat_total": "VAT total",
        "document_discount": "Including a discount on the whole of",
        "payable": "Total payable",
        "refundable": "Total credited",
        "base_vat_total": "VAT total ({})",
        "corrects": "Corrects invoice {}",
        "cancels": "Cancels invoice {}",
        "line_corrects": "Invoice {}, line {}",
        "line_advance": "Deduction of advance invoice {}",
        "line_delivery": "Supplied on {}",
        "reason": "Note: {}",
        "exempt": "{}: exempt from VAT ({}).",
        "exempt_plain": "{}: exempt from VAT.",
        "out_of_scope": "{}: outside the scope of Hungarian VAT ({}).",
        "out_of_scope_plain": "{}: outside the scope of Hungarian VAT.",
        "reverse_charge": "Reverse charge: VAT is accounted for by the customer ({}).",
        "margin": "Margin scheme – {}.",
        "no_charge": "No VAT charged ({}).",
        "zero": "No payment is required.",
    },
}

PAYMENT_METHODS: Mapping[str, Texts] = {
    "hu": {"transfer": "Átutalás", "card": "Bankkártya", "cod": "Utánvét", "cash": "Készpénz"},
    "en": {"transfer": "Bank transfer", "card": "Card", "cod": "Cash on delivery", "cash": "Cash"},
}

UNITS: Mapping[str, Texts] = {"hu": {"pcs": "db"}, "en": {}}

MARGIN_SCHEMES: Mapping[str, Texts] = {
    "hu": {
        "KUL_UTAZAS": "utazási irodák",
        "KUL_HASZNALT": "használt cikkek",
        "KUL_MUALKOTAS": "műalkotások",
        "KUL_REGISEG": "gyűjteménydarabok és régiségek",
    },
    "en": {
        "KUL_UTAZAS": "travel agencies",
        "KUL_HASZNALT": "second-hand goods",
        "KUL_MUALKOTAS": "works of art",
        "KUL_REGISEG": "collector's items and antiques",
    },
}

REVERSE_CHARGED = frozenset({"FAD", "EUFAD37", "EUFADE", "KBAET", "KBAUK"})
"""Codes under which the customer accounts for the VAT: both tax numbers and the remark stand on the invoice."""


def vat_remark(code: Mapping[str, str], language: str) -> str:
    """The remark that the law asks for under a VAT code (``code``, ``category``, ``law_ref``); empty for a rate."""
    texts, law, category = TEXTS[language], code["law_ref"], code["category"]
    if category == "rate":
        return ""
    if category == "reverse_charge" or (category == "out_of_scope" and code["code"] in REVERSE_CHARGED):
        return texts["reverse_charge"].format(law or code["code"])
    if category == "margin":
        return texts["margin"].format(MARGIN_SCHEMES[language].get(code["code"], code["code"]))
    if category == "no_charge":
        return texts["no_charge"].format(law or code["code"])
    if not law:
        return texts[f"{category}_plain"].format(code["code"])
    return texts[category].format(code["code"], law)
