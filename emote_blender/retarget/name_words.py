"""Names of shape keys as words: split at capitals, signs and digits, with their side; and what the words mean.

`mouthSmile_L`, `Mouth Smile Left`, `l_mouth_smile` and `MOUTH-SMILE.L` are all the words mouth and smile of the left
side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LEFT, RIGHT = "L", "R"
_SIDES = {
    **dict.fromkeys(("l", "left", "lft", "lf", "lt", "links", "linke", "gauche", "izquierda", "izquierdo", "左"), LEFT),
    **dict.fromkeys(
        ("r", "right", "rgt", "rght", "rt", "rechts", "rechte", "droite", "derecha", "derecho", "右"), RIGHT
    ),
}
_SINGULAR = {"eyes": "eye", "brows": "brow", "lips": "lip", "cheeks": "cheek", "lids": "lid", "eyebrows": "eyebrow"}

EXPORTER_WORDS = frozenset(
    "ctrl expression expressions facs bs jnt e ex exp arkit ar ark kit blendshape blendshapes blend shape shapes "
    "morph morphs target targets key keys mesh geo geometry head face facial fac body base main obj object model "
    "character char lod lod0 mix c m shp sdk grp mh cc std high low hi lo default value "
    "fbx gltf glb vrm vrc avatar rig node group data the of a and".split()
)
"""Words that exporters and modellers put around a name, and that mean nothing."""

MISLEADING_WORDS = frozenset(
    "cbs corrective correctives correct corr fix fixes fixed fixup old older backup bak orig original copy tmp temp "
    "test tests wip unused delete deleted mask masked matte combo comb combination combined inbetween between driver "
    "driven helper jcm pjcm mcm psd delta inverse inverted invert reverse negative neg not no non without un anti "
    "disabled deprecated archive wrinkle_map wrinklemap map collision collider physics proxy "
    "maske alt alte".split()
)
"""Words of keys that belong to another key: correctives, old copies, masks."""

WHOLE_FACE_WORDS = frozenset(
    "joy joyful angry anger sorrow sad sadness fun happy happiness surprise surprised fear afraid scared disgust "
    "disgusted contempt relaxed neutral natural excited excitement laugh laughing cry crying annoyed bored pain "
    "confused shy flirt flirting rage furious smug pleased worried concentrate ill drunk sleepy tired expression "
    "emotion mood grief desire ecstasy glare hot hurt "
    "freude wut trauer angst ekel 喜び 怒り 悲しみ 楽しい".split()
)
"""Words of keys that show an emotion with the whole face."""

VISEME_WORDS = frozenset(
    "viseme visemes vis vsm v vrc phoneme phonemes phone phones phon ph pho mouth mth lip lipsync sync speech speak "
    "talk talking say saying vowel vowels sound fcl moji aiueo shape mund laut 口".split()
)
"""Words that stand before the names of visemes and vowels."""


@dataclass(frozen=True)
class Words:
    """A name of a shape key as words.

    Attributes:
        all: the words in order, in small letters, sides included as l and r.
        plain: the words without the sides.
        sides: the sides in order, L or R.
    """

    all: tuple[str, ...]
    plain: tuple[str, ...]
    sides: tuple[str, ...]

    @property
    def side(self) -> str:
        """L or R if the name has one side, else empty."""
        return self.sides[0] if self.sides and len(set(self.sides)) == 1 else ""


_KEEP_WHOLE = re.compile("CTRL|ARKit|ARkit|BlendShape")
_ASCII_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SIDE_SIGN = re.compile("([左右])")
_DAZ_DIVISION = re.compile(r"_div[0-9]+$")  # how Daz divides its shapes


@lru_cache(maxsize=16384)
def words_of(name: str) -> Words:
    """The words of a name."""
    text = _KEEP_WHOLE.sub(lambda match: f" {match[0].lower()} ", _DAZ_DIVISION.sub("", name))
    if text.isascii():
        found = _ASCII_WORD.findall(text)
    else:
        found = _words_of_any_script(_SIDE_SIGN.sub(r" \1 ", unicodedata.normalize("NFKC", text)))
    every, plain, sides = [], [], []
    for word in found:
        small = word.lower()
        side = _SIDES.get(small)
        if side:
            every.append(side.lower())
            sides.append(side)
            continue
        small = _SINGULAR.get(small, small)
        if small.isdigit():
            small = small.lstrip("0") or "0"
        every.append(small)
        plain.append(small)
    return Words(tuple(every), tuple(plain), tuple(sides))


def _words_of_any_script(text: str) -> list[str]:
    """Runs of letters and of digits; a capital after a small letter begins a new one, and so do known words of Asia."""
    found: list[str] = []
    last = ""
    for sign in text:
        kind = "digit" if sign.isdigit() else "letter" if sign.isalpha() or sign in "ーゝ々" else ""
        if not kind:
            last = ""
            continue
        capital = sign.isupper()
        begins = kind != last.split()[0] if last else True
        if begins or (capital and last.endswith("small")):
            found.append(sign)
        else:
            found[-1] += sign
        last = f"{kind} {'capital' if capital else 'small'}"
    return [word for run in found for word in _words_of_run(run)]


def _words_of_run(run: str) -> list[str]:
    """A run of Chinese, Japanese or Korean letters at the words that are known; other runs as they are."""
    if run.isascii():
        return [run]
    words, start, place = [], 0, 0
    while place < len(run):
        known = next((run[place : place + n] for n in (4, 3, 2, 1) if run[place : place + n] in _ASIAN), "")
        if not known:
            place += 1
            continue
        words += [part for part in (run[start:place], known) if part]
        start = place = place + len(known)
    return [*words, run[start:]] if start < len(run) else words


# What words mean, whatever their language; lips are the mouth. Each line: meaning, words.
_MEANINGS = """
jaw: jaw jw mandible kiefer unterkiefer mandibula machoire
chin: chin kinn menton barbilla
mouth: mouth mth mouf lip lp mund lippe lippen bouche levre boca labio labios bocca
corner: corner cnr crnr corn mundwinkel winkel comisura coin
eye: eye ey lid eyelids eyelid auge augen augenlid oeil yeux ojo ojos occhio
brow: brow brw eyebrow braue brauen augenbraue augenbrauen sourcil sourcils ceja cejas
cheek: cheek chk wange wangen joue mejilla
nose: nose nse nostril nase nez nariz
tongue: tongue tng tong zunge langue lengua
open: open opn opened opening opens gape auf offen oeffnen öffnen ouvert ouvrir abierto abierta abrir
close: close cls clse closed closes closer shut seal sealed together zu geschlossen schliessen
close: closure ferme cerrado cerrada cerrar
blink: blink blinks blinker wink blinzeln zwinkern clin parpadeo
smile: smile sml smiles smiling grin smirk lächeln laecheln grinsen sourire sonrisa
frown: frown frowns pout furrow furrowed knit
up: up upward upwards raise rse raised raises raiser lift lifted lifter elevation elevate elevator hoch oben heben
up: haut arriba
down: down dn dwn downward downwards depress depressed depressor drop dropped lowered lowerer runter unten senken
down: depression bas abajo
upper: upper upr uppr top ober obere oberlippe superior
lower: lower lwr lowr bottom unter untere unterlippe inferior
inner: inner internal inr in inside inward inwards medial innen interieur interior
outer: outer extern external otr outr out outside outward outwards lateral aussen außen exterieur exterior
wide: wide widen widened widener weit large ancho
squint: squint squints squinting squeeze squeezed narrow narrowed
pucker: pucker puckered puckerer purse pursed purser kiss kissing whistle kuss kussmund
funnel: funnel funneler trumpet
stretch: stretch stretched stretcher
dimple: dimple dimples dimpler
roll: roll rolled suck sucked sucker tuck tucked fold bite
shrug: shrug shrugged
press: press compression pression pressed presser pressor tight tighten tightened tightener compress compressed
pull: pull pulled puller
sneer: sneer wrinkle wrinkled wrinkler scrunch scrunched snarl crinkle ruempfen rümpfen
puff: puff puffed puffer blow blown inflate inflated balloon aufblasen
forward: forward forwards fwd thrust protrude protruded front jut vor
look: look looks looking gaze aim blick schau
shift: shift shifted sideways slide move moved side
jaw: 顎 あご 下巴 턱
mouth: 口 唇 嘴 입
eye: 目 瞼 眼 눈
brow: 眉 눈썹
cheek: 頬 颊 볼
nose: 鼻 코
tongue: 舌 혀
open: 開 開く 開き 開け 张 張 벌리기 벌림 열기
close: 閉 閉じ 閉じる 闭 닫기
blink: 감기 깜빡
smile: 笑顔 笑み 微笑 미소
up: 上 上げ
down: 下 下げ
outer: 出す 出し
puff: 膨らみ 膨らまし
"""
MEANINGS = {
    word: meaning
    for meaning, _, words in (line.partition(": ") for line in _MEANINGS.strip().splitlines())
    for word in words.split()
}
"""Meaning of each known word."""

_ASIAN = frozenset(word for word in MEANINGS if ord(word[0]) > 0x2E80)

FACE_PARTS = frozenset("jaw chin mouth corner eye brow cheek nose tongue".split())
"""Meanings that are parts of a face."""

BUILD_MEANINGS = frozenset("up down wide squint forward inner outer upper lower open".split()) | FACE_PARTS
"""Meanings of which the names of shapes that build a face are made, such as Nose Up and Jaw Wide."""

# Which signals sets of meanings are. A signal without a side has one in the name, or means both.
_SENSES: dict[str, tuple[str, ...]] = {
    "eyeBlink": ("eye blink", "blink", "eye close", "eye upper close", "eye upper down"),
    "eyeLookDown": ("eye look down", "look down", "eye down"),
    "eyeLookUp": ("eye look up", "look up", "eye up"),
    "eyeLookIn": ("eye look inner", "look inner", "eye inner"),
    "eyeLookOut": ("eye look outer", "look outer", "eye outer"),
    "eyeSquint": ("eye squint", "squint", "eye lower up", "eye press"),
    "eyeWide": ("eye wide", "eye open", "eye upper up"),
    "jawForward": ("jaw forward", "chin forward", "jaw outer"),
    "jawOpen": ("jaw open", "jaw down", "mouth open", "open", "chin down", "jaw lower"),
    "jaw": ("jaw", "jaw shift", "chin shift", "jaw look"),
    "mouth": ("mouth", "mouth shift"),
    "mouthClose": ("mouth close", "mouth seal"),
    "mouthFunnel": ("mouth funnel", "funnel"),
    "mouthPucker": ("mouth pucker", "pucker", "mouth squint"),
    "mouthSmile": ("mouth smile", "smile", "mouth corner up", "mouth corner pull", "corner up", "corner pull"),
    "mouthFrown": ("mouth frown", "mouth corner down", "corner down"),
    "mouthDimple": ("mouth dimple", "dimple", "mouth corner press", "mouth corner inner"),
    "mouthStretch": ("mouth stretch", "mouth wide", "mouth corner outer", "mouth corner wide", "mouth corner stretch"),
    "mouthRollLower": ("mouth roll lower", "mouth lower inner"),
    "mouthRollUpper": ("mouth roll upper", "mouth upper inner"),
    "mouthShrugLower": ("mouth shrug lower", "chin up", "chin shrug", "mouth lower up"),
    "mouthShrugUpper": ("mouth shrug upper",),
    "mouthPress": ("mouth press",),
    "mouthLowerDown": ("mouth lower down", "lower down"),
    "mouthUpperUp": ("mouth upper up", "upper up", "mouth upper sneer"),
    "browDown": ("brow down", "brow lower", "brow frown", "brow press", "brow inner down"),
    "browInnerUp": ("brow inner up", "inner up"),
    "browOuterUp": ("brow outer up", "outer up"),
    "browUp": ("brow up",),
    "cheekPuff": ("cheek puff",),
    "cheekSquint": ("cheek squint", "cheek up"),
    "noseSneer": ("nose sneer", "sneer", "nose up"),
    "tongueOut": ("tongue outer", "tongue forward"),
    "tongueUp": ("tongue up",),
}
SENSES = {frozenset(sense.split()): stem for stem, senses in _SENSES.items() for sense in senses}
"""Stem of the signal that a set of meanings is. `jaw` and `mouth` with a side are jawLeft, mouthRight, ..."""


@dataclass(frozen=True)
class Sense:
    """What words mean.

    Attributes:
        stem: the signal, without its side if it has one.
        odd: number of words that are unknown or misspelt.
        side: a misspelt side (L, R), or empty.
        may_be_build: whether the words may as well name a shape that builds the face.
    """

    stem: str
    odd: int
    side: str
    may_be_build: bool


def sense_of(words: Sequence[str]) -> Sense | None:
    """What words mean; None if they mean no signal, or nothing in a face."""
    meanings, odd, side = set(), 0, ""
    for word in words:
        meaning = MEANINGS.get(word)
        if meaning is None and word not in EXPORTER_WORDS and not word.isdigit():
            odd += 1
            meaning = _misspelt(word)
            if meaning in (LEFT, RIGHT):
                side, meaning = meaning, None
        if meaning:
            meanings.add(meaning)
    stem = SENSES.get(frozenset(meanings)) or SENSES.get(frozenset(meanings - {"pull"}))
    if stem is None or (odd and (len(meanings) == 1 or not meanings & FACE_PARTS)):
        return None
    return Sense(stem, odd, side, len(meanings) < 3 and meanings <= BUILD_MEANINGS)


@lru_cache(maxsize=4096)
def _misspelt(word: str) -> str | None:
    """The meaning of the only known word, or the side, that differs from this one by a letter."""
    if len(word) < 4:
        return None
    found = {
        meaning
        for known, meaning in (*MEANINGS.items(), ("left", LEFT), ("right", RIGHT))
        if known[0] == word[0] and distance(word, known, 1) <= 1
    }
    return found.pop() if len(found) == 1 else None


def distance(first: str, second: str, limit: int) -> int:
    """Least number of letters to change, add, leave out or swap with the next one; `limit` + 1 if it is more."""
    if abs(len(first) - len(second)) > limit or len(set(first) ^ set(second)) > 2 * limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
