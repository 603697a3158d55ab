"""EMOTE for Blender: a head in the scene speaks a sound strip with a chosen emotion.

Blender enables the add-on through `register`. Without Blender, Python programs use
`emote_blender.pipeline.EMOTEPipeline`; the command line is `python -m emote_blender`.
Nothing is imported here, so that importing the package costs nothing and needs neither Blender nor torch.
"""


def register() -> None:
    """Register the add-on; Blender calls this when the add-on is enabled."""
    from .blender.register import register as register_classes

    register_classes()


def unregister() -> None:
    """Unregister the add-on; Blender calls this when the add-on is disabled."""
    from .blender.register import unregister as unregister_classes

    unregister_classes()


def glTF2ExportUserExtension() -> object:  # the name that Blender's glTF exporter looks for
    """The hooks by which every take comes out of a glTF export."""
    from .blender.takes.gltf import TakesInGltf

    return TakesInGltf()
