"""Which language a text is in, guessed from its script, its letters and its most frequent words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

DEFAULT_LANGUAGE = "en-us"
AUTO = "auto"

# First word of a letter's Unicode name -> the language written with it, where one is by far the most likely.
_SCRIPTS = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "cmn",
    "THAI": "th",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "SINHALA": "si",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
}
# Letters by which a language is told from the others of its script.
_LETTERS = {
    "ru": {"uk": "іїєґ", "be": "ў", "sr": "ђћџјљњ", "mk": "ѓќѕ", "kk": "әғқңұһ"},
    "ar": {"fa": "پچژگ", "ur": "ٹڈڑںے"},
    "latin": {
        "de": "guten hallo danke ja nein ßäöü",
        "fr": "bonjour merci oui comment allez çéèêëàâîïôûùœ",
        "es": "hola gracias sí buenos ñáéíóú¿¡",
        "pt": "olá obrigado sim ãõçáéíóúâêô",
        "it": "ciao grazie sì àèéìòù",
        "pl": "ąćęłńśźż",
        "cs": "ěščřžýáíéůú",
        "sk": "ľĺŕôščťžýáíéú",
        "sv": "åäö",
        "nb": "æøå",
        "da": "æøå",
        "fi": "äö",
        "hu": "őűáéíóöúü",
        "ro": "ăâîșțşţ",
        "tr": "ğışöüç",
        "hr": "čćđšž",
        "ca": "àçèéíïòóúü·",
        "vi": "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    },
}
_WORDS = {
    "en": (
        "hello yes the and of to a in is you that it he was for on are with as i his they be at this have from "
        "or had by not but what all were we when your can there an which their if do will how them so my no me "
        "who what's don't i'm it's"
    ),
    "de": (
        "guten hallo danke ja nein der die und in den von zu das mit sich des auf für ist im dem nicht ein eine "
        "als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über so zum "
        "war haben nur oder aber ich du wir was mir"
    ),
    "fr": (
        "bonjour merci oui comment allez le la les de des du et à un une en est que qui dans il elle pour pas "
        "sur au avec ce se par plus ne je vous nous mais son sa ses c'est on être tout j'ai d'un cette y ont "
        "sont bien où même"
    ),
    "es": (
        "hola gracias sí buenos el la los las de del y que en a un una es se no por con su para como más pero "
        "sus le lo me ha este si sin sobre está muy ya yo qué cuando también hasta hay donde todo nos porque "
        "esta son"
    ),
    "it": (
        "ciao grazie sì il lo la i gli le di del della e che un una in è non per con si da al come più ma sono "
        "mi ci ho ha questo anche nel alla dei cosa se io tu lei perché quando dove c'è ti molto"
    ),
    "pt": (
        "olá obrigado sim o a os as de do da dos das e que em um uma é não para com se no na por mais mas como "
        "eu você ele ela isso ao foi seu sua ser tem são já está muito também nos quando bem"
    ),
    "nl": (
        "hallo goedemorgen ja nee de het een en van ik je dat is in te niet met op zijn voor er maar om hij dan "
        "zou wat mijn aan als dit nog bij ook wel naar ze heb hebben geen deze waar zo was we kan door uit"
    ),
    "pl": (
        "w i na z do się nie że to jest o jak ale po co tak za od czy przez dla są był może ja ty on tylko już "
        "mi ma być te tego jego jej gdy bardzo"
    ),
    "sv": (
        "och att det i på är en som för av med den till inte om har de ett jag var vi kan men så från du när "
        "hon han ska eller vad"
    ),
    "da": (
        "og at det i på er en som for af med den til ikke om har de et jeg var vi kan men så fra du når hun han "
        "skal eller hvad der meget blev"
    ),
    "nb": (
        "og at det i på er en som for av med den til ikke om har de et jeg var vi kan men så fra du når hun han "
        "skal eller hva der mye ble noe"
    ),
    "fi": (
        "ja on ei se että en oli hän mutta niin kun minä sinä mitä tämä olen ole ovat myös kuin jos nyt vain "
        "sitä mikä voi"
    ),
    "cs": "a se v na je že to s z do i o jsem si jak tak ale co pro za by když není jsou byl jako už nebo tady",
    "hu": (
        "a az és hogy nem is egy ez van de meg csak ha volt én te mint már még mi ki be el vagy kell itt lehet nagyon"
    ),
    "ro": "și în de la a cu pe nu este că un o din se mai pentru ce sunt am care ai au dar ca să fost sau foarte",
    "tr": "ve bir bu da de için ne mi çok ben o var ama gibi daha kadar sen değil ile olarak her şey ki yok evet",
    "id": (
        "yang dan di ini itu dengan untuk dari tidak aku saya kamu ada akan ke pada juga kita bisa sudah apa mereka"
    ),
    "ca": (
        "el la els les de del i que en un una és no per amb es al a són però com més va jo aquest ha també quan molt"
    ),
    "vi": "là và của có không những một tôi cho được người trong này anh em với đã các ở thì ra mà bạn",
}
_FREQUENT = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_KNOWN_IN = Counter(word for words in _FREQUENT.values() for word in words)
_TO_READ = 20000  # characters; more would not change the guess


def guess_language(text: str) -> str:
    """Code of the language of a text, as espeak-ng names it; American English where nothing tells."""
    text = text[:_TO_READ].lower()
    scripts = Counter(
        "LATIN" if letter.isascii() else unicodedata.name(letter, "OTHER").split()[0].split("-")[0]
        for letter in text
        if letter.isalpha()
    )
    if not scripts:
        return DEFAULT_LANGUAGE
    # Japanese is written with Chinese characters between its own.
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts["CJK"] > 0:
        return "ja"
    script = scripts.most_common(1)[0][0]
    if script != "LATIN":
        language = _SCRIPTS.get(script, DEFAULT_LANGUAGE)
        counts = Counter(
            {other: sum(map(text.count, letters)) for other, letters in _LETTERS.get(language, {}).items()}
        )
        for other, count in counts.most_common(1):
            language = other if count > 0.01 * scripts[script] else language
        return language
    return _guess_latin(text)


def _guess_latin(text: str) -> str:
    """The language whose frequent words and letters a text in Latin script has most of."""
    letters = Counter(letter for letter in text if letter.isalpha() and not letter.isascii())
    scores = {}
    for language in _FREQUENT:
        own = _LETTERS["latin"].get(language, "")
        hits = sum(count for letter, count in letters.items() if letter in own)
        # A letter that a language lacks speaks against it more clearly than one that it has speaks for it.
        scores[language] = 0.3 * hits - 0.5 * (letters.total() - hits)
    for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", text):
        word = word.replace("’", "'")
        for language, frequent in _FREQUENT.items():
            if word in frequent:
                scores[language] += 1.0 / _KNOWN_IN[word]
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] > max(scores["en"], 0.3) else DEFAULT_LANGUAGE
