import type { Shape } from 'nabla';
import {
  alexnet,
  densenet121,
  efficientnetB0,
  googlenet,
  lenet5,
  mobilenetV2,
  resnet18,
  resnet50,
  squeezenet11,
  unet,
  vgg16,
} from 'nabla/models';
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from 'nabla/nn';

export interface Settings {
  model: string;
  /** A network of one's own: layers with semicolons between them. */
  own: string;
  /** Height and width of its input, which has three channels. */
  size: number;
  /** Which layer is looked at. */
  layer: number;
}

const MODELS: Record<string, () => { readonly model: Module; readonly input: Shape }> = {
  lenet: () => ({ model: lenet5(), input: [1, 1, 32, 32] }),
  alexnet: () => ({ model: alexnet(), input: [1, 3, 224, 224] }),
  vgg16: () => ({ model: vgg16(), input: [1, 3, 224, 224] }),
  googlenet: () => ({ model: googlenet(), input: [1, 3, 224, 224] }),
  resnet18: () => ({ model: resnet18(), input: [1, 3, 224, 224] }),
  resnet50: () => ({ model: resnet50(), input: [1, 3, 224, 224] }),
  densenet: () => ({ model: densenet121(), input: [1, 3, 224, 224] }),
  squeezenet: () => ({ model: squeezenet11(), input: [1, 3, 224, 224] }),
  mobilenet: () => ({ model: mobilenetV2(), input: [1, 3, 224, 224] }),
  efficientnet: () => ({ model: efficientnetB0(), input: [1, 3, 224, 224] }),
  unet: () => ({ model: unet(), input: [1, 1, 256, 256] }),
};

const HELP =
  'Write layers with semicolons between them: conv 16 3 (channels, kernel, stride), pool 2, avg 2, norm, relu, dropout, flatten, linear 10';

/** `conv 16 3; relu; pool 2; flatten; linear 10` as a model. The shape is followed along, so that each layer knows what it is given. */
function parse(text: string, size: number): { model: Module; input: Shape } {
  const layers: Module[] = [];
  let [channels, side] = [3, size];
  let features: number | undefined;
  for (const part of text
    .split(/[;\n]/)
    .map((p) => p.trim())
    .filter(Boolean)) {
    const [name, ...numbers] = part.split(/\s+/);
    const [a, b = 3, c = 1] = numbers.map(Number);
    if (!numbers.map(Number).every((n) => Number.isInteger(n) && n >= 1 && n <= 4096))
      throw new Error(`Own network: '${part}': sizes are whole numbers from 1 to 4096. ${HELP}.`);
    const needsMap = ['conv', 'pool', 'avg', 'norm'].includes(name);
    if (needsMap && features !== undefined) throw new Error(`Own network: '${part}' after flatten. ${HELP}.`);
    if (name === 'conv' && a) {
      const padding = Math.floor(b / 2);
      layers.push(new Conv2d(channels, a, b, { padding, stride: c }));
      [channels, side] = [a, Math.floor((side + 2 * padding - b) / c) + 1];
    } else if (name === 'pool' || name === 'avg') {
      const window = a || 2;
      layers.push(name === 'pool' ? new MaxPool2d(window) : new AvgPool2d(window));
      side = Math.floor(side / window);
    } else if (name === 'norm') layers.push(new BatchNorm2d(channels));
    else if (name === 'relu') layers.push(new ReLU());
    else if (name === 'dropout') layers.push(new Dropout());
    else if (name === 'flatten') {
      layers.push(new Flatten());
      features = channels * side * side;
    } else if (name === 'linear' && a) {
      if (features === undefined) throw new Error(`Own network: flatten is missing before '${part}'. ${HELP}.`);
      layers.push(new Linear(features, a));
      features = a;
    } else throw new Error(`Own network: '${part}' is not understood. ${HELP}.`);
    if (side < 1)
      throw new Error(`Own network: nothing is left of the picture at '${part}'. Use fewer or smaller steps.`);
  }
  if (layers.length === 0 || layers.length > 60) throw new Error(`Own network: 1 to 60 layers. ${HELP}.`);
  return { model: new Sequential(...layers), input: [1, 3, size, size] };
}

/** What nabla's summary says of a network: nothing of it is computed, shapes are enough. */
export async function* run(settings: Settings) {
  const { model, input } = settings.model === 'own' ? parse(settings.own, settings.size) : MODELS[settings.model]();
  const summary = model.summary(input);
  // Calls that hold no others; those that neither compute nor change the shape are left out of the drawing.
  const leaves = summary.rows.filter(({ depth }, i) => !(summary.rows[i + 1]?.depth > depth));
  const layers = leaves
    .map(({ path, module, outputs, parameters, multiplyAdds, bytes }) => ({
      path,
      module,
      shape: outputs[0]?.slice(1) ?? [],
      parameters,
      multiplyAdds,
      bytes,
    }))
    .filter(({ module, parameters }) => parameters > 0 || /Pool|Conv|Linear|Flatten/.test(module));
  const at = Math.min(Math.round(settings.layer), layers.length) - 1;
  yield {
    values: {
      parameters: summary.parameters.toLocaleString('en'),
      'multiply-adds': summary.multiplyAdds.toLocaleString('en'),
      'memory of all outputs, MB': summary.activationBytes / 1e6,
      [`layer ${at + 1}`]: `${layers[at].path}: ${layers[at].module} → ${layers[at].shape.join(' × ')}`,
    },
    input: input.slice(1),
    layers,
    at,
    name: settings.model,
  };
}
