"""Short tables in code pages, as spreadsheets of several countries and systems write them."""

import pytest

from emote_blender.files.code_pages import decode_code_page

WESTERN = [
    "Schließ die Tür, böser Kerl",
    "ÄRGER MIT DER TÜR",
    "Ça va très bien, déjà vu",
    "la fête est finie",
    "«Ça alors»",
    "¿Dónde está el niño mañana?",
    "mañana.wav",
    "Così è la vita, perché no",
    "Não sei, então amanhã",
    "På grund af blæst er øen lukket",
    "Det är för sent, Åsa går på bön",
    "Hyvää päivää",
    "Það er gott að sjá þig",
    "I don’t know – “maybe”",
    "Björn était là-bas avec Señor Müller",
]
TEXTS = {
    "cp1252": [*WESTERN, "it costs 5 €", "été.wav", "Tür.wav", "über"],
    "mac_roman": [text for text in WESTERN if not set(text) & set("þðÞ")],
    "cp850": [text for text in WESTERN if not set(text) & set("’–“”ê")],  # "fàte" in Mac Roman is as likely
    "cp1250": [
        "Zażółć gęślą jaźń, dziękuję bardzo",
        "Dziękuję",
        "Příliš žluťoučký kůň úpěl ďábelské ódy",
        "Děkuji",
        "Jó napot, hogy vagy? Szívesen, őrült idők",
        "Bună ziua, ce faceţi",
        "Što radiš večeras, đak",
    ],
    "cp852": ["Zażółć gęślą jaźń"],
    "cp1251": ["Привет, как дела сегодня?", "ПРИВЕТ", "привет.wav", "Доброго дня, як справи? Їжак"],
    "cp866": ["Привет, как дела сегодня?"],
    "cp1253": ["Καλημέρα, τι κάνεις σήμερα;"],
    "cp1254": ["Günaydın, nasılsın? Şimdi gidiyorum ağabey"],
    "cp1255": ["שלום מה שלומך היום"],
    "cp1256": ["مرحبا كيف حالك اليوم"],
    "cp1257": ["Ačiū labai, viskas gerai, ąžuolas", "Paldies, es šodien tevi ļoti mīlu"],
    "cp932": ["おはようございます、元気ですか", "ドアを開けるなと言ったでしょう"],
    "gbk": ["你好，今天天气怎么样", "我不知道你在说什么", "OK我们走吧"],
    "cp950": ["你好，今天天氣怎麼樣"],
    "cp949": ["안녕하세요 오늘 기분이 어때요", "문을 열지 말라고 했잖아"],
}


TABLES = [
    "audio;emotion;transcript\r\nline.wav;anger;{}\r\n",
    'audio,transcript,output\r\nLine_01.wav,"{}",Take.npz\r\n',
    "sep=;\r\nAudio;Intensity;Blinks;Transcript;Output;;\r\nLINE.WAV;1,5;WAHR;{};a.npz;;\r\n",
    "{}.wav\tyes\taudio\n",
]


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
@pytest.mark.parametrize("codec, text", [(codec, text) for codec, texts in TEXTS.items() for text in texts])
def test_a_table_of_one_row_has_its_letters(codec, text, table):
    table = table.format(text)
    found = decode_code_page(table.encode(codec))
    assert found is not None
    assert found[0] == table


def test_rows_may_be_in_several_languages():
    table = "audio;transcript\nx;Türen für Öl\ny;mañana señor\nz;déjà là\nw;på ø\n"
    assert decode_code_page(table.encode("cp1252")) == (table, "Windows-1252")


@pytest.mark.parametrize("codec", ["utf-7", "cp037"])
def test_bytes_that_fit_no_code_page_are_none(codec):
    data = bytes(range(0x80, 0x100)) * 20 + "audio;ö\n".encode(codec)
    assert decode_code_page(data) is None
