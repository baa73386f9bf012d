"""SAP: one port, `InvoiceBook`, and its adapters.

FilesBook(folder: Path)                     JSON per invoice                         integrations.sap.files
sap_json(invoice) -> bytes                  the content of `sap/<number>.json`       integrations.sap.files
dtw_files(invoices) -> dict[str, bytes]     Documents.csv and Document_Lines.csv     integrations.sap.files
ServiceLayerBook(ServiceLayer(...))         SAP Business One over HTTP               integrations.sap.service_layer
NullBook()                                  keeps postings in memory                 integrations.sap.null
"""
