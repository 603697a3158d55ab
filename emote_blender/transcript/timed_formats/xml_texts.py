"""Timed texts in XML: ELAN's annotations, TTML and DFXP, YouTube's captions; and SAMI, which is nearly that."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from xml.etree.ElementTree import Element

from .tiers import Tier, tiers_of_words
from .written_cue import DamagedText, TimedText, WrittenCue

_SYNC = re.compile(r"<SYNC\b[^<>]{0,100}?\bStart\s*=\s*[\"']?(-?\d{1,12})[^<>]{0,100}>", re.IGNORECASE)
_SAMI_CLASS = re.compile(r"<P\b[^<>]{0,200}?\bClass\s*=\s*[\"']?(\w+)[^<>]{0,200}>", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2}(?:\.\d{1,9})?)(?::(\d{1,4}(?:\.\d{1,9})?))?")
_OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_MOST_DEEP = 200


def read_xml(text: str) -> TimedText | None:
    """The words of a timed text in XML or SAMI; None if the text is none.

    Entities are not expanded and nothing outside the text is read: a text that declares a document type is refused.

    Raises:
        DamagedText: if it is one, but cannot be read.
    """
    start = text.lstrip()[:2000]
    if not start.startswith("<"):
        return None
    if re.match(r"(?:<\?[^<>]*>\s*)?<SAMI\b", start, re.IGNORECASE):
        return _read_sami(text)
    found = re.search(r"<(?:\w{1,20}:)?(ANNOTATION_DOCUMENT|tt|timedtext|transcript)[\s>]", start)
    if found is None:
        return None
    name, read = {
        "ANNOTATION_DOCUMENT": ("ELAN file", _read_elan),
        "tt": ("TTML file", _read_ttml),
    }.get(found.group(1), ("YouTube caption file", _read_youtube))
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DamagedText(f"declares a document type, which is not read in {name}s; save it again without")
    try:
        root = ElementTree.fromstring(text.lstrip())
    except (ElementTree.ParseError, ValueError) as error:
        raise DamagedText(f"is a damaged {name} ({error}); save it again") from error
    return read(root)


def _local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _number(text: str | None) -> float:
    """A number; NaN if it is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def _read_elan(root: Element) -> TimedText:
    """The tiers of words. An annotation without times of its own has those of the one that it belongs to."""
    slots = _slot_times(root)
    spans: dict[str, tuple[float, float]] = {}
    parents: dict[str, str] = {}
    for annotation in root.iter("ALIGNABLE_ANNOTATION"):
        nan = float("nan")
        begin, end = (slots.get(annotation.get(f"TIME_SLOT_REF{place}", ""), nan) for place in (1, 2))
        spans[annotation.get("ANNOTATION_ID", "")] = begin, end
    for annotation in root.iter("REF_ANNOTATION"):
        parents[annotation.get("ANNOTATION_ID", "")] = annotation.get("ANNOTATION_REF", "")
    languages = {item.get("LANG_ID"): item.get("LANG_DEF", "").rpartition("/")[2] for item in root.iter("LANGUAGE")}
    tiers = []
    for tier in root.iter("TIER"):
        cues = []
        for annotation in [*tier.iter("ALIGNABLE_ANNOTATION"), *tier.iter("REF_ANNOTATION")]:
            name = annotation.get("ANNOTATION_ID", "")
            for _ in range(_MOST_DEEP):
                if name in spans or name not in parents:
                    break
                name = parents[name]
            start, end = spans.get(name, (float("nan"), float("nan")))
            cues.append(WrittenCue(annotation.findtext("ANNOTATION_VALUE") or "", start, end))
        language = tier.get("LANG_REF", "")
        tiers.append(Tier(tier.get("TIER_ID", ""), tuple(cues), languages.get(language) or language))
    chosen = tiers_of_words(tiers)
    cues = [cue for tier in chosen for cue in tier.cues]
    if any(tier.name.strip() for tier in chosen[1:]):
        cues.sort(key=lambda cue: cue.start_seconds)
    return TimedText(cues, chosen[0].language if chosen else "")


def _slot_times(root: Element) -> dict[str, float]:
    """Seconds of ELAN's time slots; one without a time lies evenly between its neighbours."""
    names = [slot.get("TIME_SLOT_ID", "") for slot in root.iter("TIME_SLOT")]
    times = [_number(slot.get("TIME_VALUE")) / 1000.0 for slot in root.iter("TIME_SLOT")]
    known = [index for index, time in enumerate(times) if time == time]
    for before, after in zip(known, known[1:]):
        for index in range(before + 1, after):
            share = (index - before) / (after - before)
            times[index] = times[before] + share * (times[after] - times[before])
    return dict(zip(names, times))


def _read_ttml(root: Element) -> TimedText:
    """The paragraphs of TTML, or their spans where only these have times; times are relative to what they stand in."""
    attributes = {name.rpartition("}")[2]: value for name, value in root.attrib.items()}
    fps = _number(attributes.get("frameRate")) or 30.0
    multiplier = [_number(part) for part in attributes.get("frameRateMultiplier", "1 1").split()]
    if len(multiplier) == 2 and multiplier[1]:
        fps *= multiplier[0] / multiplier[1]
    fps = fps if fps > 0 else 30.0
    ticks = _number(attributes.get("tickRate"))
    rates = {"h": 1 / 3600, "m": 1 / 60, "s": 1.0, "ms": 1000.0, "f": fps, "t": ticks if ticks > 0 else fps}

    def seconds(text: str | None) -> float | None:
        text = (text or "").strip()
        if match := _OFFSET.fullmatch(text):
            return float(match.group(1)) / rates[match.group(2)]
        if match := _CLOCK.fullmatch(text):
            hours, minutes, rest, frames = (float(part or 0) for part in match.groups())
            return 3600 * hours + 60 * minutes + rest + frames / fps
        return None

    cues: list[WrittenCue] = []
    waiting: list[tuple[Element, float, int]] = [(root, 0.0, 0)]
    while waiting:
        element, offset, depth = waiting.pop()
        begin, end = seconds(element.get("begin")), seconds(element.get("end"))
        length = seconds(element.get("dur"))
        kind = _local_name(element)
        if begin is not None and kind in ("p", "span"):
            stop = offset + end if end is not None else None
            stop = offset + begin + length if stop is None and length is not None else stop
            cues.append(WrittenCue(_inner_text(element), offset + begin, stop))
        elif depth < _MOST_DEEP:
            offset += begin or 0.0
            waiting += [(child, offset, depth + 1) for child in reversed(element)]
    return TimedText(cues, root.get(_XML_LANGUAGE, ""))


def _inner_text(root: Element) -> str:
    """The text of an element and of all in it, with a line break for each <br/>."""
    parts: list[str] = []
    waiting: list[Element | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        parts += ["\n" if _local_name(item) == "br" else "", item.text or ""]
        for child in reversed(item):
            waiting += [child.tail or "", child]
    return "".join(parts)


def _read_youtube(root: Element) -> TimedText:
    """Captions of YouTube: <text start dur> in seconds, or <p t d> in milliseconds."""
    cues = []
    for element in root.iter():
        name, text = _local_name(element), _inner_text(element)
        if name == "text" and element.get("start"):
            start, length = _number(element.get("start")), _number(element.get("dur"))
        elif name == "p" and element.get("t"):
            start, length = _number(element.get("t")) / 1000.0, _number(element.get("d")) / 1000.0
        else:
            continue
        cues.append(WrittenCue(text, start, start + length if length == length else None))
    return TimedText(cues, root.get(_XML_LANGUAGE, ""))


def _read_sami(text: str) -> TimedText:
    """The captions of SAMI in the language that comes first; each lasts until the next."""
    parts = _SYNC.split(text)
    first_class = _SAMI_CLASS.search("".join(parts[2:4]))
    wanted = first_class.group(1).lower() if first_class else ""
    cues = []
    for start, body in zip(parts[1::2], parts[2::2]):
        paragraphs = _SAMI_CLASS.split(body)
        texts = [words for name, words in zip(paragraphs[1::2], paragraphs[2::2]) if name.lower() == wanted]
        words = "\n".join(texts) if len(paragraphs) > 1 else body
        if len(paragraphs) > 1 and not texts:
            continue
        words = re.sub(r"<br\s*/?>", "\n", words, flags=re.IGNORECASE)
        cues.append(WrittenCue(re.sub(r"<[^<>]{0,200}>", " ", words), int(start) / 1000.0, None))
    return TimedText(cues)
