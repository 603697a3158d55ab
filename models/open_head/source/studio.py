"""A Blender scene that renders pictures of a posed FaceModel (needs bpy)."""

import contextlib
import os
import sys

import bpy
import numpy as np
from mathutils import Vector

LENS_MM, SENSOR_MM = 85, 36
BACKGROUND = (0.42, 0.47, 0.53, 1)
ROUGHNESS = {"lips": 0.32, "sclera": 0.12, "iris": 0.10, "pupil": 0.08, "teeth": 0.22, "gums": 0.35}
ROUGHNESS |= {"tongue": 0.38, "brow": 0.75, "lash": 0.6, "hair": 0.42}
SKIN_ROUGHNESS, SKIN_SPECULAR = 0.48, 0.30
# position and size in metres, power in watts, colour
LIGHTS = (
    ((-0.55, -0.75, 0.55), 0.38, 13.0, (1.0, 0.955, 0.90)),
    ((0.75, -0.55, 0.10), 0.45, 5.0, (0.86, 0.93, 1.0)),
    ((0.45, 0.65, 0.55), 0.4, 12.0, (1.0, 0.97, 0.95)),
)


def to_blender(points):
    """(..., 3) points with z up, as in Blender, of points with y up."""
    points = np.asarray(points, float)
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


class Studio:
    """A scene with the head, which each shot poses anew.

    Args:
        face_model: the head, with quads, colours and materials.
        size: width and height of a picture, pixels.
        samples: Cycles samples; 0 renders with Workbench.
    """

    def __init__(self, face_model, size, samples):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.scene.render.resolution_x, self.scene.render.resolution_y = size
        self.aspect = size[1] / max(size)
        self._add_head(face_model)
        self._add_lights()
        self.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self.camera.data.lens = LENS_MM
        self.scene.collection.objects.link(self.camera)
        self.scene.camera = self.camera
        if samples:
            self._use_cycles(samples)
        else:
            self._use_workbench()

    def shoot(self, vertices, path, yaw=0.0, pitch=0.0, centre=(0, -0.012, 0.02), height=0.22):
        """Write a PNG of the posed head.

        Args:
            vertices: (V, 3) metres.
            path: of the PNG.
            yaw: turn of the camera to the character's left, degrees.
            pitch: elevation of the camera, degrees.
            centre: (3,) point that the camera looks at, metres.
            height: height of the frame at that point, metres.
        """
        self.mesh.vertices.foreach_set("co", to_blender(vertices).astype(np.float32).ravel())
        self.mesh.update()
        distance = height / 2 / (SENSOR_MM / 2 / LENS_MM * self.aspect)
        yaw, pitch = np.radians(yaw), np.radians(pitch)
        offset = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]) * distance
        place, target = to_blender(np.asarray(centre) + offset), to_blender(centre)
        self.camera.location = place
        self.camera.rotation_euler = Vector(target - place).to_track_quat("-Z", "Y").to_euler()
        self.scene.render.filepath = str(path)
        with _silence():
            bpy.ops.render.render(write_still=True)

    def _add_head(self, face_model):
        self.mesh = mesh = bpy.data.meshes.new("head")
        mesh.from_pydata(to_blender(face_model.v_template).tolist(), [], face_model.quads.tolist())
        mesh.polygons.foreach_set("use_smooth", np.ones(len(face_model.quads), bool))
        mesh.polygons.foreach_set("material_index", face_model.quad_material)
        colors = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
        opaque = np.ones((face_model.num_vertices, 1))
        rgba = np.concatenate([face_model.vertex_colors**face_model.vertex_color_gamma, opaque], 1)
        colors.data.foreach_set("color", rgba.astype(np.float32).ravel())
        for name in face_model.material_names:
            material = bpy.data.materials.new(name)
            material.use_nodes = True
            shader = material.node_tree.nodes["Principled BSDF"]
            color = material.node_tree.nodes.new("ShaderNodeVertexColor")
            color.layer_name = "Color"
            material.node_tree.links.new(color.outputs["Color"], shader.inputs["Base Color"])
            shader.inputs["Roughness"].default_value = ROUGHNESS.get(name, SKIN_ROUGHNESS)
            if name not in ("lips", "teeth", "tongue", "lash"):
                shader.inputs["Specular IOR Level"].default_value = SKIN_SPECULAR
            mesh.materials.append(material)
        head = bpy.data.objects.new("head", mesh)
        self.scene.collection.objects.link(head)
        subdivision = head.modifiers.new("Subdivision", "SUBSURF")
        subdivision.levels = subdivision.render_levels = 1

    def _add_lights(self):
        for place, size, power, color in LIGHTS:
            light = bpy.data.lights.new("light", "AREA")
            light.size, light.energy, light.color = size, power, color
            lamp = bpy.data.objects.new("light", light)
            lamp.location = place
            lamp.rotation_euler = (Vector((0, -0.03, 0)) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
            self.scene.collection.objects.link(lamp)
        world = bpy.data.worlds.new("world")
        self.scene.world = world
        world.use_nodes = True
        world.color = BACKGROUND[:3]
        world.node_tree.nodes["Background"].inputs["Color"].default_value = BACKGROUND
        world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.55

    def _use_cycles(self, samples):
        self.scene.render.engine = "CYCLES"
        self.scene.cycles.samples = samples
        self.scene.cycles.use_denoising = True
        self.scene.cycles.max_bounces = 4
        self.scene.render.use_persistent_data = True
        self.scene.view_settings.look = "AgX - Medium High Contrast"

    def _use_workbench(self):
        self.scene.render.engine = "BLENDER_WORKBENCH"
        self.scene.view_settings.view_transform = "Standard"
        shading = self.scene.display.shading
        shading.light, shading.color_type, shading.background_type = "STUDIO", "VERTEX", "WORLD"
        shading.show_cavity, shading.cavity_type = True, "BOTH"
        shading.show_specular_highlight = True
        self.scene.display.render_aa = "8"


@contextlib.contextmanager
def _silence():
    """Keep Blender's render log off the terminal."""
    sys.stdout.flush()
    terminal, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(nowhere)
