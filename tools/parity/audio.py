"""What torchaudio, librosa and transformers make of short signals → test/fixtures/audio.safetensors and audio-wav.json.

    pip install torch torchaudio librosa soundfile transformers
    python tools/parity/audio.py

Results are computed in float64 where the library does so.
"""
import base64
import io
import json
import pathlib

import librosa
import numpy as np
import soundfile
import torch
import torchaudio
import torchaudio.functional as F
import torchaudio.transforms as T
from transformers import WhisperFeatureExtractor

from fixture import ROOT, rand, save

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def signal(n, rate=8000, channels=()):
    t = torch.arange(n) / rate
    x = 0.4 * torch.sin(2 * torch.pi * 440 * t) + 0.2 * torch.sin(2 * torch.pi * (900 + 700 * t) * t)
    return (x + 0.05 * torch.randn(*channels, n)).float().double()


x = signal(500)
two = signal(240, channels=(2, 2))
y = x.numpy()
cases = []


def case(op, given, args, options, out):
    cases.append({"op": op, "on": given, "args": args, "options": options, "out": torch.as_tensor(np.asarray(out))})


# ---------------------------------------------------------------- resampling
for a, b in [(8000, 16000), (16000, 8000), (441, 160), (3, 7), (5, 4)]:
    case("resample", "x", [a, b], {}, F.resample(x, a, b))
case("resample", "two", [3, 2], {"lowpassFilterWidth": 16, "rolloff": 0.9}, F.resample(two, 3, 2, 16, 0.9))
case("resample", "x", [4, 5], {"window": "kaiser"}, F.resample(x, 4, 5, resampling_method="sinc_interp_kaiser"))
kaiser = {"lowpassFilterWidth": 32, "rolloff": 0.94, "window": "kaiser", "beta": 9.5}
case("resample", "x", [4, 3], kaiser, F.resample(x, 4, 3, 32, 0.94, "sinc_interp_kaiser", 9.5))

# ---------------------------------------------------------------- spectrograms
hann = torch.hann_window
case("spectrogram", "two", [], {"nFft": 64}, T.Spectrogram(64)(two))
case("spectrogram", "x", [], {"nFft": 100, "winLength": 60, "hopLength": 25, "power": 1, "pad": 7}, T.Spectrogram(100, 60, 25, pad=7, power=1)(x))
case("spectrogram", "x", [], {"nFft": 64, "power": None, "normalized": True, "center": False}, torch.view_as_real(T.Spectrogram(64, power=None, normalized=True, center=False)(x)))
case("spectrogram", "x", [], {"nFft": 50, "normalized": "frameLength", "window": "hamming", "power": 0.5}, T.Spectrogram(50, normalized="frame_length", window_fn=torch.hamming_window, power=0.5)(x))
case("spectrogram", "x", [], {"nFft": 48, "onesided": False, "padMode": "constant"}, T.Spectrogram(48, onesided=False, pad_mode="constant")(x))
case("spectrogram", "x", [], {"nFft": 128, "like": "librosa"}, np.abs(librosa.stft(y, n_fft=128)) ** 2)

# ---------------------------------------------------------------- mel
filters = []
for freqs, mels, rate, options in [
    (33, 10, 8000, {}), (101, 24, 16000, {"fMin": 60, "fMax": 7600, "norm": "slaney"}), (65, 16, 22050, {"melScale": "slaney", "norm": "slaney"}),
]:
    out = F.melscale_fbanks(freqs, options.get("fMin", 0.0), options.get("fMax", rate / 2), mels, rate, options.get("norm"), options.get("melScale", "htk"))
    filters.append({"args": [freqs, mels, rate], "options": options, "out": out})
out = librosa.filters.mel(sr=22050, n_fft=128, n_mels=16, dtype=np.float64).T
filters.append({"args": [65, 16, 22050], "options": {"melScale": "slaney", "norm": "slaney"}, "out": torch.as_tensor(np.ascontiguousarray(out))})
case("melSpectrogram", "two", [8000], {"nFft": 128, "nMels": 12}, T.MelSpectrogram(8000, 128, n_mels=12)(two))
mel = {"nFft": 100, "hopLength": 40, "nMels": 9, "fMin": 50, "fMax": 3500, "norm": "slaney", "melScale": "slaney", "power": 1}
case("melSpectrogram", "x", [8000], mel, T.MelSpectrogram(8000, 100, hop_length=40, f_min=50, f_max=3500, n_mels=9, norm="slaney", mel_scale="slaney", power=1)(x))
case("melSpectrogram", "x", [8000], {"nFft": 256, "nMels": 14, "like": "librosa"}, librosa.feature.melspectrogram(y=y, sr=8000, n_fft=256, n_mels=14, dtype=np.float64))
rare = {"nFft": 256, "nMels": 8, "hopLength": 100, "melScale": "htk", "fMax": 3000, "like": "librosa"}
case("melSpectrogram", "x", [8000], rare, librosa.feature.melspectrogram(y=y, sr=8000, n_fft=256, n_mels=8, hop_length=100, htk=True, fmax=3000, dtype=np.float64))

# ---------------------------------------------------------------- decibels
powers = T.Spectrogram(64)(two)
case("powerToDb", "powers", [], {}, T.AmplitudeToDB("power")(powers))
case("powerToDb", "powers", [], {"topDb": 30}, T.AmplitudeToDB("power", 30)(powers))
case("amplitudeToDb", "powers", [], {"topDb": 45, "amin": 1e-10}, T.AmplitudeToDB("magnitude", 45)(powers))
case("powerToDb", "plane", [], {"ref": "max", "topDb": 80}, librosa.power_to_db(powers[0, 0].numpy(), ref=np.max))
case("amplitudeToDb", "plane", [], {"ref": 0.3, "topDb": 60}, librosa.amplitude_to_db(powers[0, 0].numpy(), ref=0.3, top_db=60))
case("dbToPower", "plane", [2], None, F.DB_to_amplitude(powers[0, 0], 2, 1))
case("dbToAmplitude", "plane", [], None, F.DB_to_amplitude(powers[0, 0], 1, 0.5))

# ---------------------------------------------------------------- cepstra and their slopes
melkwargs = {"n_fft": 128, "n_mels": 20, "hop_length": 50}
case("mfcc", "two", [8000], {"nMfcc": 13, "nFft": 128, "nMels": 20, "hopLength": 50}, T.MFCC(8000, 13, melkwargs=melkwargs)(two))
case("mfcc", "x", [8000], {"nMfcc": 7, "nFft": 128, "nMels": 20, "hopLength": 50, "logMels": True, "dctNorm": None}, T.MFCC(8000, 7, norm=None, log_mels=True, melkwargs=melkwargs)(x))
case("mfcc", "x", [8000], {"nFft": 256, "nMels": 24, "like": "librosa"}, librosa.feature.mfcc(y=y, sr=8000, n_fft=256, n_mels=24, dtype=np.float64))
case("mfcc", "x", [8000], {"nMfcc": 12, "nFft": 256, "nMels": 24, "lifter": 22, "like": "librosa"}, librosa.feature.mfcc(y=y, sr=8000, n_mfcc=12, n_fft=256, n_mels=24, lifter=22, dtype=np.float64))
case("deltas", "powers", [], {}, F.compute_deltas(powers))
case("deltas", "powers", [], {"winLength": 7}, F.compute_deltas(powers, 7))

# ---------------------------------------------------------------- others
case("preemphasis", "two", [], None, F.preemphasis(two))
case("preemphasis", "x", [0.5], None, F.preemphasis(x, 0.5))
case("rms", "x", [], {"frameLength": 128, "hopLength": 40}, librosa.feature.rms(y=y, frame_length=128, hop_length=40, dtype=np.float64)[0])
case("rms", "x", [], {"frameLength": 100, "hopLength": 50, "center": False}, librosa.feature.rms(y=y, frame_length=100, hop_length=50, center=False, dtype=np.float64)[0])
case("zeroCrossingRate", "x", [], {"frameLength": 128, "hopLength": 40}, librosa.feature.zero_crossing_rate(y, frame_length=128, hop_length=40)[0])
case("zeroCrossingRate", "x", [], {"frameLength": 64, "hopLength": 64, "center": False}, librosa.feature.zero_crossing_rate(y, frame_length=64, hop_length=64, center=False)[0])
case("toMono", "two", [], None, two.mean(-2, keepdim=True))
whisper = WhisperFeatureExtractor(feature_size=80, chunk_length=1)
speech = signal(5000, 16000)
torch.set_default_dtype(torch.float32)
out = whisper(speech.float().numpy(), sampling_rate=16000, return_tensors="np")["input_features"][0]
torch.set_default_dtype(torch.float64)
case("whisperLogMel", "speech", [], {"samples": 16000}, out[:, ::3].astype(np.float64))  # every third piece
plain = T.Spectrogram(64, hop_length=16)(x)
for options, momentum, power in [({"iterations": 4, "hopLength": 16}, 0.99, 2.0), ({"iterations": 3, "hopLength": 16, "momentum": 0, "power": 1, "length": 496}, 0.0, 1.0)]:
    given = plain if power == 2 else plain.sqrt()
    out = F.griffinlim(given, hann(64), 64, 16, 64, power, options["iterations"], momentum, options.get("length"), False)
    case("griffinLim", "plain" if power == 2 else "roots", [], {**options, "randomPhases": False}, out)

inputs = {"x": x, "two": two, "powers": powers, "plane": powers[0, 0], "speech": speech, "plain": plain, "roots": plain.sqrt()}
save("audio.py", "audio", {
    "versions": f"torchaudio {torchaudio.__version__.split('+')[0]}, librosa {librosa.__version__}", "inputs": inputs, "cases": cases, "filters": filters,
})

# ---------------------------------------------------------------- files
wav = []
stereo = np.stack([np.linspace(-1, 1, 23), np.sin(np.arange(23))], 1)
KINDS = {"pcm8": "PCM_U8", "pcm16": "PCM_16", "pcm24": "PCM_24", "pcm32": "PCM_32", "float32": "FLOAT", "float64": "DOUBLE", "alaw": "ALAW", "ulaw": "ULAW"}
for encoding, subtype in KINDS.items():
    for form, data in [("WAV", stereo), ("WAVEX", np.tile(stereo[:, :1], (1, 3)))]:
        file = io.BytesIO()
        soundfile.write(file, data, 22050, subtype=subtype, format=form)
        read, rate = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32", always_2d=True)
        wav.append({"encoding": encoding, "form": form, "file": base64.b64encode(file.getvalue()).decode(), "rate": rate, "samples": [float(v) for v in read.T.flatten()], "channels": read.shape[1]})
bytes_ = np.arange(256, dtype=np.uint8)
for encoding, tag in [("alaw", 6), ("ulaw", 7)]:  # all values
    head = b"RIFF" + (50 + 256 - 8 + 8).to_bytes(4, "little") + b"WAVEfmt " + (18).to_bytes(4, "little") + tag.to_bytes(2, "little") + (1).to_bytes(2, "little")
    head += (8000).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + b"\0\0" + b"data" + (256).to_bytes(4, "little")
    file = head + bytes_.tobytes()
    read, rate = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)
    wav.append({"encoding": encoding, "form": "all bytes", "file": base64.b64encode(file).decode(), "rate": rate, "samples": [float(v) for v in read.T.flatten()], "channels": 1})
note = f"made by tools/parity/audio.py with soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__})"
path = pathlib.Path(ROOT) / "audio-wav.json"
path.write_text(json.dumps({"note": note, "files": wav}, separators=(",", ":")) + "\n")
print((ROOT / "audio.safetensors").stat().st_size, path.stat().st_size, "bytes")
