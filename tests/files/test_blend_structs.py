"""The fields of Blender's structs, read from a description that is written here."""

import struct

import pytest

from emote_blender.errors import InputError
from emote_blender.files.blend_structs import Field, fields_of


def description() -> bytes:
    """A .blend file's description of two structs, at an address that is not a multiple of four."""
    names, types = ["*next", "id", "path[5]", "matrix[2][3]", "seconds"], ["Link", "char", "float", "double", "Sound"]
    sizes = {"Link": 8, "char": 1, "float": 4, "double": 8, "Sound": 45}
    fields_of_sound = [("Link", "id"), ("char", "path[5]"), ("float", "matrix[2][3]"), ("double", "seconds")]
    structs = {"Link": [("Link", "*next")], "Sound": fields_of_sound}

    def padded(data: bytes) -> bytes:
        return data + bytes(-len(data) % 4)

    def strings(label: bytes, texts: list[str]) -> bytes:
        return padded(label + struct.pack("<I", len(texts)) + b"".join(text.encode() + b"\0" for text in texts))

    block = strings(b"SDNANAME", names) + strings(b"TYPE", types)
    block += padded(b"TLEN" + struct.pack(f"<{len(types)}H", *(sizes[name] for name in types)))
    block += b"STRC" + struct.pack("<I", len(structs))
    for name, fields in structs.items():
        block += struct.pack("<HH", types.index(name), len(fields))
        block += b"".join(struct.pack("<HH", types.index(kind), names.index(field)) for kind, field in fields)
    return b"BLENDER17-01v0500" + bytes(4) + block + b"ENDB"


def test_fields_follow_each_other_without_gaps():
    assert fields_of(description(), "Sound") == {
        "id": Field(0, "Link", 8),
        "path": Field(8, "char", 5),
        "matrix": Field(13, "float", 24),
        "seconds": Field(37, "double", 8),
    }


@pytest.mark.parametrize("damaged", [b"", b"BLENDER", description()[:60], description().replace(b"TLEN", b"tlen")])
def test_a_damaged_description_is_refused(damaged):
    with pytest.raises(InputError, match="does not describe the struct 'Sound'"):
        fields_of(damaged, "Sound")


def test_an_unknown_struct_is_refused():
    with pytest.raises(InputError, match="'Speaker'"):
        fields_of(description(), "Speaker")
