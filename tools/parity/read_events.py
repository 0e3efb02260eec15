"""Reads the event files below a folder with TensorBoard's own package and prints what it finds, as JSON.

A development script: python tools/parity/read_events.py FOLDER. Fails where TensorBoard cannot read something, or where an
image is no image. Needs the packages tensorboard and pillow.
"""
import io
import json
import pathlib
import sys

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util


def read(folder):
    events = EventAccumulator(str(folder), size_guidance={k: 0 for k in
                              ("scalars", "histograms", "images", "tensors", "compressedHistograms")})
    events.Reload()
    tags = events.Tags()
    found = {"scalars": {t: [[e.step, e.value] for e in events.Scalars(t)] for t in tags["scalars"]}}
    found["histograms"] = {t: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
                                len(e.histogram_value.bucket)] for e in events.Histograms(t)] for t in tags["histograms"]}
    found["images"] = {t: [[e.step, e.width, e.height, Image.open(io.BytesIO(e.encoded_image_string)).mode]
                           for e in events.Images(t)] for t in tags["images"]}
    found["texts"] = {t: [[e.step, [s.decode() for s in tensor_util.make_ndarray(e.tensor_proto)]] for e in events.Tensors(t)]
                      for t in tags["tensors"]}
    if tags["graph"]:
        graph = events.Graph()
        names = {n.name for n in graph.node}
        missing = [i for n in graph.node for i in n.input if i not in names]
        assert not missing, missing
        found["graph"] = [f"{n.name}: {n.op}({', '.join(n.input)}) {[d.size for d in n.attr['_output_shapes'].list.shape[0].dim]}"
                          for n in graph.node]
    for tag, content in events.summary_metadata.items():
        if tag == hparams.EXPERIMENT_TAG:
            e = hparams.parse_experiment_plugin_data(content.plugin_data.content)
            found["experiment"] = {"hparams": [[i.name, i.type] for i in e.hparam_infos], "metrics": [m.name.tag for m in e.metric_infos]}
        if tag == hparams.SESSION_START_INFO_TAG:
            s = hparams.parse_session_start_info_plugin_data(content.plugin_data.content)
            found["session"] = {k: getattr(v, v.WhichOneof("kind")) for k, v in s.hparams.items()}
        if tag == hparams.SESSION_END_INFO_TAG:
            found["status"] = hparams.parse_session_end_info_plugin_data(content.plugin_data.content).status
    return {k: v for k, v in found.items() if v not in ({}, [])}


root = pathlib.Path(sys.argv[1])
folders = sorted({p.parent for p in root.rglob("*tfevents*")})
assert folders, f"no event files below {root}"
print(json.dumps({str(f.relative_to(root)): read(f) for f in folders}, indent=1, default=str))
