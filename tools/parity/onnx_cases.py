"""Small ONNX models that the standard's own tests do not have, with what onnxruntime computes of them: operators at older opsets, and those
of com.microsoft → test/fixtures/onnx-cases.zip, in the form of onnx-nodes.zip. Needs onnx and onnxruntime.
"""
import io
import json
import pathlib
import zipfile
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ort.set_default_logger_severity(4)
rng = np.random.default_rng(7)
f32 = lambda *shape: rng.standard_normal(shape).astype(np.float32)
i64 = lambda *values: np.array(values, np.int64)
u8 = lambda *shape: rng.integers(0, 256, shape).astype(np.uint8)
i8 = lambda *shape: rng.integers(-127, 128, shape).astype(np.int8)
scalar = lambda value, dtype=np.float32: np.array(value, dtype)
MS = "com.microsoft"
cases = {}


def save(name, model, feeds, tolerance):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    assert name not in cases, name
    cases[name] = (model.SerializeToString(), feeds, dict(zip([o.name for o in session.get_outputs()], outputs)), tolerance)


def case(name, operator, inputs, attributes=None, outputs=1, opset=17, domain="", constants=(), tolerance=(1e-4, 1e-5), ir=8):
    """A model of one node. Inputs are arrays, or None for one that is left out; `constants` are numbers of those that are initialisers."""
    names = [f"x{i}" if value is not None else "" for i, value in enumerate(inputs)]
    given = {n: v for i, (n, v) in enumerate(zip(names, inputs)) if v is not None and i not in constants}
    fixed = [numpy_helper.from_array(inputs[i], names[i]) for i in constants]
    results = outputs if isinstance(outputs, list) else [f"y{i}" for i in range(outputs)]
    node = helper.make_node(operator, names, results, name="n", domain=domain, **(attributes or {}))
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in given.items()]
    outs = [helper.make_empty_tensor_value_info(n) for n in results if n]
    graph = helper.make_graph([node], "g", infos, outs, fixed)
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    save(name, helper.make_model(graph, opset_imports=opsets, ir_version=ir), given, tolerance)


def micro(operator, inputs, attributes=None, outputs=1, constants=(), suffix="", tolerance=(1e-4, 1e-5)):
    case(f"{operator}{suffix}", operator, inputs, attributes, outputs, 17, MS, constants, tolerance)


# ---------------------------------------------------------------- operators that have changed

x = f32(2, 3, 4)
for opset in (11, 13):
    case(f"Softmax {opset}", "Softmax", [x], {"axis": 1}, opset=opset)
    case(f"LogSoftmax {opset}", "LogSoftmax", [x], {"axis": 0}, opset=opset)
    case(f"Hardmax {opset}", "Hardmax", [x], {"axis": 1}, opset=opset)
case("Softmax 11 default", "Softmax", [x], opset=11)
case("Squeeze 11", "Squeeze", [f32(1, 3, 1, 2)], {"axes": [0, -2]}, opset=11)
case("Squeeze 13", "Squeeze", [f32(1, 3, 1, 2), i64(0, -2)], opset=13, constants=(1,))
case("Unsqueeze 11", "Unsqueeze", [f32(3, 2)], {"axes": [0, 3]}, opset=11)
case("Unsqueeze 13", "Unsqueeze", [f32(3, 2), i64(-1, 0)], opset=13, constants=(1,))
for name in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"):
    positive = np.abs(x) + 0.1
    case(f"Reduce{name} 11", f"Reduce{name}", [positive], {"axes": [1, -1], "keepdims": 0}, opset=11)
    case(f"Reduce{name} 18", f"Reduce{name}", [positive, i64(1)], {"keepdims": 1}, opset=18, constants=(1,))
case("Slice 9", "Slice", [f32(5, 6)], {"starts": [1, -3], "ends": [3, 1000], "axes": [0, 1]}, opset=9)
case("Slice 10 steps", "Slice", [f32(5, 6), i64(4, -1), i64(-100, 0), i64(0, 1), i64(-2, -1)], opset=10, constants=(1, 2, 3, 4))
case("Pad 10", "Pad", [f32(2, 3)], {"pads": [1, 0, 0, 2], "value": 1.5}, opset=10)
case("Pad 11 reflect", "Pad", [f32(1, 1, 4, 4), i64(0, 0, 2, 1, 0, 0, 1, 3)], {"mode": "reflect"}, opset=11, constants=(1,))
case("Pad 13 edge", "Pad", [f32(1, 1, 3, 3), i64(0, 0, 2, 1, 0, 0, 1, 3)], {"mode": "edge"}, opset=13, constants=(1,))
case("Pad 19 wrap", "Pad", [f32(1, 1, 3, 3), i64(0, 0, 2, 1, 0, 0, 1, 3)], {"mode": "wrap"}, opset=19, constants=(1,))
case("Pad negative", "Pad", [f32(4, 5), i64(-1, 1, 0, -2)], opset=13, constants=(1,))
case("Clip 6", "Clip", [x], {"min": -0.5, "max": 0.5}, opset=10)
case("Clip 11", "Clip", [x, scalar(-0.5)], opset=11, constants=(1,))
case("Split 11", "Split", [f32(6, 2)], {"split": [1, 2, 3]}, 3, opset=11)
case("Split 13", "Split", [f32(6, 2), i64(4, 2)], {}, 2, opset=13, constants=(1,))
case("Split 13 equal", "Split", [f32(6, 2)], {}, 3, opset=13)
case("Split 18 uneven", "Split", [f32(7, 2)], {"num_outputs": 3}, 3, opset=18)
case("TopK 9", "TopK", [f32(3, 6)], {"k": 2}, 2, opset=9)
case("TopK 10", "TopK", [f32(3, 6), i64(3)], {"axis": 0}, 2, opset=10, constants=(1,))
case("TopK 11 smallest", "TopK", [f32(3, 6), i64(3)], {"largest": 0}, 2, opset=11, constants=(1,))
case("BatchNormalization 7", "BatchNormalization", [f32(2, 3, 4), f32(3), f32(3), f32(3), np.abs(f32(3))], opset=8, constants=(1, 2, 3, 4))
case("BatchNormalization 9", "BatchNormalization", [f32(2, 3), f32(3), f32(3), f32(3), np.abs(f32(3))], opset=9, constants=(1, 2, 3, 4))
case("BatchNormalization 15", "BatchNormalization", [f32(2, 3, 4, 5), f32(3), f32(3), f32(3), np.abs(f32(3))], {"epsilon": 0.01}, opset=15)
case("Dropout 7", "Dropout", [x], {"ratio": 0.4}, opset=7)
case("Dropout 10", "Dropout", [x], {"ratio": 0.4}, 2, opset=10)
case("Dropout 13", "Dropout", [x, scalar(0.4)], {}, 2, opset=13, constants=(1,))
case("Upsample 7", "Upsample", [f32(1, 2, 3, 4)], {"scales": [1.0, 1.0, 2.0, 3.0]}, opset=8)
case("Upsample 9", "Upsample", [f32(1, 2, 3, 4), np.array([1, 1, 2, 2], np.float32)], {"mode": "linear"}, opset=9, constants=(1,))
case("Resize 10", "Resize", [f32(1, 2, 3, 4), np.array([1, 1, 2, 2], np.float32)], {"mode": "linear"}, opset=10, constants=(1,))
case("Resize 10 nearest", "Resize", [f32(1, 2, 5, 4), np.array([1, 1, 0.6, 1.5], np.float32)], opset=10, constants=(1,))
for how in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn"):
    for mode in ("nearest", "linear"):
        if how == "tf_half_pixel_for_nn" and mode == "linear":
            continue
        attributes = {"mode": mode, "coordinate_transformation_mode": how}
        case(f"Resize 11 {how} {mode}", "Resize", [f32(1, 1, 4, 5), np.zeros(0, np.float32), np.zeros(0, np.float32), i64(1, 1, 7, 3)], attributes, opset=11, constants=(1, 2, 3))
case("Resize 13 cubic", "Resize", [f32(1, 1, 4, 5), None, np.array([1, 1, 1.5, 2], np.float32)], {"mode": "cubic"}, opset=13, constants=(2,))
case("Resize 13 volume", "Resize", [f32(1, 1, 2, 3, 4), None, None, i64(1, 1, 4, 4, 6)], {"mode": "linear"}, opset=13, constants=(3,))
case("Resize 18 antialias", "Resize", [f32(1, 1, 9, 8), None, None, i64(1, 1, 4, 3)], {"mode": "linear", "antialias": 1}, opset=18, constants=(3,))
case("Scatter 9", "Scatter", [f32(3, 4), np.array([[0, 2, 1]], np.int64), f32(1, 3)], {"axis": 1}, opset=9)
case("ScatterElements 16 add", "ScatterElements", [f32(3, 4), np.array([[0, 2, 0, 1]], np.int64), f32(1, 4)], {"axis": 0, "reduction": "add"}, opset=16)
case("Gemm 7", "Gemm", [f32(3, 2), f32(4, 3), f32(4)], {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}, opset=7)
case("Gemm 11", "Gemm", [f32(2, 3), f32(3, 4)], opset=11)
case("PRelu channels", "PRelu", [f32(2, 3, 4), f32(3, 1)], opset=9)
case("Conv 1-D", "Conv", [f32(2, 4, 9), f32(6, 2, 3), f32(6)], {"group": 2, "strides": [2], "dilations": [2], "pads": [3, 1]}, opset=11, constants=(1, 2))
case("Conv 3-D", "Conv", [f32(1, 2, 4, 5, 6), f32(3, 2, 2, 3, 3)], {"pads": [0, 1, 1, 1, 1, 0]}, opset=11, constants=(1,))
case("Conv same lower", "Conv", [f32(1, 2, 6, 5), f32(3, 2, 4, 2)], {"auto_pad": "SAME_LOWER", "strides": [2, 1]}, opset=11, constants=(1,))
case("ConvTranspose", "ConvTranspose", [f32(1, 4, 3, 4), f32(4, 3, 3, 2), f32(6)], {"group": 2, "strides": [2, 3], "pads": [1, 0, 0, 1], "output_padding": [1, 0]}, opset=11, constants=(1, 2))
case("ConvTranspose 1-D sized", "ConvTranspose", [f32(1, 2, 5), f32(2, 3, 4)], {"strides": [3], "output_shape": [15]}, opset=11, constants=(1,))
case("MaxPool ceil", "MaxPool", [f32(1, 2, 7, 8)], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1, "pads": [0, 1, 1, 0]}, opset=11)
case("MaxPool indices", "MaxPool", [f32(2, 2, 6, 5)], {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 1, 0, 1]}, 2, opset=12)
case("AveragePool ceil", "AveragePool", [f32(1, 2, 7, 8)], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1, "pads": [1, 1, 1, 1]}, opset=19)
case("AveragePool padded", "AveragePool", [f32(1, 2, 6, 8)], {"kernel_shape": [3, 2], "strides": [2, 2], "count_include_pad": 1, "pads": [1, 0, 1, 0]}, opset=11)
case("InstanceNormalization", "InstanceNormalization", [f32(2, 3, 5), f32(3), f32(3)], opset=6)
case("LRN", "LRN", [f32(1, 5, 2, 2)], {"size": 3, "alpha": 0.5}, opset=13)
case("GroupNormalization 21", "GroupNormalization", [f32(2, 4, 3), f32(4), f32(4)], {"num_groups": 2}, opset=21, ir=10)
case("Einsum", "Einsum", [f32(2, 3, 4), f32(2, 4, 5)], {"equation": "bij, bjk -> bki"}, opset=12)
case("Mod", "Mod", [np.array([7, -7, 5], np.int32), np.array([3, 3, -3], np.int32)], opset=13)
case("Mod fmod", "Mod", [np.array([7.5, -7.5, 5], np.float32), np.array([3, 3, -3], np.float32)], {"fmod": 1}, opset=13)
case("Div whole", "Div", [np.array([7, -7, 9], np.int32), np.array([2, 2, -4], np.int32)], opset=13)
case("QuantizeLinear 13", "QuantizeLinear", [f32(2, 3, 2), np.array([0.1, 0.2, 0.3], np.float32), np.array([3, 128, 250], np.uint8)], {"axis": 1}, opset=13)
case("DequantizeLinear 13", "DequantizeLinear", [i8(2, 3), np.array([0.1, 0.2, 0.3], np.float32), np.array([3, -5, 0], np.int8)], {"axis": -1}, opset=13)
case("MatMulInteger large", "MatMulInteger", [u8(3, 700), i8(700, 4), scalar(120, np.uint8), scalar(-3, np.int8)], opset=10, tolerance=(0, 0))

# ---------------------------------------------------------------- recurrent layers

for name, gates, states in (("RNN", 1, 1), ("GRU", 3, 1), ("LSTM", 4, 2)):
    seq, batch, inputs, hidden = 4, 2, 3, 5
    weights = lambda directions: [f32(directions, gates * hidden, inputs), f32(directions, gates * hidden, hidden), f32(directions, 2 * gates * hidden)]
    X = f32(seq, batch, inputs)
    outs = 1 + states
    case(name, name, [X, *weights(1)], {"hidden_size": hidden}, outs, opset=14, constants=(1, 2, 3))
    case(f"{name} reverse, lengths", name, [X, *weights(1), np.array([2, 4], np.int32)], {"hidden_size": hidden, "direction": "reverse"}, outs, opset=14, constants=(1, 2, 3))
    state = [f32(2, batch, hidden) for _ in range(states)]
    both = {"hidden_size": hidden, "direction": "bidirectional"}
    case(f"{name} both ways, states", name, [X, *weights(2), None, *state], both, outs, opset=7, constants=(1, 2, 3))
case("GRU linear before reset", "GRU", [X, f32(1, 15, 3), f32(1, 15, 5), f32(1, 30)], {"hidden_size": 5, "linear_before_reset": 1}, 2, opset=14, constants=(1, 2, 3))
case("LSTM peepholes, clip", "LSTM", [X, f32(1, 20, 3), f32(1, 20, 5), f32(1, 40), None, None, None, f32(1, 15)], {"hidden_size": 5, "clip": 0.8}, 3, opset=14, constants=(1, 2, 3, 7))
case("LSTM other activations", "LSTM", [X, f32(1, 20, 3), f32(1, 20, 5)], {"hidden_size": 5, "activations": ["HardSigmoid", "Softsign", "Relu"], "activation_alpha": [0.3], "activation_beta": [0.4]}, 3, opset=14, constants=(1, 2))
case("RNN relu", "RNN", [X, f32(1, 5, 3), f32(1, 5, 5)], {"hidden_size": 5, "activations": ["Relu"]}, 2, opset=14, constants=(1, 2))

# ---------------------------------------------------------------- com.microsoft

A, B = f32(2, 3, 4), f32(2, 5, 4)
micro("FusedMatMul", [A, B], {"transB": 1, "alpha": 0.5})
micro("TransposeMatMul", [f32(4, 3), f32(4, 5)], {"transA": 1})
micro("FusedGemm", [f32(2, 3), f32(3, 4), f32(4)], {"activation": "LeakyRelu", "activation_alpha": 0.2})
micro("FusedConv", [f32(1, 2, 5, 5), f32(3, 2, 3, 3), f32(3)], {"activation": "Relu", "kernel_shape": [3, 3]}, constants=(1, 2))
micro("Gelu", [f32(2, 4)])
micro("QuickGelu", [f32(2, 4)], {"alpha": 1.5})
micro("FastGelu", [f32(2, 4), f32(4)])
micro("BiasGelu", [f32(2, 4), f32(4)])
micro("SkipLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8), f32(8), f32(8)], {"epsilon": 1e-5}, ["y", "", "", "sum"])
micro("SkipSimplifiedLayerNormalization", [f32(2, 3, 8), f32(2, 3, 8), f32(8)], {"epsilon": 1e-5}, ["y", "", "", "sum"])
ids = rng.integers(0, 9, (2, 3)).astype(np.int32)
micro("EmbedLayerNormalization", [ids, ids % 2, f32(9, 8), f32(6, 8), f32(2, 8), f32(8), f32(8), np.array([[1, 1, 0], [1, 1, 1]], np.int32)], {"epsilon": 1e-5}, 2, constants=(2, 3, 4, 5, 6))
q = scalar
micro("QLinearAdd", [u8(2, 5), q(0.1), q(120, np.uint8), u8(5), q(0.2), q(130, np.uint8), q(0.25), q(128, np.uint8)], tolerance=(0, 1))
micro("QLinearMul", [i8(2, 5), q(0.1), q(3, np.int8), i8(5), q(0.2), q(-7, np.int8), q(0.9), q(1, np.int8)], tolerance=(0, 1))
micro("QLinearSigmoid", [u8(2, 5), q(0.05), q(120, np.uint8), q(0.004), q(0, np.uint8)], tolerance=(0, 1))
micro("QLinearLeakyRelu", [i8(2, 5), q(0.05), q(0, np.int8), q(0.06), q(3, np.int8)], {"alpha": 0.1}, tolerance=(0, 1))
micro("QLinearSoftmax", [u8(2, 5), q(0.05), q(120, np.uint8), q(0.004), q(0, np.uint8)], {"axis": -1, "opset": 13}, tolerance=(0, 1))
micro("QLinearGlobalAveragePool", [u8(1, 3, 4, 4), q(0.05), q(120, np.uint8), q(0.03), q(100, np.uint8)], tolerance=(0, 1))
micro("QLinearAveragePool", [u8(1, 3, 4, 4), q(0.05), q(120, np.uint8), q(0.03), q(100, np.uint8)], {"kernel_shape": [2, 2], "strides": [1, 1]}, tolerance=(0, 1))
micro("QLinearConcat", [q(0.2), q(128, np.uint8), u8(2, 3), q(0.1), q(120, np.uint8), u8(2, 2), q(0.3), q(100, np.uint8)], {"axis": 1}, constants=(3, 4, 6, 7), tolerance=(0, 1))
micro("QGemm", [u8(3, 6), q(0.1), q(120, np.uint8), i8(6, 4), np.array([0.1, 0.2, 0.1, 0.3], np.float32), np.zeros(4, np.int8), rng.integers(-500, 500, 4).astype(np.int32), q(2.5), q(110, np.uint8)], constants=(3, 4, 5, 6), tolerance=(0, 1))
micro("MatMulIntegerToFloat", [u8(3, 6), i8(6, 4), q(0.1), np.array([0.1, 0.2, 0.1, 0.3], np.float32), q(120, np.uint8), q(0, np.int8), f32(4)], constants=(1,))
micro("DynamicQuantizeMatMul", [f32(3, 6), i8(6, 4), q(0.02), q(0, np.int8), f32(4)], constants=(1, 2, 3), tolerance=(1e-3, 1e-3))
hidden, inputs = 6, 4
quantised = [i8(1, inputs, 4 * hidden), i8(1, hidden, 4 * hidden), f32(1, 8 * hidden)]
micro("DynamicQuantizeLSTM", [f32(5, 1, inputs), *quantised, None, f32(1, 1, hidden), f32(1, 1, hidden), None, np.array([0.01], np.float32), np.zeros(1, np.int8), np.array([0.012], np.float32), np.zeros(1, np.int8)], {"hidden_size": hidden}, 3, constants=(1, 2, 3, 8, 9, 10, 11), tolerance=(5e-3, 5e-3))
K, N, block = 32, 5, 16
micro("MatMulNBits", [f32(2, K), u8(N, K // block, block // 2), np.abs(f32(N * K // block)), u8(N * 1)], {"K": K, "N": N, "bits": 4, "block_size": block}, constants=(1, 2, 3))
heads, E = 2, 4
micro("Attention", [f32(2, 3, 8), f32(8, 24), f32(24), np.array([[1, 1, 0], [1, 1, 1]], np.int32)], {"num_heads": heads}, constants=(1, 2))
micro("Attention", [f32(2, 3, 8), f32(8, 24), f32(24), None, f32(2, 2, heads, 2, E)], {"num_heads": heads, "unidirectional": 1}, 2, constants=(1, 2), suffix=" past")
micro("MultiHeadAttention", [f32(2, 3, 8), f32(2, 4, 8), f32(2, 4, 8), f32(24), np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.int32)], {"num_heads": heads}, constants=(3,))
micro("MultiHeadAttention", [f32(1, 3, 8), f32(1, 3, 8), f32(1, 3, 8), None, None, f32(1, 2, 3, 5), f32(1, heads, 2, E), f32(1, heads, 2, E)], {"num_heads": heads}, 3, suffix=" past")
wide = np.cos(f32(10, 8)), np.sin(f32(10, 8))
past = [f32(1, 2, 4, 16), f32(1, 2, 4, 16)]
gqa = {"num_heads": 4, "kv_num_heads": 2, "do_rotary": 1}
micro("GroupQueryAttention", [f32(1, 1, 64), f32(1, 1, 32), f32(1, 1, 32), *past, np.array([4], np.int32), np.array(5, np.int32), *wide], gqa, 3, constants=(7, 8))
micro("GroupQueryAttention", [f32(1, 3, 64), f32(1, 3, 32), f32(1, 3, 32), None, None, np.array([2], np.int32), np.array(3, np.int32), *wide], gqa, 3, constants=(7, 8), suffix=" prompt")
cos, sin = np.cos(f32(10, 4)), np.sin(f32(10, 4))
micro("RotaryEmbedding", [f32(2, 3, 16), np.array([[0, 1, 2], [4, 5, 6]], np.int64), cos, sin], constants=(2, 3))
case("SimplifiedLayerNormalization", "SimplifiedLayerNormalization", [f32(2, 3, 8), f32(8)], {"axis": -1, "epsilon": 1e-5}, opset=17)

# ---------------------------------------------------------------- written

rows, blob = {}, b""


def add(content):
    global blob
    blob += content
    return [len(blob) - len(content), len(content)]


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


for name, (model, feeds, outputs, (rtol, atol)) in cases.items():
    arrays = {**{f"in0/{k}": v for k, v in feeds.items()}, **{f"out0/{k}": np.asarray(v) for k, v in outputs.items()}}
    rows[name] = {"rtol": rtol, "atol": atol, "model": add(model), "arrays": {k: add(npy(v)) for k, v in arrays.items()}}
path = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "onnx-cases.zip"
note = f"by tools/parity/onnx_cases.py with onnx {onnx.__version__} and onnxruntime {ort.__version__}"
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, content in (("index.json", json.dumps({"note": note, "tests": rows})), ("tests.bin", blob)):
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
print(f"{len(rows)} cases in {path.name}, {path.stat().st_size} bytes")
