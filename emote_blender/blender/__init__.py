"""The Blender half: the only folder that imports bpy."""
