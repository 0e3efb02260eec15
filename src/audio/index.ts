// The public surface of `nabla/audio`.

export { deltas, dctMatrix, mfcc, type DeltaOptions, type MfccOptions } from './cepstrum.js';
export { amplitudeToDb, dbToAmplitude, dbToPower, powerToDb, type DecibelOptions } from './decibels.js';
export { griffinLim, type GriffinLimOptions } from './griffin-lim.js';
export {
  hzToMel,
  melFilterbank,
  melSpectrogram,
  melToHz,
  toMelScale,
  type MelFilterOptions,
  type MelOptions,
  type MelScale,
} from './mel.js';
export { resample, type ResampleOptions } from './resample.js';
export { preemphasis, rms, toMono, zeroCrossingRate, type PieceOptions } from './signal.js';
export {
  spectrogram,
  type AudioLibrary,
  type FrameOptions,
  type SpectrogramOptions,
  type WindowName,
} from './spectrogram.js';
export type { WavEncoding } from './wav/encodings.js';
export type { WavInfo } from './wav/header.js';
export { readWav, readWavInfo, type ReadWavOptions, type Wav } from './wav/read.js';
export { encodeWav, saveWav, type WriteWavOptions } from './wav/write.js';
export { whisperLogMel, type WhisperOptions } from './whisper.js';
