"""Generation: sound and an emotion track to the motion of a face; long sound in windows."""

from .emote_pipeline import (
    AudioFeatures,
    EMOTEPipeline,
    describe_track,
    require_transcript_use,
    uses_transcript,
)

__all__ = ["AudioFeatures", "EMOTEPipeline", "describe_track", "require_transcript_use", "uses_transcript"]
