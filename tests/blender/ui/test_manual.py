"""The manual has a place for every operator and every fix, and leads nowhere that does not exist."""

import re
from pathlib import Path

import bpy
import pytest

import emote_blender
from emote_blender.blender.check.find import FIXES
from emote_blender.blender.ui.manual_map import manual_map

DOCS = Path(emote_blender.__file__).parent.parent / "docs"
PAGES = [DOCS / "manual.md", *sorted((DOCS / "manual").glob("*.md"))]
MOST_BYTES = 60_000  # of a picture


def anchors(page: Path) -> list[str]:
    """The places of a page that a link can name: explicit ones, and its headings."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return re.findall(r'<a id="([^"]+)"></a>', text) + [
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings
    ]


def test_every_operator_has_its_place_where_the_map_leads():
    _, places = manual_map()
    assert {pattern.removeprefix("bpy.ops.emote.") for pattern, _ in places} == set(dir(bpy.ops.emote))
    missing = []
    for _, place in places:
        page, _, anchor = place.partition("#")
        if anchor not in anchors(DOCS / "manual" / page):
            missing.append(place)
    assert missing == []


def test_every_fix_is_explained_with_the_label_of_its_button():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (DOCS / "manual" / "troubleshooting.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    explained = {
        identifier: label
        for names, _, labels in rows
        for identifier, label in zip(re.findall(r"`(\w+)`", names), labels.split(", "), strict=True)
    }
    assert explained == {identifier: fix.label for identifier, fix in FIXES.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.is_file(), link
        assert not anchor or anchor in anchors(file), link


def test_pictures_are_small_and_all_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in sorted((DOCS / "pictures").glob("*.png")):
        assert f"pictures/{picture.name})" in text, picture.name
        assert picture.stat().st_size <= MOST_BYTES, picture.name
