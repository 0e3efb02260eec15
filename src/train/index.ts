// The public surface of `nabla/train`.

export type * from './record.js';
export { formatEvent, formatJson, parseEvent, parseJson } from './record.js';
export { Alternating } from './alternating.js';
export { unfreezeStepwise, type UnfreezeOptions } from './unfreeze.js';
export { Trainer, type FitResult } from './trainer.js';
export type * from './options.js';
export type { Progress, TrainerState } from './state.js';
export * from './search/index.js';
export { ConsoleLogger, type ConsoleOptions } from './logging/console.js';
export { CsvLogger, JsonLinesLogger } from './logging/files.js';
export type { HyperParameter } from './logging/messages.js';
export { SummaryWriter, type Picture, type SummaryWriterOptions } from './logging/summary-writer.js';
export { TensorBoardLogger, type TensorBoardOptions } from './logging/tensorboard.js';
export {
  defineRun,
  type Chosen,
  type ImagePredictor,
  type Page,
  type Predictor,
  type RunDefinition,
  type RunPlan,
  type Setting,
  type Settings,
  type TablePredictor,
  type TextPredictor,
} from './define-run.js';
export { type ModelGraph, writeGraph } from './graph.js';
export { type Confusion, type ConfusionOptions, writeConfusion } from './confusion.js';
export { type Displayed, type HtmlOptions, type PngOptions, display, toHtml, toPng } from './display.js';
export { isLowerBetter, summariseRun, type BestValue, type RunSummary } from './compare.js';
export { learningCurves, type CurveOptions, type NamedRun } from './curves.js';
export type { Area } from './plot/area.js';
export type { Chart, Series } from './plot/chart.js';
export {
  type ConvergenceOptions,
  type SurfaceOptions,
  type TraceOptions,
  convergenceChart,
  surfaceChart,
  traceChart,
} from './plot/charts.js';
export { type HeatMapOptions, heatMapSvg } from './plot/heat-map.js';
export { chartSvg } from './plot/svg.js';
export { chartText, type TextOptions } from './plot/text.js';
export { type Probe, type ObserveOptions, observe } from './doctor/observe.js';
export type { ObservedOptimizer } from './doctor/process.js';
export {
  ILLNESSES,
  type Diagnosis,
  type Evidence,
  type Examination,
  type Illness,
  type Severity,
  diagnose,
  examine,
} from './doctor/diagnose.js';
export { describeHealth } from './doctor/report.js';
export type { DoctorOptions } from './doctor/options.js';
export { type BiasVariance, type Errors, type Verdict, readErrors } from './checks/bias-variance.js';
export { type FindRateOptions, type RateCurve, findLearningRate } from './checks/find-rate.js';
export { type InitialLossOptions, checkInitialLoss } from './checks/initial-loss.js';
export { type OverfitCheck, type OverfitOptions, overfitOneBatch } from './checks/overfit.js';
