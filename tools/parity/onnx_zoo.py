"""Models of the zoo that nabla has exported, in onnxruntime: compares all their outputs with nabla's, and writes some numbers of each for
src/onnx/export/zoo.test.ts.

    NABLA_PARITY=all NABLA_ONNX_OUT=OUT npx vitest run src/onnx/export/zoo.test.ts
    python tools/parity/onnx_zoo.py OUT

Rows of other models stay in the file: NABLA_ZOO=resnet50,bert names those that are to be made.

Needs onnx, onnxruntime and numpy.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5
KEPT = 12
FIXTURE = Path(__file__).parents[2] / "test/fixtures/onnx-zoo.json"


def array(stored):
    return np.array(stored["data"], dtype=stored["dtype"]).reshape(stored["shape"])


def digest(output):
    every = max(1, output.size // KEPT)
    values = [float(f"{x:.7g}") for x in output.ravel()[::every][:KEPT]]
    return {"shape": list(output.shape), "every": every, "values": values}


def main(folder):
    facts, failed = {}, 0
    for file in sorted(Path(folder).glob("*.onnx")):
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        stored = json.loads(file.with_suffix(".json").read_text())
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]
        # inputs that the model does not look at are not among onnxruntime's
        found = session.run(None, dict(zip(names, map(array, stored["inputs"]))))
        wanted = [array(output) for output in stored["outputs"]]
        assert [a.shape for a in found] == [b.shape for b in wanted], f"{file.stem}: shapes differ"
        worst = max(float(np.abs(a - b).max() / max(1, np.abs(b).max())) for a, b in zip(found, wanted))
        print(f"{file.stem}: {len(model.graph.node)} nodes, differs by {worst:.1e}")
        if not worst <= TOLERANCE:
            failed += 1
        facts[file.stem] = [digest(output) for output in found]
    print(f"{len(facts) - failed} of {len(facts)} agree")
    if failed:
        return 1
    known = json.loads(FIXTURE.read_text())["models"] if FIXTURE.exists() else {}
    lines = [f"{json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}" for name, row in sorted({**known, **facts}.items())]
    FIXTURE.write_text(f'{{"onnxruntime": "{onnxruntime.__version__}", "models": {{\n' + ",\n".join(lines) + "\n}}\n")
    return 0


sys.exit(main(sys.argv[1]))
