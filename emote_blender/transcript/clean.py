"""Texts without what is not spoken: markup, names of speakers, stage directions, headings of scenes.

What is left in although nobody says it does little harm: the aligner leaves out words that do not fit the sound. What
is taken out although it is spoken is lost. So words stay unless there is evidence against them:

- A name with a colon is a speaker if it is in capitals ("ANNA:"), numbered ("Speaker 2:"), stands in brackets or
  before a `>>`, or if several lines begin like that. In subtitles one such line is enough. "Note: this is said" stays.
- Square brackets are directions in subtitles. In a text they are if they are in capitals, alone on a line, or hold a
  word of directions ("[door slams]"); "[the] king" stays.
- Parentheses are directions if they hold a word of directions, or if they are alone on a line or, in subtitles, hold
  no sentence. "(and so did I)" stays in a text.
- Lyrics between ♪ stay, as they are sung; "♪ upbeat music ♪" goes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .markup import without_markdown, without_markup

_DIRECTION_STEMS = (
    "laugh chuckl giggl snicker cackl sigh gasp groan moan cough sneez sniff snort sob cries crying weep scream shout "
    "yell whisper mutter mumbl murmur breath inhal exhal paus beat silen music instrumental sing humming hums whistl "
    "applau clap cheer knock slam beep buzz thud footstep explosion gunshot thunder bark meow static inaudible "
    "unintelligible indistinct crosstalk chatter overlapping throat nod smil scoff grunt growl pants panting yawn gulp "
    "hiss shush snore stammer stutter creak click rings ringing rustl excited sarcastic angrily sadly happily quietly "
    "softly loudly nervously slowly firmly gently lacht seufz flüster musik hust schrei weint "
    "stöhnt rire rit soupir chuchot musique applaudiss risa ríe suspir susurr música aplauso ride sospir sussurr смеёт "
    "смеет вздыха шепч музык смех"
).split()
_DIRECTION_WORD = re.compile(
    rf"\b(?:{'|'.join(_DIRECTION_STEMS)})\w*|\b(?:off|on)[ -]?screen\b|\b[ovOV]\.? ?[sS]\.", re.I
)
_MOST_DIRECTION_WORDS, _MOST_IN_PARENTHESES = 8, 3
_SQUARE = re.compile(r"[\[［【]([^\[\]［］【】]{0,200})[\]］】]")
_ROUND = re.compile(r"[(（]([^()（）]{0,200})[)）]")
_STARRED = re.compile(r"(?<![\w*])\*([^*\n]{1,60})\*(?![\w*])")
_NOTES = re.compile(r"[♪♫♬♩🎵🎶]+")
_SUNG = re.compile(r"[♪♫♬♩🎵🎶]([^♪♫♬♩🎵🎶]{0,300})[♪♫♬♩🎵🎶]?")
_SENTENCE_END = re.compile(r"[.!?…。！？]")

_SCENE_HEADING = re.compile(
    r"(?:INT|EXT|EST|I/E)(?:\./?(?:INT|EXT)?)?[. ].{0,100}|(?:FADE|CUT|DISSOLVE|SMASH CUT)\b.{0,20}"
)
# "Anna", "Mrs. O'Neil", "Speaker 2", "SPEAKER_00", with "(O.S.)" or "[whispering]" after it, then a colon.
_NAME = r"[^\W\d_][\w.'’-]{0,24}(?: [\w.'’&#-]{1,24}){0,3}"
_SPEAKER = re.compile(
    rf"^[ \t]*(?:(?P<mark>>>+|[-–—])[ \t]*)?(?P<open>[\[(])?(?P<name>{_NAME})(?(open)[\])])"
    r"[ \t]*(?:[(\[][^()\[\]\n]{0,40}[)\]])?[ \t]*[:：](?=\s|[\"“«„]|(?<=：)|$)[ \t]*",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"(?:speaker|spk|person|voice|sprecher|locuteur|hablante)[ _#-]?\d{1,3}", re.IGNORECASE)
_NUMBERED_LINE = re.compile(rf"^[ \t]*{_NUMBERED.pattern}[ \t]*\n", re.IGNORECASE)  # above the words of a cue
# In capitals after the end of a sentence, where the lines of a dialogue were put into one.
_SPEAKER_INSIDE = re.compile(r"(?<=[.!?…\"”»)])[ \t]+(?P<name>[^\W\d_a-z][\w.'’-]{1,24}(?: [\w.'’-]{1,24})?):(?=\s)")
_CHEVRONS = re.compile(r"(?:^|(?<=\s))>{2,}[ \t]*")
_DASH = re.compile(r"^[ \t]*[-–—‐][ \t]+(?=\S)|^[ \t]*[-–—‐](?=[^\W\d])", re.MULTILINE)
_HASHES = re.compile(r"^[ \t]*#+(?=\s)|(?<=\s)#+[ \t]*$", re.MULTILINE)  # around lyrics
_DOUBLE_SPACE = re.compile(r"[ \t]{2,}")
_PARTICLES = ("de", "von", "van", "of", "the", "da", "di")
# Words with a colon that begin what is said.
_NO_NAMES = set(
    "note notes remember warning attention caution danger look listen example question answer first second third then "
    "finally result results conclusion ps reminder tip fact rule step hint update breaking important please sorry yes "
    "no so and but because now today tomorrow chapter part section title here there this that summary one two three "
    "hinweis achtung merke beispiel frage antwort erstens zweitens attention remarque exemple question réponse nota "
    "atención ejemplo pregunta respuesta внимание вопрос ответ".split()
)


def clean_text(text: str) -> str:
    """The spoken words of a text or a script; a text without anything else stays as it is."""
    given = text.replace("\r\n", "\n").replace("\r", "\n")
    text = without_markup(given)
    text = _without_directions(text, is_subtitle=False)
    text = _without_headings(text)
    text = _without_speakers([text], is_subtitle=False)[0]
    cleaned = without_markdown(text)
    return cleaned if cleaned == given else _DOUBLE_SPACE.sub(" ", cleaned)


def clean_cues(texts: Sequence[str]) -> list[str]:
    """The spoken words of subtitles' texts, each in one line; empty where nothing is spoken."""
    cleaned = [_NUMBERED_LINE.sub("", _without_directions(without_markup(text), is_subtitle=True)) for text in texts]
    cleaned = [_HASHES.sub("", _DASH.sub("", text)) for text in _without_speakers(cleaned, is_subtitle=True)]
    return [" ".join(text.split()) if any(map(str.isalnum, text)) else "" for text in cleaned]


def _without_directions(text: str, is_subtitle: bool) -> str:
    """The text without directions in brackets, asterisks or notes."""
    has_lines = "\n" in text.strip()

    def without_square(match: re.Match[str]) -> str:
        inside = match.group(1)
        if match.string[match.end() : match.end() + 1] == "(" and not is_subtitle:
            return match.group()  # a link of Markdown
        is_direction = _is_direction(inside) or inside.isupper() and len(inside) > 2 or has_lines and _is_alone(match)
        return " " if is_subtitle or is_direction else match.group()

    def without_round(match: re.Match[str]) -> str:
        inside = match.group(1)
        is_sentence = _SENTENCE_END.search(inside) is not None
        if is_subtitle:
            return " " if _is_direction(inside) or inside.isupper() and len(inside) > 1 or not is_sentence else inside
        is_alone = has_lines and not is_sentence and _is_alone(match)
        return " " if is_alone or _is_direction(inside, _MOST_IN_PARENTHESES) else match.group()

    def without_starred(match: re.Match[str]) -> str:
        return " " if _is_direction(match.group(1), _MOST_IN_PARENTHESES) else match.group()

    if any(bracket in text for bracket in "[［【"):
        text = _SQUARE.sub(without_square, text)
    if "(" in text or "（" in text:
        text = _ROUND.sub(without_round, text)
    if "*" in text:
        text = _STARRED.sub(without_starred, text)
    if _NOTES.search(text):
        text = _SUNG.sub(lambda match: " " if _is_direction(match.group(1)) else match.group(), text)
        text = _NOTES.sub(" ", text)
    return text


def _is_direction(text: str, most_words: int = _MOST_DIRECTION_WORDS) -> bool:
    """Whether a few words hold a word of directions."""
    return len(text.split()) <= most_words and _DIRECTION_WORD.search(text) is not None


def _is_alone(match: re.Match[str]) -> bool:
    """Whether a bracket is the whole line, and short."""
    near = 40  # characters; a line may be as long as a book
    start, text, end = match.start(), match.string, match.end()
    before = ("\n" + text[:start] if start < near else text[start - near : start]).rpartition("\n")
    after = (text[end:] + "\n" if len(text) - end < near else text[end : end + near]).partition("\n")
    is_whole = bool(before[1] and after[1]) and not (before[2] + after[0]).strip(" \t.,")
    return is_whole and len(match.group(1).split()) <= _MOST_DIRECTION_WORDS


def _without_speakers(texts: list[str], is_subtitle: bool) -> list[str]:
    """The texts without names of speakers, of which all are evidence for each."""
    at_starts = [match["name"] for text in texts for match in _SPEAKER.finditer(text)]
    inside = [match["name"] for text in texts for match in _SPEAKER_INSIDE.finditer(text)]
    lines = Counter(name.casefold() for name in at_starts if _may_be_name(name))
    names = lines + Counter(name.casefold() for name in inside if _may_be_name(name))
    num_lines = sum(bool(line.strip()) for text in texts for line in text.splitlines())
    is_dialogue = len(lines) >= 2 and 2 * sum(lines.values()) >= num_lines
    in_capitals = all(text.isupper() for text in texts if any(map(str.isalpha, text)))

    def is_speaker(name: str) -> bool:
        return _may_be_name(name) and (
            names[name.casefold()] >= 2 or _is_numbered(name) or name.isupper() and not in_capitals
        )

    def without(match: re.Match[str]) -> str:
        name = match["name"]
        is_marked = bool(match["open"]) or (match["mark"] or "").startswith(">")
        is_evident = (is_marked or is_subtitle or is_dialogue) and _may_be_name(name)
        return "" if is_evident or is_speaker(name) else match.group()

    def without_inside(match: re.Match[str]) -> str:
        return " " if is_speaker(match["name"]) else match.group()

    return [_CHEVRONS.sub("", _SPEAKER_INSIDE.sub(without_inside, _SPEAKER.sub(without, text))) for text in texts]


def _may_be_name(name: str) -> bool:
    """Whether the words before a colon can be a name: each with a capital, if the script has capitals."""
    words = name.split()
    if words[0].casefold() in _NO_NAMES:
        return False
    has_capitals = all(not word[0].islower() or word in _PARTICLES for word in words)
    return has_capitals or _is_numbered(name)


def _is_numbered(name: str) -> bool:
    """Whether a name is that of a numbered speaker."""
    return _NUMBERED.fullmatch(name) is not None


def _without_headings(text: str) -> str:
    """The text without headings of scenes and the names above the speeches of a screenplay."""
    lines = text.split("\n")
    if len(lines) < 2 or text.isupper():
        return text
    stripped = [line.strip() for line in lines]
    headings = {index for index, line in enumerate(stripped) if _SCENE_HEADING.fullmatch(line) and line.isupper()}
    names = {index for index in range(len(lines) - 1) if _is_name_above(stripped, index)}
    if not headings and len(names) < 2:
        names = set()
    return "\n".join(line for index, line in enumerate(lines) if index not in headings | names)


def _is_name_above(lines: list[str], index: int) -> bool:
    """Whether a line is a name in capitals above a speech."""
    name = re.sub(r"\s*\([^()]*\)", "", lines[index])
    is_first = index == 0 or not lines[index - 1]
    follows = lines[index + 1] or (index + 2 < len(lines) and not lines[index + 1] and lines[index + 2])
    return bool(
        is_first and follows and name.isupper() and len(name.split()) <= 4 and not re.search(r"[.!?,:;…]$", name)
    )
