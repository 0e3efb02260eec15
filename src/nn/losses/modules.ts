// Losses as modules: the function of the same name, and its types, with options that are given once.

import { checkOptions, type DType, type OptionNames, type Shape } from '../../tensor/library.js';
import type { BroadcastArg, SameShapeArg } from '../../tensor/shape-types/broadcast.js';
import type { LabelsArg, TargetArg } from '../../tensor/shape-types/labels.js';
import type { Exact } from '../../tensor/shape-types/options.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import {
  BCE_OPTIONS,
  BCE_WITH_LOGITS_OPTIONS,
  CROSS_ENTROPY_OPTIONS,
  DICE_OPTIONS,
  HINGE_OPTIONS,
  KL_OPTIONS,
  LABEL_OPTIONS,
  bceLoss,
  bceWithLogits,
  crossEntropy,
  diceLoss,
  hingeLoss,
  klDivLoss,
  nllLoss,
  type BceOptions,
  type BceWithLogitsOptions,
  type CrossEntropyOptions,
  type DiceOptions,
  type HingeOptions,
  type KlOptions,
  type LabelOptions,
} from './classification.js';
import { DICE_CROSS_ENTROPY_OPTIONS, type DiceCrossEntropyOptions, diceCrossEntropy } from './segmentation.js';
import { LOSS_OPTIONS, type LossOptions, type Reduced } from './common.js';
import { CTC_OPTIONS, ctcLoss, type CtcOptions, type Lengths } from './ctc.js';
import {
  FOCAL_OPTIONS,
  GAUSSIAN_NLL_OPTIONS,
  POISSON_NLL_OPTIONS,
  focalLoss,
  gaussianNllLoss,
  poissonNllLoss,
  type FocalOptions,
  type GaussianNllOptions,
  type PoissonNllOptions,
} from './likelihoods.js';
import {
  MARGIN_OPTIONS,
  MULTILABEL_SOFT_MARGIN_OPTIONS,
  MULTI_MARGIN_OPTIONS,
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multiMarginLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  softMarginLoss,
  type MarginOptions,
  type MultiMarginOptions,
  type MultilabelSoftMarginOptions,
} from './margins.js';
import {
  NT_XENT_OPTIONS,
  TRIPLET_OPTIONS,
  ntXentLoss,
  tripletMarginLoss,
  type NtXentOptions,
  type TripletOptions,
} from './metric.js';
import {
  HUBER_OPTIONS,
  SMOOTH_L1_OPTIONS,
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
  type HuberOptions,
  type SmoothL1Options,
} from './regression.js';

/** A module that holds the options of a loss. */
abstract class Loss<O extends object> extends Module {
  readonly options: O;

  constructor(options: O | undefined, known: OptionNames<O>) {
    super();
    checkOptions(this.constructor.name, options, known);
    this.options = options ?? ({} as O);
  }

  protected override describe(): string {
    const given = Object.entries(this.options).map(([name, value]) => `${name}: ${String(value)}`);
    return given.length > 0 ? `{ ${given.join(', ')} }` : '';
  }
}

/** `mseLoss` with its options. PyTorch: nn.MSELoss. */
export class MSELoss<const O extends LossOptions = {}> extends Loss<LossOptions> {
  constructor(options?: O & Exact<O, LossOptions>) {
    super(options, LOSS_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    prediction: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'mseLoss', S, T>,
  ): Reduced<O> {
    return mseLoss(prediction, target, this.options) as Reduced<O>;
  }
}

/** `l1Loss` with its options. PyTorch: nn.L1Loss. */
export class L1Loss<const O extends LossOptions = {}> extends Loss<LossOptions> {
  constructor(options?: O & Exact<O, LossOptions>) {
    super(options, LOSS_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    prediction: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'l1Loss', S, T>,
  ): Reduced<O> {
    return l1Loss(prediction, target, this.options) as Reduced<O>;
  }
}

/** `huberLoss` with its options. PyTorch: nn.HuberLoss. */
export class HuberLoss<const O extends HuberOptions = {}> extends Loss<HuberOptions> {
  constructor(options?: O & Exact<O, HuberOptions>) {
    super(options, HUBER_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    prediction: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'huberLoss', S, T>,
  ): Reduced<O> {
    return huberLoss(prediction, target, this.options) as Reduced<O>;
  }
}

/** `smoothL1Loss` with its options. PyTorch: nn.SmoothL1Loss. */
export class SmoothL1Loss<const O extends SmoothL1Options = {}> extends Loss<SmoothL1Options> {
  constructor(options?: O & Exact<O, SmoothL1Options>) {
    super(options, SMOOTH_L1_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    prediction: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'smoothL1Loss', S, T>,
  ): Reduced<O> {
    return smoothL1Loss(prediction, target, this.options) as Reduced<O>;
  }
}

/** `crossEntropy` with its options. PyTorch: nn.CrossEntropyLoss. */
export class CrossEntropyLoss<const O extends CrossEntropyOptions = {}> extends Loss<CrossEntropyOptions> {
  constructor(options?: O & Exact<O, CrossEntropyOptions>) {
    super(options, CROSS_ENTROPY_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logits: Tensor<S, DType>,
    target: Tensor<T, DType> & TargetArg<'crossEntropy', S, T>,
  ): Reduced<O> {
    return crossEntropy(logits, target, this.options) as Reduced<O>;
  }
}

/** `nllLoss` with its options. PyTorch: nn.NLLLoss. */
export class NLLLoss<const O extends LabelOptions = {}> extends Loss<LabelOptions> {
  constructor(options?: O & Exact<O, LabelOptions>) {
    super(options, LABEL_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logProbabilities: Tensor<S, DType>,
    target: Tensor<T, DType> & LabelsArg<'nllLoss', S, T>,
  ): Reduced<O> {
    return nllLoss(logProbabilities, target, this.options) as Reduced<O>;
  }
}

/** `bceWithLogits` with its options. PyTorch: nn.BCEWithLogitsLoss. */
export class BCEWithLogitsLoss<const O extends BceWithLogitsOptions = {}> extends Loss<BceWithLogitsOptions> {
  constructor(options?: O & Exact<O, BceWithLogitsOptions>) {
    super(options, BCE_WITH_LOGITS_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logits: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'bceWithLogits', S, T>,
  ): Reduced<O> {
    return bceWithLogits(logits, target, this.options) as Reduced<O>;
  }
}

/** `bceLoss` with its options. PyTorch: nn.BCELoss. */
export class BCELoss<const O extends BceOptions = {}> extends Loss<BceOptions> {
  constructor(options?: O & Exact<O, BceOptions>) {
    super(options, BCE_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    probabilities: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'bceLoss', S, T>,
  ): Reduced<O> {
    return bceLoss(probabilities, target, this.options) as Reduced<O>;
  }
}

/** `hingeLoss` with its options. */
export class HingeLoss<const O extends HingeOptions = {}> extends Loss<HingeOptions> {
  constructor(options?: O & Exact<O, HingeOptions>) {
    super(options, HINGE_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    scores: Tensor<S, DType>,
    labels: Tensor<T, DType> & LabelsArg<'hingeLoss', S, T>,
  ): Reduced<O> {
    return hingeLoss(scores, labels, this.options) as Reduced<O>;
  }
}

/** `diceLoss` with its options. */
export class DiceLoss<const O extends DiceOptions = {}> extends Loss<DiceOptions> {
  constructor(options?: O & Exact<O, DiceOptions>) {
    super(options, DICE_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    probabilities: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'diceLoss', S, T>,
  ): Reduced<O> {
    return diceLoss(probabilities, target, this.options) as Reduced<O>;
  }
}

/** `diceCrossEntropy` with its options. MONAI: DiceCELoss. */
export class DiceCrossEntropyLoss extends Loss<DiceCrossEntropyOptions> {
  constructor(options?: DiceCrossEntropyOptions) {
    super(options, DICE_CROSS_ENTROPY_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logits: Tensor<S, DType>,
    labels: Tensor<T, DType> & LabelsArg<'diceCrossEntropy', S, T>,
  ): Tensor<[]> {
    return diceCrossEntropy(logits, labels, this.options);
  }
}

/** `tripletMarginLoss` with its options. PyTorch: nn.TripletMarginLoss. */
export class TripletMarginLoss<const O extends TripletOptions = {}> extends Loss<TripletOptions> {
  constructor(options?: O & Exact<O, TripletOptions>) {
    super(options, TRIPLET_OPTIONS);
  }

  forward<S extends Shape, P extends Shape, N extends Shape>(
    anchor: Tensor<S, DType>,
    positive: Tensor<P, DType> & SameShapeArg<'tripletMarginLoss', S, P>,
    negative: Tensor<N, DType> & SameShapeArg<'tripletMarginLoss', S, N>,
  ): Reduced<O> {
    return tripletMarginLoss(anchor, positive, negative, this.options) as Reduced<O>;
  }
}

/** `ntXentLoss` with its options. */
export class NTXentLoss<const O extends NtXentOptions = {}> extends Loss<NtXentOptions> {
  constructor(options?: O & Exact<O, NtXentOptions>) {
    super(options, NT_XENT_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    first: Tensor<S, DType>,
    second: Tensor<T, DType> & SameShapeArg<'ntXentLoss', S, T>,
  ): Reduced<O> {
    return ntXentLoss(first, second, this.options) as Reduced<O>;
  }
}

/** `cosineEmbeddingLoss` with its options. PyTorch: nn.CosineEmbeddingLoss. */
export class CosineEmbeddingLoss<const O extends MarginOptions = {}> extends Loss<MarginOptions> {
  constructor(options?: O & Exact<O, MarginOptions>) {
    super(options, MARGIN_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    a: Tensor<S, DType>,
    b: Tensor<T, DType> & SameShapeArg<'cosineEmbeddingLoss', S, T>,
    labels: AnyTensor,
  ): Reduced<O> {
    return cosineEmbeddingLoss(a, b, labels, this.options) as Reduced<O>;
  }
}

/** `marginRankingLoss` with its options. PyTorch: nn.MarginRankingLoss. */
export class MarginRankingLoss<const O extends MarginOptions = {}> extends Loss<MarginOptions> {
  constructor(options?: O & Exact<O, MarginOptions>) {
    super(options, MARGIN_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    a: Tensor<S, DType>,
    b: Tensor<T, DType> & SameShapeArg<'marginRankingLoss', S, T>,
    labels: AnyTensor,
  ): Reduced<O> {
    return marginRankingLoss(a, b, labels, this.options) as Reduced<O>;
  }
}

/** `hingeEmbeddingLoss` with its options. PyTorch: nn.HingeEmbeddingLoss. */
export class HingeEmbeddingLoss<const O extends MarginOptions = {}> extends Loss<MarginOptions> {
  constructor(options?: O & Exact<O, MarginOptions>) {
    super(options, MARGIN_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    distances: Tensor<S, DType>,
    labels: Tensor<T, DType> & SameShapeArg<'hingeEmbeddingLoss', S, T>,
  ): Reduced<O> {
    return hingeEmbeddingLoss(distances, labels, this.options) as Reduced<O>;
  }
}

/** `softMarginLoss` with its options. PyTorch: nn.SoftMarginLoss. */
export class SoftMarginLoss<const O extends LossOptions = {}> extends Loss<LossOptions> {
  constructor(options?: O & Exact<O, LossOptions>) {
    super(options, LOSS_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    scores: Tensor<S, DType>,
    labels: Tensor<T, DType> & SameShapeArg<'softMarginLoss', S, T>,
  ): Reduced<O> {
    return softMarginLoss(scores, labels, this.options) as Reduced<O>;
  }
}

/** `multiMarginLoss` with its options. PyTorch: nn.MultiMarginLoss. */
export class MultiMarginLoss<const O extends MultiMarginOptions = {}> extends Loss<MultiMarginOptions> {
  constructor(options?: O & Exact<O, MultiMarginOptions>) {
    super(options, MULTI_MARGIN_OPTIONS);
  }

  forward(scores: AnyTensor, labels: AnyTensor): Reduced<O> {
    return multiMarginLoss(scores, labels, this.options) as Reduced<O>;
  }
}

/** `multilabelMarginLoss` with its options. PyTorch: nn.MultiLabelMarginLoss. */
export class MultiLabelMarginLoss<const O extends LossOptions = {}> extends Loss<LossOptions> {
  constructor(options?: O & Exact<O, LossOptions>) {
    super(options, LOSS_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    scores: Tensor<S, DType>,
    labels: Tensor<T, DType> & SameShapeArg<'multilabelMarginLoss', S, T>,
  ): Reduced<O> {
    return multilabelMarginLoss(scores, labels, this.options) as Reduced<O>;
  }
}

/** `multilabelSoftMarginLoss` with its options. PyTorch: nn.MultiLabelSoftMarginLoss. */
export class MultiLabelSoftMarginLoss<
  const O extends MultilabelSoftMarginOptions = {},
> extends Loss<MultilabelSoftMarginOptions> {
  constructor(options?: O & Exact<O, MultilabelSoftMarginOptions>) {
    super(options, MULTILABEL_SOFT_MARGIN_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    scores: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'multilabelSoftMarginLoss', S, T>,
  ): Reduced<O> {
    return multilabelSoftMarginLoss(scores, target, this.options) as Reduced<O>;
  }
}

/** `poissonNllLoss` with its options. PyTorch: nn.PoissonNLLLoss. */
export class PoissonNLLLoss<const O extends PoissonNllOptions = {}> extends Loss<PoissonNllOptions> {
  constructor(options?: O & Exact<O, PoissonNllOptions>) {
    super(options, POISSON_NLL_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    input: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'poissonNllLoss', S, T>,
  ): Reduced<O> {
    return poissonNllLoss(input, target, this.options) as Reduced<O>;
  }
}

/** `gaussianNllLoss` with its options. PyTorch: nn.GaussianNLLLoss. */
export class GaussianNLLLoss<const O extends GaussianNllOptions = {}> extends Loss<GaussianNllOptions> {
  constructor(options?: O & Exact<O, GaussianNllOptions>) {
    super(options, GAUSSIAN_NLL_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    input: Tensor<S, DType>,
    target: Tensor<T, DType> & BroadcastArg<'gaussianNllLoss', S, T>,
    variance: AnyTensor | number,
  ): Reduced<O> {
    return gaussianNllLoss(input, target, variance, this.options) as Reduced<O>;
  }
}

/** `focalLoss` with its options. */
export class FocalLoss<const O extends FocalOptions = {}> extends Loss<FocalOptions> {
  constructor(options?: O & Exact<O, FocalOptions>) {
    super(options, FOCAL_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logits: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'focalLoss', S, T>,
  ): Reduced<O> {
    return focalLoss(logits, target, this.options) as Reduced<O>;
  }
}

/** `ctcLoss` with its options. PyTorch: nn.CTCLoss. */
export class CTCLoss<const O extends CtcOptions = {}> extends Loss<CtcOptions> {
  constructor(options?: O & Exact<O, CtcOptions>) {
    super(options, CTC_OPTIONS);
  }

  forward(
    logProbabilities: AnyTensor,
    labels: AnyTensor,
    inputLengths: Lengths | number,
    targetLengths: Lengths | number,
  ): Reduced<O> {
    return ctcLoss(logProbabilities, labels, inputLengths, targetLengths, this.options) as Reduced<O>;
  }
}

/** `klDivLoss` with its options. PyTorch: nn.KLDivLoss. */
export class KLDivLoss extends Loss<KlOptions> {
  constructor(options?: KlOptions) {
    super(options, KL_OPTIONS);
  }

  forward<S extends Shape, T extends Shape>(
    logProbabilities: Tensor<S, DType>,
    target: Tensor<T, DType> & SameShapeArg<'klDivLoss', S, T>,
  ): Tensor {
    return klDivLoss(logProbabilities, target, this.options);
  }
}
