"""Generation: sound and an emotion track to the motion of a face; long sound in windows."""

from .emote_pipeline import (
    AudioFeatures,
    EMOTEPipeline,
    describe_track,
    require_transcript_use,
    uses_transcript,
)
from .feature_cache import FeatureCache, feature_key, is_of_model, model_digest
from .rendered_windows import RenderedWindows

__all__ = [
    "AudioFeatures",
    "EMOTEPipeline",
    "FeatureCache",
    "RenderedWindows",
    "describe_track",
    "feature_key",
    "is_of_model",
    "model_digest",
    "require_transcript_use",
    "uses_transcript",
]
