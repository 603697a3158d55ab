"""Texts without markup: tags of HTML, SSML and subtitles, their entities, overrides of ASS, signs of Markdown."""

from __future__ import annotations

import html
import re

# Attributes have a value. So "a <b and c> d" is no tag, and neither is "3 < 5 and 7 > 2".
_ATTRIBUTES = r"(?:\s+[\w:.-]{1,40}\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*"
_NAME = r"[A-Za-z][\w:-]{0,40}"
_TAG = re.compile(rf"<\?[\w-]+[^<>]*>|<!\[CDATA\[|\]\]>|<!DOCTYPE[^<>]*>|</?({_NAME}){_ATTRIBUTES}\s*/?>", re.DOTALL)
# WebVTT: <v Anna>, <v.loud Anna B.>, <c.yellow.bg_blue>, <lang en-GB>, <00:00:01.500>
_VTT_TAG = re.compile(r"<v(?:\.[\w.-]+)?\s+[^<>]{0,80}>|</?(?:[cbiuv]|ruby|rt|lang)(?:\.[\w.-]+)*(?:\s+[\w-]+)?>")
_TIME_TAG = re.compile(r"<(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}>")
# Elements whose text is not spoken; the reading beside a Chinese character in <rt> is spoken already.
_UNSPOKEN = re.compile(
    r"<(script|style|head|title|metadata|desc|rt|rp)\b[^<>]*>.{0,1000}?</\1\s*>", re.DOTALL | re.IGNORECASE
)
_ALIAS = re.compile(
    r"<sub\b[^<>]*?\balias\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')[^<>]*(?<!/)>[^<>]{0,200}</sub\s*>", re.DOTALL
)
# Elements that part words; others may stand inside a word, as in un<b>believ</b>able.
_PARTING = set(
    "p s br div speak break sentence w tr td th li ul ol h1 h2 h3 h4 h5 h6 body html voice audio mark".split()
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]\w{1,30});")
_ASS_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_ASS_BREAK = re.compile(r"([A-Za-z]:\\\S*)|\\[Nnh]")  # the break is no part of a path, C:\new
# Soft hyphens, marks of direction and of the byte order: no reader sees them, and speech synthesis stumbles.
_INVISIBLE = re.compile("[\u00ad\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u205f]")

_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]*\)){1,500}(?:\s+\"[^\"\n]*\")?\)")
_EMPHASIS = re.compile(r"(?<![\w*`])(\*{1,3}|~~|`{1,3})(?=[^\s*~`])([^*~`\n]{1,500}?)(?<=\S)\1(?![\w*])")
_UNDERLINED = re.compile(r"(?<![\w_])(_{1,3})(?=[^\s_])([^_\n]{1,500}?)(?<=\S)\1(?![\w_])")
_LINE_START = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|(?:>[ \t]?)+(?=\S)|[*+•][ \t]+)", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]?){3,}$", re.MULTILINE)


def without_markup(text: str) -> str:
    """The text without tags, entities, overrides and invisible characters.

    The alias of SSML's <sub> takes the place of its text. What is no tag stays: "3 < 5", "R&D".
    """
    text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    # Markup in entities (&lt;i&gt;) shows after the first round.
    for _ in range(2):
        if "<" in text:
            text = _without_tags(text)
        if "&" in text:
            text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
            text = _INVISIBLE.sub("", _SPACES.sub(" ", text))
    if "\\" in text:
        text = _ASS_BREAK.sub(lambda match: match.group(1) or " ", _ASS_OVERRIDE.sub("", text))
    return text


def _without_tags(text: str) -> str:
    if "<!--" in text:
        first, *parts = text.split("<!--")
        text = first + "".join(part.partition("-->")[2] if "-->" in part else f"<!--{part}" for part in parts)
    text = _ALIAS.sub(lambda match: html.unescape(match.group(1) or match.group(2) or ""), text)
    text = _UNSPOKEN.sub("", text)
    text = _TIME_TAG.sub("", _VTT_TAG.sub("", text))
    return _TAG.sub(lambda match: " " if (match.group(1) or "s").lower() in _PARTING else "", text)


def without_markdown(text: str) -> str:
    """The text without signs of headings, emphasis, quotes, bullets and rules; links keep their words."""
    text = _RULE.sub("", text)
    text = _LINK.sub(lambda match: "" if match.group(1) else match.group(2), text)
    text = _LINE_START.sub("", text)
    for _ in range(3):  # emphasis in emphasis
        text = _UNDERLINED.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    return text
