"""Six mails as they arrive in the support mailbox, written byte by byte so that no library version changes them."""

import base64
import binascii
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from examples.source.house import DOMAIN
from examples.source.parties import people
from examples.source.work import Ticket

_PICTURES = Path(__file__).parent / "pictures"
_OUTLOOK = "Microsoft Outlook 16.0"


def _word(text: str) -> str:
    """A header value as RFC 2047 words (at most 75 signs each) where it is not ASCII."""
    if text.isascii():
        return text
    pieces = (text[i : i + 20] for i in range(0, len(text), 20))
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(piece.encode()).decode()}?=" for piece in pieces)


def _head(sender: str, address: str, subject: str, date: str, ident: str, *, extra: tuple[str, ...] = ()) -> str:
    host = address.split("@")[1]
    lines = [
        f"Received: from mx.{host} (mx.{host} [192.0.2.25])",
        f"\tby mail.{DOMAIN} with ESMTPS id {ident[:12]};",
        f"\t{date}",
        f"From: {_word(sender)} <{address}>",
        f"To: {_word('Sülzbogen Kundensupport')} <support@{DOMAIN}>",
        f"Subject: {_word(subject)}",
        f"Date: {date}",
        f"Message-ID: <{ident}@{host}>",
        "MIME-Version: 1.0",
        *extra,
    ]
    return "".join(line + "\r\n" for line in lines)


def _base64(data: bytes) -> str:
    return "".join(base64.b64encode(data[i : i + 57]).decode() + "\r\n" for i in range(0, len(data), 57))


def _quoted(text: str, charset: str = "utf-8") -> str:
    lines = (binascii.b2a_qp(line.encode(charset), istext=False).decode() for line in text.split("\n"))
    return "".join(line.replace("=\n", "=\r\n") + "\r\n" for line in lines)


def _text(text: str, kind: str = "plain", charset: str = "utf-8") -> str:
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + _quoted(text, charset)


def _parts(kind: str, boundary: str, parts: list[str]) -> str:
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{body}--{boundary}--\r\n'


def _file(data: bytes, media: str, name: str, extra: str = "") -> str:
    where = "inline" if extra else "attachment"
    return (
        f'Content-Type: {media}; name="{_word(name)}"\r\nContent-Disposition: {where}; filename="{_word(name)}"\r\n{extra}'
        f"Content-Transfer-Encoding: base64\r\n\r\n{_base64(data)}"
    )


def _outlook_html(paragraphs: list[str]) -> str:
    body = "\n".join(f'<p class="MsoNormal"><span style="font-size:11.0pt">{p}</span></p>' for p in paragraphs)
    style = "p.MsoNormal {margin:0cm; font-family:&quot;Calibri&quot;,sans-serif;}"
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office">\n<head><meta name="Generator" content="Microsoft Word 15">\n'
        f'<style>{style}</style></head>\n<body lang="DE"><div class="WordSection1">\n{body}\n</div></body></html>'
    )


def _docx(text: list[str], picture: bytes) -> bytes:
    """A small Word file with a picture; stored, not packed, so that its bytes do not depend on a packer's version."""
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    a = "http://schemas.openxmlformats.org/drawingml/2006/main"
    pic = "http://schemas.openxmlformats.org/drawingml/2006/picture"
    wp = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
    package = "http://schemas.openxmlformats.org/package/2006"
    media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    size = 'cx="4445000" cy="2095500"'
    drawing = (
        f'<w:r><w:drawing><wp:inline xmlns:wp="{wp}"><wp:extent {size}/><wp:docPr id="1" name="Bild 1"/>'
        f'<a:graphic xmlns:a="{a}"><a:graphicData uri="{pic}"><pic:pic xmlns:pic="{pic}"><pic:nvPicPr>'
        '<pic:cNvPr id="1" name="Bild 1"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId1"/>'
        f'<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in text)
    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="png" ContentType="image/png"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{media}"/></Types>'
    )
    root, inner = (
        f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{r}/{kind}" Target="{target}"/></Relationships>'
        for kind, target in (("officeDocument", "word/document.xml"), ("image", "media/image1.png"))
    )
    body = f"<w:body>{paragraphs}<w:p>{drawing}</w:p></w:body>"
    contents = {
        "[Content_Types].xml": head + types,
        "_rels/.rels": head + root,
        "word/document.xml": f'{head}<w:document xmlns:w="{w}" xmlns:r="{r}">{body}</w:document>',
        "word/_rels/document.xml.rels": head + inner,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 10, 30, 8, 4, 0)), content)
        archive.writestr(zipfile.ZipInfo("word/media/image1.png", (2026, 10, 30, 8, 4, 0)), picture)
    return packed.getvalue()


def _screenshot() -> str:
    head = _head(
        "Núñez-Bürger, Carmen", "carmen.nunez-buerger@manana-feinkost.example", "Buchen geht nicht mehr!!! DRINGEND",
        "Fri, 30 Oct 2026 09:21:44 +0100", "DB9PR04MB8107A1",
        extra=(f"X-Mailer: {_OUTLOOK}", "Importance: high", "Content-Language: de-DE"),
    )  # fmt: skip
    lines = [
        "Guten Morgen zusammen,",
        (
            "seit eben können wir im Lager keinen Lieferschein mehr buchen, siehe Bild. Bei mir und bei Herrn "
            "Süßkind dasselbe. Um 10:30 Uhr steht der Lkw nach Düren auf dem Hof, bis dahin brauchen wir die Papiere!"
        ),
    ]
    sign = ["Mit freundlichen Grüßen", "Carmen Núñez-Bürger", "Großhandel Mañana Feinkost GmbH · Olivenhain 70 · 50735 Köln"]
    plain = "\n\n".join([*lines, "[cid:image001.png@01DC4960.7F3A1B20]", "\n".join(sign)])
    image = '<img width="760" height="360" src="cid:image001.png@01DC4960.7F3A1B20" alt="Bildschirmfoto">'
    alternative = _parts(
        "alternative", "_001_wahl_", [_text(plain), _text(_outlook_html([*lines, image, "<br>".join(sign)]), "html")]
    )
    picture = _file(
        (_PICTURES / "warenlauf-fehler.png").read_bytes(), "image/png", "image001.png",
        "Content-ID: <image001.png@01DC4960.7F3A1B20>\r\n",
    )  # fmt: skip
    return head + _parts("related", "_004_DB9PR04MB8107_", [alternative, picture])


def _word_file() -> str:
    head = _head(
        "Urs Füßli", "urs.fuessli@fuessli-huebscher.example", "Frau Hübscher kommt nicht rein",
        "Fri, 30 Oct 2026 08:06:12 +0100", "AM0PR07MB4419", extra=(f"X-Mailer: {_OUTLOOK}",),
    )  # fmt: skip
    text = (
        "Grüezi,\n\nKollegin Hübscher kann sich seit heute früh nicht anmelden. Meldung siehe Anhang.\n\n"
        "Freundliche Grüsse\nUrs Füßli"
    )
    content = ["Diese Meldung kommt bei Frau Hübscher am Notebook:"]
    document = _docx(content, (_PICTURES / "anmeldung-gesperrt.png").read_bytes())
    media = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    return head + _parts(
        "mixed", "_002_AM0PR07MB4419_", [_text(text), _file(document, media, "Störung Anmeldung Hübscher.docx")]
    )


def _absent(number: str, subject: str) -> str:
    head = _head(
        "Detlef Schnüll", "detlef.schnuell@jaervinen-logistik.example", f"Automatische Antwort: [{number}] {subject}",
        "Thu, 29 Oct 2026 16:48:03 +0100", "VI1PR0902MB22", extra=(
            "Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", f"In-Reply-To: <{number}.1@{DOMAIN}>",
            "Precedence: bulk",
        ),
    )  # fmt: skip
    text = (
        "Sehr geehrte Damen und Herren,\n\nich bin bis einschließlich 6. November nicht im Haus. Ihre Nachricht wird nicht "
        "weitergeleitet. In dringenden Fällen hilft Ihnen Herr Boukhari.\n\nMit freundlichen Grüßen\nDetlef Schnüll"
    )
    return head + _text(text)


def _reply(number: str, ticket: Ticket) -> str:
    person = next(p for p in people(ticket.client) if p.email == ticket.contact)
    name = f"{person.first} {person.last}"
    head = _head(
        name, person.email, f"AW: [{number}] {ticket.subject}", "Fri, 30 Oct 2026 11:37:25 +0100", "PR3P193MB0714", extra=(
            f"In-Reply-To: <{number}.1@{DOMAIN}>", f"References: <{number}.1@{DOMAIN}>", f"X-Mailer: {_OUTLOOK}",
        ),
    )  # fmt: skip
    text = (
        "Hallo,\n\ndanke für die schnelle Rückmeldung. Es tritt immer noch auf, aber nur am Vormittag. "
        "Ab 14 Uhr bin ich gut erreichbar, dann können Sie sich gerne aufschalten.\n\n"
        f"Viele Grüße\n{name}\n\n\n"
        f"Von: Sülzbogen Kundensupport <support@{DOMAIN}>\n"
        f"Gesendet: Donnerstag, 29. Oktober 2026 15:02\nAn: {name} <{person.email}>\n"
        f"Betreff: [{number}] {ticket.subject}\n\n"
        f"Guten Tag {person.salute},\n\nwir haben Ihre Meldung angesehen und eine erste Änderung vorgenommen. "
        f"Bitte geben Sie uns Bescheid, ob die Störung noch auftritt.\n\nIhr Serviceteam"
    )
    return head + _text(text)


def _stranger() -> str:
    head = _head(
        "Änne Ungewitter", "aenne.ungewitter@mailkasten.example", "Drucker", "Sat, 31 Oct 2026 20:14:51 +0100", "4E1B77C0-6A2D",
        extra=("X-Mailer: iPhone Mail (22B83)",),
    )  # fmt: skip
    text = (
        "Hallo, ich arbeite für die Bäckerei (Filiale Odenthal) und schreibe von meinem privaten Handy weil hier "
        "gar nichts mehr geht. Der Bondrucker druckt nur noch Striche. Können Sie morgen früh anrufen? "
        "Wir öffnen um 6.\n\nLG Änne\n\n"
        "Von meinem iPhone gesendet"
    )
    return head + _text(text, charset="iso-8859-1")


def _question() -> str:
    head = _head(
        "Sönke Lührs", "soenke.luehrs@goldgraeber-immo.example", "Frage zu unserem Vertrag", "Wed, 28 Oct 2026 10:02:09 +0100",
        "FR2P281MB1620", extra=(f"X-Mailer: {_OUTLOOK}", f"Cc: corinna.feldhueter@{DOMAIN}"),
    )  # fmt: skip
    text = (
        "Guten Tag Frau Feldhüter,\n\nbeim Durchsehen der Rechnungen ist uns aufgefallen, dass unser Guthaben inzwischen "
        "über 200 Stunden beträgt. Können wir den Vertrag zum neuen Jahr anpassen, und was passiert dann mit den Stunden? "
        "Es eilt nicht.\n\n"
        "Mit freundlichen Grüßen\nSönke Lührs\nImmobilienverwaltung Goldgräber AG"
    )
    return head + _text(text)


def files(by_number: dict[str, Ticket]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each mail; two of them belong to tickets of the example."""
    known = [(number, t) for number, t in by_number.items() if t.received.isoformat() < "2026-10-29"]
    waiting = [(number, t) for number, t in known if t.state == "waiting" and t.kind == "incident"]
    spedition = [(number, t) for number, t in known if t.client.number == "K1012"]
    yield "01_bildschirmfoto_outlook.eml", _screenshot().encode()
    yield "02_word_datei_mit_bild.eml", _word_file().encode()
    yield "03_abwesenheitsnotiz.eml", _absent(spedition[-1][0], spedition[-1][1].subject).encode()
    yield "04_antwort_auf_ticket.eml", _reply(*waiting[-1]).encode()
    yield "05_unbekannter_absender_iphone.eml", _stranger().encode()
    yield "06_frage_an_die_kundenbetreuung.eml", _question().encode()
