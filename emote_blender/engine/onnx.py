"""The engine of the add-on: ONNX Runtime on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import ModelError
from ..sample_store import Samples
from ..speech_model.clip_statistics import LogMelStatistics, measure_log_mel
from ..speech_model.config import LogMelEncoderConfig, Wav2Vec2EncoderConfig, load_config
from ..speech_model.graphs import PARTS, STYLE_WEIGHT, Graph, expected_tensors, find_graph
from ..speech_model.log_mel import FRAME_SAMPLES, HOP
from ..speech_model.weights_file import WEIGHTS_FILE, read_weights
from .interface import ClipStatistics, Engine
from .spectrogram import LogMelSpectrogram
from .waveform_statistics import WaveformStatistics, measure, normalized

VERSION = "1.20.1"  # the last that Blender 4.5 and 5.0 can load on Windows; see docs/architecture.md
_ERRORS_ONLY = 3
_FIRST_CONVOLUTION = "audio_model.model.feature_extractor.conv_layers.0.conv."


class OnnxEngine(Engine):
    """A model folder's weights in the graphs of its architecture."""

    def __init__(self, folder: str | Path, num_threads: int = 0) -> None:
        """Load a model.

        Args:
            folder: the model's folder.
            num_threads: threads of the largest operations; 0 is ONNX Runtime's choice, one per core.

        Raises:
            ModelError: if ONNX Runtime cannot be used, a file is missing or damaged, or they do not fit each other.
        """
        runtime = load_runtime()
        folder = Path(folder)
        self.config = load_config(folder)
        weights = read_weights(folder / WEIGHTS_FILE, expected_tensors(self.config, folder))
        encoder, motion = (
            open_graph(runtime, find_graph(self.config, part, folder), weights, num_threads) for part in PARTS
        )
        self._motion, self._options = motion, _run_options(runtime)
        self._style_weight = np.ascontiguousarray(weights[STYLE_WEIGHT].T)
        self._encoder: _AudioEncoder
        if isinstance(self.config.audio_encoder, LogMelEncoderConfig):
            self._encoder = _LogMelEncoder(encoder, self._options, self.config.audio_encoder)
        else:
            self._encoder = _Wav2Vec2Encoder(encoder, self._options, weights, self.config.audio_encoder)
        # Our version copies the weights, so that the file is free again; another one may go on reading it.
        self._kept_alive = None if runtime.__version__ == VERSION else weights

    def clip_statistics(self, samples: Samples) -> ClipStatistics:
        return self._encoder.clip_statistics(samples)

    def encode(
        self,
        samples: np.ndarray,
        num_frames: int,
        statistics: Any = None,
        phones: np.ndarray | None = None,
    ) -> np.ndarray:
        return self._encoder.encode(samples, num_frames, statistics, phones)

    def phone_posteriors(self, samples: np.ndarray, num_frames: int, statistics: Any = None) -> np.ndarray:
        return self._encoder.phone_posteriors(samples, num_frames, statistics)

    def motion(self, features: np.ndarray, condition: np.ndarray) -> np.ndarray:
        inputs = {"features": features[None], "condition": condition[None], "style_weight": self._style_weight}
        return self._motion.run(["motion"], inputs, self._options)[0][0, : len(features)]


class _AudioEncoder(Protocol):
    """The audio encoder of an engine; see `Engine`."""

    def clip_statistics(self, samples: Samples) -> ClipStatistics: ...

    def encode(
        self, samples: np.ndarray, num_frames: int, statistics: Any, phones: np.ndarray | None
    ) -> np.ndarray: ...

    def phone_posteriors(self, samples: np.ndarray, num_frames: int, statistics: Any) -> np.ndarray: ...


class _LogMelEncoder:
    """The open model's audio encoder: the spectrogram in numpy, the networks in a graph."""

    def __init__(self, session: Any, options: Any, config: LogMelEncoderConfig) -> None:
        self._session, self._options, self._config = session, options, config
        self._spectrogram = LogMelSpectrogram(config.num_mels)

    def clip_statistics(self, samples: Samples) -> LogMelStatistics:
        return measure_log_mel(self._spectrogram.power(samples))

    def encode(
        self, samples: np.ndarray, num_frames: int, statistics: LogMelStatistics | None, phones: np.ndarray | None
    ) -> np.ndarray:
        return self._run("features", samples, num_frames, statistics, phones)

    def phone_posteriors(self, samples: np.ndarray, num_frames: int, statistics: LogMelStatistics | None) -> np.ndarray:
        return self._run("posteriors", samples, num_frames, statistics, None)

    def _run(
        self,
        output: str,
        samples: np.ndarray,
        num_frames: int,
        statistics: LogMelStatistics | None,
        phones: np.ndarray | None,
    ) -> np.ndarray:
        """One output of the graph, for samples with the encoder's frames of silence around them."""
        margin = self._config.padding_frames * FRAME_SAMPLES
        power = self._spectrogram.power(np.pad(samples, margin))
        first = 0 if statistics is None else -margin // HOP
        mel = self._spectrogram.normalized(power, statistics or measure_log_mel(power), first)
        if phones is None:
            phones = np.zeros((2 * num_frames, self._config.num_phones), np.float32)
        return self._session.run([output], {"mel": mel[None], "phones": phones[None]}, self._options)[0][0]


class _Wav2Vec2Encoder:
    """Wav2Vec 2.0: the statistics in numpy, the networks in a graph."""

    def __init__(
        self, session: Any, options: Any, weights: dict[str, np.ndarray], config: Wav2Vec2EncoderConfig
    ) -> None:
        self._session, self._options, self._stride = session, options, config.conv_stride[0]
        self._kernel = weights[_FIRST_CONVOLUTION + "weight"].copy()
        self._bias = weights[_FIRST_CONVOLUTION + "bias"].copy() if config.conv_bias else None
        self._inputs = {node.name for node in session.get_inputs()}

    def clip_statistics(self, samples: Samples) -> WaveformStatistics:
        return measure(samples, self._kernel, self._bias, self._stride)

    def encode(
        self, samples: np.ndarray, num_frames: int, statistics: WaveformStatistics | None, phones: np.ndarray | None
    ) -> np.ndarray:
        if phones is not None:
            raise ValueError("phones given to an audio encoder without a phone head")
        statistics = statistics or self.clip_statistics(samples)
        inputs = {
            "samples": normalized(samples, statistics.mean, statistics.variance)[None],
            "conv_mean": statistics.conv_mean,
            "conv_variance": statistics.conv_variance,
        }
        inputs = {name: inputs[name] for name in self._inputs}
        return self._session.run(["features"], inputs, self._options)[0][0]

    def phone_posteriors(self, samples: np.ndarray, num_frames: int, statistics: Any) -> np.ndarray:
        raise ValueError("phone posteriors asked of an audio encoder without a phone head")


def load_runtime() -> Any:
    """The module onnxruntime.

    Raises:
        ModelError: if it is missing, cannot be loaded on this machine, or is a version that cannot run our graphs.
    """
    try:
        import onnxruntime as runtime
    except ModuleNotFoundError as error:
        system = "; there is none for a 32-bit Python" if sys.maxsize < 1 << 32 else ""
        raise ModelError(
            f"the Python library {error.name} is not installed{system}; install the add-on's zip for this system, "
            f"or onnxruntime=={VERSION}"
        ) from error
    except (ImportError, OSError, RuntimeError, AttributeError, SystemError) as error:
        raise ModelError(
            f"ONNX Runtime cannot be loaded on this machine ({_first_line(error)}); install the add-on's zip for this "
            f"system and Blender again, and disable extensions that bring another onnxruntime than {VERSION}"
        ) from error
    needed = ("InferenceSession", "RunOptions", "OrtValue", "SessionOptions.add_external_initializers")
    if lacking := [name for name in needed if not _has(runtime, name)]:
        version, place = getattr(runtime, "__version__", "of an unknown version"), getattr(runtime, "__file__", None)
        raise ModelError(
            f"the onnxruntime that is loaded ({version}, {place or 'an empty folder'}) lacks {', '.join(lacking)}; "
            f"remove it or the extension that brought it: {VERSION} is needed"
        )
    runtime.disable_telemetry_events()
    return runtime


def _has(module: Any, dotted: str) -> bool:
    """Whether a module has a name like "SessionOptions.add_external_initializers"."""
    for part in dotted.split("."):
        module = getattr(module, part, None)
    return module is not None


def open_graph(runtime: Any, graph: Graph, weights: dict[str, np.ndarray], num_threads: int) -> Any:
    """A session of a graph with its weights; raises ModelError."""
    content = graph.read()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.log_severity_level = _ERRORS_ONLY
    # Waiting threads sleep: they share the cores with Blender's own (and it was faster wherever the cores were busy).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights do not go through the arena, which would keep the memory of those that are repacked.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    try:
        values = [runtime.OrtValue.ortvalue_from_numpy(weights[name]) for name in graph.weights]
        options.add_external_initializers(list(graph.weights), values)
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes, which differ from version to version
        raise ModelError(
            f"ONNX Runtime {runtime.__version__} cannot open {graph.path} ({_first_line(error)}); install the add-on "
            f"again, with onnxruntime {VERSION}"
        ) from error


def _run_options(runtime: Any) -> Any:
    """Options of a run that computes only the requested outputs and returns its memory to the system."""
    options = runtime.RunOptions()
    options.only_execute_path_to_fetches = True
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _first_line(error: Exception) -> str:
    """The first line of an error's text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
