// Where a network looks: the pixels on which a class depends most (Simonyan et al. 2014), and the places where a layer's maps speak for it
// (Grad-CAM, Selvaraju et al. 2017).

import { type Module } from '../../nn/index.js';
import { zeros } from '../../tensor/creation.js';
import {
  checkChoice,
  checkFunction,
  checkHas,
  checkOptions,
  formatShape,
  ArgumentError,
  type OptionNames,
  ShapeError,
} from '../../tensor/library.js';
import { interpolate } from '../../tensor/resample.js';
import { Tensor } from '../../tensor/tensor.js';
import {
  type ClassList,
  type Classify,
  type Pictures,
  checkClasses,
  checkedPictures,
  chosenLogits,
  gradientBy,
  logitsOf,
} from './classify.js';

export interface ClassOptions {
  /** The class to ask about, for each picture: int32 [N]. Default: the one with the largest logit. */
  readonly classes?: ClassList;
}

const CLASS_OPTIONS: OptionNames<ClassOptions> = { classes: true };

export interface GradCamOptions extends ClassOptions {
  /**
   * What a map counts: the mean of the gradient over it ('map', as Selvaraju et al. have it), or at each place the gradient there ('place':
   * HiResCAM, Draelos and Carin 2020). They are the same where the maps go through a global mean. Where a linear layer looks at each place (a
   * Flatten in front of it), a map means something else at each place, and 'map' shows little. Default 'map'.
   */
  readonly weights?: 'map' | 'place';
}

const GRAD_CAM_OPTIONS: OptionNames<GradCamOptions> = { classes: true, weights: true };

/** How large each picture's map is: [N, H, W]. */
type Maps = Tensor<[number, number, number]>;

/** Each map from 0 to 1; one that is 0 everywhere stays so. */
function upToOne(maps: Tensor): Maps {
  const most = maps.amax([1, 2], { keepdim: true });
  return maps.div(most.maximum(1e-30)) as Maps;
}

/**
 * How much the logit of a class changes with each pixel: |∂ logit / ∂ pixel|, of the channels the largest, each map divided by its largest number.
 * Pictures [N, C, H, W] → [N, H, W], from 0 to 1.
 *
 *     const maps = saliency((x) => model.forward(x), pictures);
 */
export function saliency(classify: Classify, pictures: Pictures, options: ClassOptions = {}): Maps {
  checkFunction('saliency', classify);
  checkOptions('saliency', options, CLASS_OPTIONS);
  const x = checkedPictures('saliency', pictures);
  const { classes } = options;
  if (classes !== undefined) checkClasses('saliency', classes, x.shape[0]);
  const slope = gradientBy(x, (at) => chosenLogits(logitsOf('saliency', classify, at as Pictures), classes));
  return upToOne(slope.abs().amax(1));
}

/**
 * Grad-CAM: the maps of a convolutional layer, each weighted by the mean of the logit's gradient over it (or place by place, see `weights`); what
 * speaks against the class is 0.
 * Pictures [N, C, H, W] → [N, H, W], from 0 to 1, in the size of the pictures. The layer's output is [N, K, h, w], and `classify` calls it once.
 *
 *     const maps = gradCam((x) => model.forward(x), model.layer4, pictures);
 */
export function gradCam(classify: Classify, layer: Module, pictures: Pictures, options: GradCamOptions = {}): Maps {
  checkFunction('gradCam', classify);
  checkHas('gradCam', 'the layer', layer, ['registerForwardHook', 'forward'], 'Give a module');
  checkOptions('gradCam', options, GRAD_CAM_OPTIONS);
  const x = checkedPictures('gradCam', pictures);
  const { classes, weights: kind = 'map' } = options;
  checkChoice('gradCam', 'weights', kind, ['map', 'place']);
  if (classes !== undefined) checkClasses('gradCam', classes, x.shape[0]);
  const seen: unknown[] = [];
  const watched = (change: (output: Tensor) => Tensor | undefined, at: Pictures): Tensor => {
    const handle = layer.registerForwardHook((_, __, output) => {
      seen.push(output);
      return output instanceof Tensor ? change(output) : undefined;
    });
    try {
      return logitsOf('gradCam', classify, at);
    } finally {
      handle.remove();
    }
  };
  watched(() => undefined, x);
  const maps = seen[0];
  if (seen.length !== 1 || !(maps instanceof Tensor))
    throw new ArgumentError(
      `gradCam: the layer ${seen.length === 1 ? 'gave no tensor' : `was called ${seen.length} times`}. Give one that the function calls once and that gives maps.`,
    );
  if (maps.rank !== 4 || maps.shape[0] !== x.shape[0])
    throw new ShapeError(`gradCam: the layer gave ${formatShape(maps.shape)}: needs maps [N, K, h, w]`, [maps.shape]);
  // the gradient by the maps is that by a number that is added to each of them
  const slope = gradientBy(zeros(maps.shape), (more) =>
    chosenLogits(
      watched((output) => output.add(more), x),
      classes,
    ),
  );
  const weights: Tensor = kind === 'map' ? slope.mean([2, 3], { keepdim: true }) : slope;
  const heat: Tensor = weights.mul(maps.detach()).sum(1, { keepdim: true }).relu();
  const size = [x.shape[2], x.shape[3]] as const;
  return upToOne(interpolate(heat as Pictures, { size, mode: 'bilinear' }).reshape([x.shape[0], ...size]));
}
