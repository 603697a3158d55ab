"""Materials of a head: one per material name, each with the mesh's colour attribute as base colour.

Heads of one face model share their materials. A material carries its recipe, so that the next head finds it whatever
its name is now; it is used as it is, with all that the artist changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import bpy
import numpy as np

from ...flame.model import FaceModel
from ..compat import node_tree
from ..narrow import expect, present, set_input

RECIPE_PROPERTY = "emote_recipe"
COLOUR_ATTRIBUTE = "Color"
_DEFAULT_COLOUR = (0.60, 0.40, 0.31)


@dataclass(frozen=True)
class Surface:
    """Inputs of the Principled BSDF, 0 to 1.

    Attributes:
        roughness: Roughness.
        specular: Specular IOR Level.
        subsurface: Subsurface Weight.
        coat: Coat Weight.
    """

    roughness: float
    specular: float = 0.35
    subsurface: float = 0.0
    coat: float = 0.0


_SURFACES = {
    "skin": Surface(0.50, 0.30, subsurface=0.12),
    "lips": Surface(0.34, 0.45, subsurface=0.10),
    "mouth": Surface(0.60, 0.25),
    "sclera": Surface(0.35, 0.35, coat=0.8),
    "iris": Surface(0.45, 0.30, coat=1.0),
    "pupil": Surface(0.40, 0.10, coat=1.0),
    "teeth": Surface(0.22, 0.50),
    "gums": Surface(0.35, 0.45),
    "tongue": Surface(0.40, 0.45),
    "brow": Surface(0.75, 0.20),
    "lash": Surface(0.60, 0.20),
    "hair": Surface(0.48, 0.30),
}


def add_materials(mesh: bpy.types.Mesh, model: FaceModel) -> None:
    """Add the colour attribute and the materials to the mesh, and assign a material to each face."""
    colours = _linear_colours(model)
    attribute = expect(
        mesh.color_attributes.new(COLOUR_ATTRIBUTE, "FLOAT_COLOR", "POINT"), bpy.types.FloatColorAttribute
    )
    rgba = np.concatenate([colours, np.ones((len(colours), 1), np.float32)], axis=1)
    attribute.data.foreach_set("color", np.ascontiguousarray(rgba, np.float32).ravel())
    mesh.color_attributes.active_color = attribute
    if model.quads is None or model.quad_material is None or not model.material_names:
        mesh.materials.append(_material(model.basis, "skin", colours.mean(axis=0)))
        return
    for index, name in enumerate(model.material_names):
        faces = model.quads[model.quad_material == index]
        average = colours[faces.ravel()].mean(axis=0) if len(faces) else np.asarray(_DEFAULT_COLOUR)
        mesh.materials.append(_material(model.basis, name, average))
    mesh.polygons.foreach_set("material_index", model.quad_material.astype(np.int32))


def _linear_colours(model: FaceModel) -> np.ndarray:
    """(V, 3) linear colours; one skin colour if the face model has none."""
    if model.vertex_colors is None:
        return np.tile(np.asarray(_DEFAULT_COLOUR, np.float32), (model.num_vertices, 1))
    return np.clip(model.vertex_colors, 0.0, 1.0).astype(np.float32) ** model.vertex_color_gamma


def _material(basis: str, name: str, average: np.ndarray) -> bpy.types.Material:
    """The material of this recipe: that of a head in the file, else a new one."""
    recipe = json.dumps([basis, name, [round(float(value), 4) for value in average]])
    for material in bpy.data.materials:
        if material.library is None and material.get(RECIPE_PROPERTY) == recipe:
            return material
    material = _new_material(name, average)
    material[RECIPE_PROPERTY] = recipe
    return material


def _new_material(name: str, average: np.ndarray) -> bpy.types.Material:
    """A material with the colour attribute as base colour; `average` is its colour in the solid viewport."""
    surface = _SURFACES.get(name, _SURFACES["skin"])
    material = bpy.data.materials.new(f"Head {name}")
    material.diffuse_color = (*map(float, average), 1.0)
    material.roughness = surface.roughness
    tree = node_tree(material)
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    colour = expect(tree.nodes.new("ShaderNodeVertexColor"), bpy.types.ShaderNodeVertexColor)
    colour.layer_name = COLOUR_ATTRIBUTE
    colour.location = (shader.location.x - 220, shader.location.y)
    tree.links.new(present(colour.outputs)["Color"], shader.inputs["Base Color"])
    set_input(shader, "Roughness", surface.roughness)
    set_input(shader, "Specular IOR Level", surface.specular)
    if surface.subsurface:
        set_input(shader, "Subsurface Weight", surface.subsurface)
        # Red light wanders millimetres under skin, blue hardly at all.
        set_input(shader, "Subsurface Radius", (1.0, 0.35, 0.2))
        set_input(shader, "Subsurface Scale", 0.004)
    if surface.coat:
        set_input(shader, "Coat Weight", surface.coat)
        set_input(shader, "Coat Roughness", 0.03)
    return material
