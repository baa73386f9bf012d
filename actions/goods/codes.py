"""Which rows a barcode means: serials and articles as suppliers tell them and as makers print them."""

import sqlalchemy as sa

from models.catalogue import Product
from models.goods import GoodsReceiptLine, GoodsSerial
from rules import scanned


def same_serial(code: str) -> sa.ColumnElement[bool]:
    """A label and an advice may differ in capitals and in the maker's identifier before the serial; it is the same piece."""
    told = sa.func.lower(GoodsSerial.serial)
    same = [told == code.lower()]
    if bare := scanned.without_identifier(code):
        same.append(told == bare.lower())
    if whole := scanned.model_and_serial(code):
        length = sa.func.length(GoodsSerial.serial)
        ends = sa.func.right(sa.literal(whole.lower()), length) == told
        same.append(sa.and_(length >= scanned.SHORTEST, ends))
    return sa.or_(*same)


def nearest(code: str) -> sa.ColumnElement[int]:
    """Which of several that fit comes first: the one that fits as it is, then the longest."""
    exact = sa.func.lower(GoodsSerial.serial) == code.lower()
    return sa.case((GoodsSerial.serial == code, 0), (exact, 1), else_=1000 - sa.func.length(GoodsSerial.serial))


def same_article(code: str) -> sa.ColumnElement[bool]:
    """Our code, the supplier's number, or the EAN, with or without its leading zeros."""
    same = [Product.code == code, GoodsReceiptLine.ean == code, GoodsReceiptLine.article == code]
    if bare := scanned.bare_gtin(code):
        same.append(sa.func.ltrim(GoodsReceiptLine.ean, "0") == bare)
    return sa.or_(*same)
