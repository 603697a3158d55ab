"""What each of two processes does in test_distributed.py: python two_processes.py FOLDER."""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from test_trainer import PLAIN, SETTINGS, TinyTask

from emote_blender.errors import Cancelled, InputError
from emote_blender.training.run.trainer import Trainer

torch.set_num_threads(1)
folder = Path(sys.argv[1])

Trainer(TinyTask(), replace(PLAIN, num_steps=1, accumulate=4, clip_norm=0.0), folder / "one_step").run()
rank = torch.distributed.get_rank()
Trainer(TinyTask(), SETTINGS, folder / "whole").run()
try:
    event = "sigterm" if rank == 1 else ""
    Trainer(TinyTask(event=event, at_step=1), SETTINGS, folder / "halves").run()
except Cancelled as stopped:
    (folder / f"stopped_{rank}.txt").write_text(str(stopped))
Trainer(TinyTask(), SETTINGS, folder / "halves").run(resume=True)
try:
    Trainer(TinyTask(), replace(SETTINGS, accumulate=3), folder / "uneven").run()
except InputError as refused:
    (folder / f"refused_{rank}.txt").write_text(str(refused))
