"""What exporters of Blender wrote, read with a few lines of our own."""

import json
import struct
from pathlib import Path

import numpy as np

FBX_SECOND = 46186158000  # FBX's unit of time


def gltf_animations(path: Path):
    """The animations of a .glb by name: {"weights": (seconds, {key: values}), "jaw": (seconds, quaternions)}."""
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    document = json.loads(data[20 : 20 + length])
    blob = data[20 + length + 8 :]

    def numbers(index):
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        return np.frombuffer(blob, np.float32, accessor["count"] * width, offset).reshape(-1, width)

    key_names = next(mesh["extras"]["targetNames"] for mesh in document["meshes"] if "targetNames" in mesh["extras"])
    animations: dict[str, dict] = {}
    for animation in document["animations"]:
        found = animations.setdefault(animation["name"], {})
        for channel in animation["channels"]:
            target = channel["target"]
            sampler = animation["samplers"][channel["sampler"]]
            seconds, values = numbers(sampler["input"])[:, 0], numbers(sampler["output"])
            if target["path"] == "weights":
                found["weights"] = (seconds, dict(zip(key_names, values.reshape(len(seconds), -1).T)))
            elif target["path"] == "rotation" and document["nodes"][target["node"]]["name"] == "jaw":
                found["jaw"] = (seconds, values)
    return animations


def fbx_stacks(path: Path):
    """The stacks of an .fbx by name: {"weights": (seconds, {key: values}), "jaw": whether the jaw has curves}."""
    from io_scene_fbx import parse_fbx

    root, _ = parse_fbx.parse(str(path))
    elements = {element.id: element for element in root.elems}
    objects = {element.props[0]: element for element in elements[b"Objects"].elems}
    links = [element.props for element in elements[b"Connections"].elems]

    def name(element):
        return element.props[1].split(b"\x00")[0].decode()

    stacks: dict[str, dict] = {}
    for number, stack in objects.items():
        if stack.id != b"AnimationStack":
            continue
        found = stacks.setdefault(name(stack), {"weights": ([], {}), "jaw": False})
        for layer in [link[1] for link in links if link[2] == number]:
            for node in [link[1] for link in links if link[2] == layer]:
                for target in [objects[link[2]] for link in links if link[1] == node and link[2] in objects]:
                    if target.id == b"Model" and name(target) == "jaw":
                        found["jaw"] = True
                    if target.id != b"Deformer":
                        continue
                    curve = next(objects[link[1]] for link in links if link[2] == node)
                    values = {element.id: element.props[0] for element in curve.elems}
                    seconds = np.array(values[b"KeyTime"]) / FBX_SECOND
                    found["weights"][1][name(target)] = np.array(values[b"KeyValueFloat"]) / 100
                    found["weights"] = (seconds, found["weights"][1])
    return stacks
