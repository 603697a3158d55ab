import codecs
import gzip
import io
import zipfile

import pytest

from emote_blender.errors import InputError
from emote_blender.files.text_file import decode_text, read_text_file

TEXT = "audio,transcript\r\nbe\u0301.wav,Schließ die Tür – 你好 🎤\r\n"


@pytest.mark.parametrize(
    "encoding, mark",
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
def test_unicode_is_read_with_and_without_a_mark(encoding, mark):
    assert decode_text(mark + TEXT.encode(encoding), "jobs.csv") == (TEXT, "")


def test_utf16_without_a_mark_is_read_in_a_language_without_ascii():
    text = "audio,transcript\nl.wav," + "一二三四的一丁七万丈三上下" * 40
    assert decode_text(text.encode("utf-16-le"), "jobs.csv") == (text, "")


def test_a_code_page_is_named():
    assert decode_text("a;böse Tür".encode("cp1252"), "jobs.csv") == ("a;böse Tür", "Windows-1252")


def test_damaged_utf8_is_no_code_page():
    data = "audio\nschön\nTür\nbö".encode()[:-1]
    with pytest.raises(InputError, match=r"jobs\.csv is damaged: line 4 is not UTF-8; save it"):
        decode_text(data, "jobs.csv")


def test_cut_utf16_is_said():
    with pytest.raises(InputError, match=r"damaged: line 2 is not UTF-16"):
        decode_text(codecs.BOM_UTF16_LE + "a\nböse".encode("utf-16-le")[:-1], "jobs.csv")


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    "data, sentence",
    [
        (zipped("xl/workbook.xml"), "is a workbook of Excel"),
        (zipped("Index/Tables/DataList.iwa"), "is a document of Apple's Numbers"),
        (zipped("word/document.xml"), "is a document of Word"),
        (zipped("a.txt"), "is a zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a file of Microsoft Office"),
        (b"{\\rtf1\\ansi audio}", r"is rich text \(RTF\)"),
        (gzip.compress(b"audio\n", mtime=0), r"is compressed \(gzip\); unpack it"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is a sound or video file"),
        (b"audio\n\0\n", "is not a text file"),
        (bytes(2000), "is not a text file"),
        (bytes(range(0x80, 0x100)) * 9, "is not in UTF-8, and its code page is not certain"),
    ],
)
def test_what_is_no_text_is_said(data, sentence):
    with pytest.raises(InputError, match=rf"^jobs\.csv {sentence}"):
        decode_text(data, "jobs.csv")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "jobs.csv"
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(InputError, match=r"jobs\.csv is larger than 1 MB; is it the right CSV file\?"):
        read_text_file(path, "CSV file", 1 << 20)
