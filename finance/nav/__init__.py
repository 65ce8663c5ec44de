"""NAV Online Számla 3.0: signatures, messages, client, InvoiceData XML, and a local stand-in.

Nothing here needs Django or a database. Finance describes an issued document (`document`), gets
its XML (`invoice_xml`), checks it (`schema`), sends it and asks for its fate (`client`).
"""
