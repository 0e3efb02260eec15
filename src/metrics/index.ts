// The public surface of `nabla/metrics`.

export type { Metric } from './metric.js';
export type { LabelOptions } from './labels.js';
export type { Average, ClassMetricOptions } from './class-counts.js';
export { Accuracy, TopKAccuracy, TopKError } from './accuracy.js';
export { CohenKappa, MatthewsCorrelation } from './agreement.js';
export { Bleu, type BleuOptions, type BleuScore, type Smoothing } from './bleu.js';
export { CalibrationError, type CalibrationOptions } from './calibration.js';
export { Dice, F1, FBeta, IoU, MeanIoU, Precision, Recall } from './class-ratios.js';
export { classScores, type ClassScores, type ClassScoresOptions } from './class-scores.js';
export { ConfusionMatrix, type ConfusionOptions } from './confusion.js';
export {
  MeanAveragePrecision,
  type AveragePrecisions,
  type FoundBox,
  type MeanAveragePrecisionOptions,
  type TrueBox,
} from './mean-average-precision.js';
export { Mean, MeanLoss, Perplexity, type MeanLossOptions } from './mean.js';
export { AUROC, AveragePrecision, type RankingOptions } from './ranking.js';
export { MeanAbsoluteError, MeanSquaredError, R2Score, RootMeanSquaredError } from './regression.js';
export { Stopwatch, type StopwatchOptions, type Timing } from './stopwatch.js';
export { TrackingMetrics, type TrackedObject, type TrackingOptions, type TrackingScores } from './tracking.js';
export type { Tokenisation } from './tokenize.js';
