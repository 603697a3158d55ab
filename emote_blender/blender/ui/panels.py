"""The panels, menus and lists of the tab EMOTE, in the order in which they are registered."""

from __future__ import annotations

from .capture import CapturePanel, EMOTE_MT_movies, MixPanel
from .character import CharacterPanel
from .character_mapping import (
    EMOTE_MT_mapping,
    EMOTE_MT_unmapped_keys,
    EMOTE_MT_unmapped_signals,
    EMOTE_UL_mapping,
    MappingBonesPanel,
    MappingPanel,
)
from .check import CheckPanel
from .dialogue import DialoguePanel, EMOTE_UL_lines
from .emotion import EMOTE_MT_generate, EMOTE_MT_moments, EMOTE_UL_moments, EmotionPanel
from .emotion_presets import EMOTE_MT_emotion_presets
from .files import FilesPanel
from .menus import EMOTE_MT_speech
from .refine import AlivePanel, RefinePanel
from .sidebar import in_both_sidebars
from .speech import EMOTE_MT_strips, ModelPanel, SpeechPanel
from .tab import EMOTE_MT_add, EMOTE_MT_heads, TabPanel
from .takes import EMOTE_MT_takes, EMOTE_UL_takes, TakesPanel

MENUS_AND_LISTS = (
    EMOTE_MT_speech,
    EMOTE_MT_heads,
    EMOTE_MT_add,
    EMOTE_MT_strips,
    EMOTE_MT_movies,
    EMOTE_MT_emotion_presets,
    EMOTE_MT_moments,
    EMOTE_MT_generate,
    EMOTE_UL_moments,
    EMOTE_UL_takes,
    EMOTE_UL_lines,
    EMOTE_MT_takes,
    EMOTE_UL_mapping,
    EMOTE_MT_mapping,
    EMOTE_MT_unmapped_keys,
    EMOTE_MT_unmapped_signals,
)

# A panel comes after the one in which it lies.
PANELS = (
    *in_both_sidebars(TabPanel),
    *in_both_sidebars(SpeechPanel, TabPanel),
    *in_both_sidebars(ModelPanel, SpeechPanel),
    *in_both_sidebars(EmotionPanel, TabPanel),
    *in_both_sidebars(DialoguePanel, TabPanel),
    *in_both_sidebars(CapturePanel, TabPanel),
    *in_both_sidebars(TakesPanel, TabPanel),
    *in_both_sidebars(RefinePanel, TabPanel),
    *in_both_sidebars(MixPanel, RefinePanel),
    *in_both_sidebars(AlivePanel, RefinePanel),
    *in_both_sidebars(MappingPanel, TabPanel),
    *in_both_sidebars(MappingBonesPanel, MappingPanel),
    *in_both_sidebars(CharacterPanel, TabPanel),
    *in_both_sidebars(CheckPanel, TabPanel),
    *in_both_sidebars(FilesPanel, TabPanel),
)
