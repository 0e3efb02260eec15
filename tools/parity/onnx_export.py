"""Compares what onnxruntime computes of exported models with nabla's outputs, and checks the files by onnx.checker.

    node tools/parity/onnx_export.mjs OUT && python tools/parity/onnx_export.py OUT

Needs onnx, onnxruntime and numpy.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5


def array(stored):
    return np.array(stored["data"], dtype=stored["dtype"]).reshape(stored["shape"])


def main(folder):
    failed = 0
    files = sorted(Path(folder).glob("*.onnx"))
    for file in files:
        try:
            onnx.checker.check_model(onnx.load(file), full_check=True)
            session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
            stored = json.loads(file.with_suffix(".json").read_text())
            found = session.run(None, {session.get_inputs()[0].name: array(stored["input"])})
            wanted = [array(output) for output in stored["outputs"]]
            assert [a.shape for a in found] == [b.shape for b in wanted], "shapes differ"
            worst = max(float(np.abs(a - b).max() / max(1, np.abs(b).max())) for a, b in zip(found, wanted))
        except Exception as error:  # the report lists all files
            print(f"{file.stem}: {str(error)[:300]}")
            failed += 1
            continue
        if not worst <= TOLERANCE:
            print(f"{file.stem}: differs by {worst:.2e}")
            failed += 1
    print(f"{len(files) - failed} of {len(files)} agree")
    return 1 if failed else 0


sys.exit(main(sys.argv[1]))
