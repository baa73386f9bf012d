"""Bytes in, records out: quoting, encodings, and files that are not what they say."""

import io
from pathlib import Path

import pytest

from actions.company.reading import FIELD_LIMIT, LINE_LIMIT, FileFaultError, Records, open_company_file


def records(data: bytes) -> list[tuple[int, list[str]]]:
    read = Records(io.BytesIO(data))
    return [(1, read.header), *read.rows()]


def fault(data: bytes) -> FileFaultError:
    with pytest.raises(FileFaultError) as refusal:
        records(data)
    return refusal.value


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("delimiter", [b",", b";"])
def test_dialects(bom: bytes, end: bytes, delimiter: bytes) -> None:
    data = bom + end.join([b"a" + delimiter + b"b", b"1" + delimiter + b'"x;,""y"""', b""])
    assert records(data) == [(1, ["a", "b"]), (2, ["1", 'x;,"y"'])]


def test_line_of_a_record_is_its_first_line() -> None:
    data = b'a,b\n1,"two\nlines\r\nthree"\n\n,\n2,x'
    assert records(data) == [(1, ["a", "b"]), (2, ["1", "two\nlines\r\nthree"]), (7, ["2", "x"])]


def test_formulas_stay_text() -> None:
    assert records(b"a\n=1+1\n@x\n-2+3\n")[1:] == [(2, ["=1+1"]), (3, ["@x"]), (4, ["-2+3"])]


def test_other_encodings_name_the_byte() -> None:
    found = fault("a,b\nMüller,1\n".encode("latin-1"))
    assert (found.line, found.column) == (2, "Zeile")
    assert "Byte 5 (0xFC) ist kein UTF-8" in found.text
    assert "Byte 8 (0xFC)" in fault(b"\xef\xbb\xbf" + "a,b\nMüller,1\n".encode("latin-1")).text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Kopfzeile fehlt"),
        (b"\n\n", "Kopfzeile fehlt"),
        (b"PK\x03\x04\x14\x00", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,\x00\n", "Nullbyte an Byte 6"),
        (b"\x89PNG\r\n\x1a\n", "kein UTF-8"),
        (b'a,b\n1,"x\n2,y\n', "nicht geschlossen"),
        (b'a,b\n1,"x"y\n', "verdoppelt"),
        (b"a,b\r1,2\r", "Zeilenenden LF und CRLF"),
        (b"a,b\n1," + b"x" * LINE_LIMIT, "Bytes"),
        (b'a,b\n1,"' + b"x\n" * 100_000 + b'"', f"länger als {FIELD_LIMIT}"),
        (b"a\n" + b'"1\n1"' + b',"1\n1"' * 1_000_000, "nimmt kein Ende"),
        (b",".join(b"c%d" % n for n in range(201)), "201 Spalten"),
        (b"," * 1_000_000, "Spalten"),
        (b"c," * 1_000_000, "länger als 1.048.576 Bytes"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_table_says_so(data: bytes, words: str) -> None:
    assert words in fault(data).text


def test_a_gigabyte_without_line_end_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n" + b"x" * (LINE_LIMIT + 10))
        file.truncate(1 << 30)
    with open_company_file(path) as file:
        read = Records(file)
        with pytest.raises(FileFaultError, match="länger"):
            list(read.rows())
        assert file.tell() < 2 * LINE_LIMIT


def test_an_endless_quoted_field_is_refused_after_its_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.given += 1
            return b"a,b\n" if self.given == 1 else b'1,"x\n' if self.given == 2 else b"y" * 1000 + b"\n"

    endless = Endless()
    read = Records(endless)  # type: ignore[arg-type]
    with pytest.raises(FileFaultError) as refusal:
        list(read.rows())
    assert refusal.value.line == 2
    assert endless.given < 200


def test_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    folder, loop, gone = tmp_path / "folder.csv", tmp_path / "loop.csv", tmp_path / "gone.csv"
    folder.mkdir()
    loop.symlink_to(loop)
    gone.symlink_to(tmp_path / "nowhere")
    for path in (folder, loop, gone, Path("/dev/zero")):
        with pytest.raises(FileFaultError):
            open_company_file(path)
