"""invoiceLines of a report."""

from lxml import etree

from finance.nav.document import UNITS, AdditionalData, AggregateSupply, Category, Discount, Document, Line, References
from finance.nav.transport_means import Aircraft, NewTransportMean, Vehicle
from finance.nav.xml_values import (
    add,
    add_flag,
    add_text,
    boolean_text,
    clean_text,
    decimal_text,
    money_text,
)
from finance.nav.xml_vat import add_vat_rate

_REGISTER_CODE_LENGTHS = range(2, 31)


def add_lines(invoice: etree._Element, document: Document) -> None:
    """Append `invoiceLines`, or nothing when the document has none."""
    if not document.lines:
        return
    lines = add(invoice, "invoiceLines")
    add(lines, "mergedItemIndicator", boolean_text(document.has_merged_lines))
    for line in document.lines:
        _add_line(lines, line, document.category)


def add_references(parent: etree._Element, name: str, references: References | None) -> None:
    """Append `name` (conventionalInvoiceInfo or conventionalLineInfo) with the numbers that are there."""
    if references is None or references == References():
        return
    info = add(parent, name)
    groups = (
        ("orderNumbers", "orderNumber", references.order_numbers),
        ("deliveryNotes", "deliveryNote", references.delivery_notes),
        ("contractNumbers", "contractNumber", references.contract_numbers),
        ("projectNumbers", "projectNumber", references.project_numbers),
        ("ekaerIds", "ekaerId", references.ekaer_ids),
    )
    for group, item, values in groups:
        if values:
            element = add(info, group)
            for value in values:
                add_text(element, item, value, 100)


def add_additional(parent: etree._Element, name: str, notes: tuple[AdditionalData, ...]) -> None:
    """Append one `name` (additionalInvoiceData or additionalLineData) for each note."""
    for note in notes:
        element = add(parent, name)
        add(element, "dataName", note.name)
        add_text(element, "dataDescription", note.description, 255)
        add_text(element, "dataValue", note.value, 512)


def _add_line(lines: etree._Element, line: Line, category: Category) -> None:
    element = add(lines, "line")
    add(element, "lineNumber", str(line.number))
    _add_links(element, line)
    _add_goods(element, line)
    if line.discount:
        _add_discount(element, line.discount)
    if category is Category.SIMPLIFIED:
        _add_amounts_simplified(element, line)
    else:
        _add_amounts_normal(element, line, category)
    add_flag(element, "intermediatedService", line.is_intermediated_service)
    if line.aggregate:
        _add_aggregate(element, line.aggregate)
    if line.new_transport_mean:
        _add_transport_mean(element, line.new_transport_mean)
    add_flag(element, "depositIndicator", line.is_deposit)
    add_references(element, "conventionalLineInfo", line.references)
    add_additional(element, "additionalLineData", line.additional)


def _add_links(element: etree._Element, line: Line) -> None:
    if line.chain_number is not None:
        reference = add(element, "lineModificationReference")
        add(reference, "lineNumberReference", str(line.chain_number))
        # The only operation the NAV takes since 2023-09-18: every change is a new line in the chain.
        add(reference, "lineOperation", "CREATE")
    if line.refers_to:
        others = add(element, "referencesToOtherLines")
        for number in line.refers_to:
            add(others, "referenceToOtherLine", str(number))
    if line.advance:
        advance = add(element, "advanceData")
        add(advance, "advanceIndicator", "true")
        if paid := line.advance.payment:
            payment = add(advance, "advancePaymentData")
            add(payment, "advanceOriginalInvoice", paid.invoice_number)
            add(payment, "advancePaymentDate", paid.paid_on.isoformat())
            add(payment, "advanceExchangeRate", decimal_text(paid.exchange_rate, 6))


def _add_goods(element: etree._Element, line: Line) -> None:
    if line.product_codes:
        codes = add(element, "productCodes")
        for code in line.product_codes:
            item = add(codes, "productCode")
            add(item, "productCodeCategory", code.category)
            is_register = code.value.isascii() and code.value.isalnum() and code.value.upper() == code.value
            fits = is_register and len(code.value) in _REGISTER_CODE_LENGTHS
            add(item, "productCodeValue" if fits else "productCodeOwnValue", clean_text(code.value, 255))
    add(element, "lineExpressionIndicator", boolean_text(line.is_measurable))
    if line.nature:
        add(element, "lineNatureIndicator", line.nature)
    add_text(element, "lineDescription", line.description, 512)
    if line.quantity is not None:
        add(element, "quantity", decimal_text(line.quantity, 10))
    if unit := clean_text(line.unit, 50):
        add(element, "unitOfMeasure", unit if unit in UNITS else "OWN")
        if unit not in UNITS:
            add(element, "unitOfMeasureOwn", unit)
    if line.unit_price:
        add(element, "unitPrice", decimal_text(line.unit_price.amount, 10))
        add(element, "unitPriceHUF", decimal_text(line.unit_price.huf, 10))


def _add_discount(element: etree._Element, discount: Discount) -> None:
    data = add(element, "lineDiscountData")
    add_text(data, "discountDescription", discount.description, 255)
    if discount.value is not None:
        add(data, "discountValue", money_text(discount.value))
    if discount.rate is not None:
        add(data, "discountRate", decimal_text(discount.rate, 4))


def _add_amounts_normal(element: etree._Element, line: Line, category: Category) -> None:
    if line.net is None:
        return
    amounts = add(element, "lineAmountsNormal")
    net = add(amounts, "lineNetAmountData")
    add(net, "lineNetAmount", money_text(line.net.amount))
    add(net, "lineNetAmountHUF", money_text(line.net.huf))
    add_vat_rate(amounts, "lineVatRate", line.vat, category)
    if line.vat_amount:
        vat = add(amounts, "lineVatData")
        add(vat, "lineVatAmount", money_text(line.vat_amount.amount))
        add(vat, "lineVatAmountHUF", money_text(line.vat_amount.huf))
    if line.gross:
        gross = add(amounts, "lineGrossAmountData")
        add(gross, "lineGrossAmountNormal", money_text(line.gross.amount))
        add(gross, "lineGrossAmountNormalHUF", money_text(line.gross.huf))


def _add_amounts_simplified(element: etree._Element, line: Line) -> None:
    if line.gross is None:
        return
    amounts = add(element, "lineAmountsSimplified")
    add_vat_rate(amounts, "lineVatRate", line.vat, Category.SIMPLIFIED)
    add(amounts, "lineGrossAmountSimplified", money_text(line.gross.amount))
    add(amounts, "lineGrossAmountSimplifiedHUF", money_text(line.gross.huf))


def _add_aggregate(element: etree._Element, supply: AggregateSupply) -> None:
    data = add(element, "aggregateInvoiceLineData")
    if supply.exchange_rate is not None:
        add(data, "lineExchangeRate", decimal_text(supply.exchange_rate, 6))
    add(data, "lineDeliveryDate", supply.delivered_on.isoformat())


def _add_transport_mean(element: etree._Element, mean: NewTransportMean) -> None:
    data = add(element, "newTransportMean")
    add_text(data, "brand", mean.brand, 50)
    add_text(data, "serialNum", mean.serial_number, 255)
    add_text(data, "engineNum", mean.engine_number, 255)
    if mean.first_used_on:
        add(data, "firstEntryIntoService", mean.first_used_on.isoformat())
    kind = mean.kind
    if isinstance(kind, Vehicle):
        vehicle = add(data, "vehicle")
        add(vehicle, "engineCapacity", decimal_text(kind.engine_capacity, 10))
        add(vehicle, "enginePower", decimal_text(kind.engine_power, 10))
        add(vehicle, "kms", decimal_text(kind.kms, 10))
    elif isinstance(kind, Aircraft):
        aircraft = add(data, "aircraft")
        add(aircraft, "takeOffWeight", decimal_text(kind.take_off_weight, 10))
        add(aircraft, "airCargo", boolean_text(kind.is_air_cargo))
        add(aircraft, "operationHours", decimal_text(kind.operation_hours, 10))
    else:
        vessel = add(data, "vessel")
        add(vessel, "length", decimal_text(kind.length, 10))
        add(vessel, "activityReferred", boolean_text(kind.is_exempt_activity))
        add(vessel, "sailedHours", decimal_text(kind.sailed_hours, 10))
