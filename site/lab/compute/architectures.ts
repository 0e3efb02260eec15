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
  AdaptiveAvgPool2d,
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
  /** A network of one's own: layers with semicolons between them, such as conv 16 3; relu; pool 2; flatten; linear 10. */
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

/** What a network of one's own is made of: what a layer is given must have three axes (a map) or one (a vector), or any number. */
const KINDS: Record<
  string,
  { readonly given: string; readonly code: (given: number[], numbers: number[]) => [Module, string] }
> = {
  conv: {
    given: 'map',
    code: ([channels], [out = 16, kernel = 3, stride = 1]) => {
      const padding = Math.floor(kernel / 2);
      const options = `{ padding: ${padding}, stride: ${stride} }`;
      return [
        new Conv2d(channels, out, kernel, { padding, stride }),
        `new Conv2d(${channels}, ${out}, ${kernel}, ${options})`,
      ];
    },
  },
  depthwise: {
    given: 'map',
    code: ([channels], [kernel = 3, stride = 1]) => {
      const padding = Math.floor(kernel / 2);
      const options = `{ padding: ${padding}, stride: ${stride}, groups: ${channels} }`;
      const layer: Module = new Conv2d(channels, channels, kernel, { padding, stride, groups: channels });
      return [layer, `new Conv2d(${channels}, ${channels}, ${kernel}, ${options})`];
    },
  },
  pool: { given: 'map', code: (_, [window = 2]) => [new MaxPool2d(window), `new MaxPool2d(${window})`] },
  avg: { given: 'map', code: (_, [window = 2]) => [new AvgPool2d(window), `new AvgPool2d(${window})`] },
  global: { given: 'map', code: () => [new AdaptiveAvgPool2d(1), 'new AdaptiveAvgPool2d(1)'] },
  norm: { given: 'map', code: ([channels]) => [new BatchNorm2d(channels), `new BatchNorm2d(${channels})`] },
  relu: { given: 'any', code: () => [new ReLU(), 'new ReLU()'] },
  dropout: { given: 'any', code: () => [new Dropout(), 'new Dropout()'] },
  flatten: { given: 'map', code: () => [new Flatten(), 'new Flatten()'] },
  linear: {
    given: 'vector',
    code: ([features], [out = 10]) => [new Linear(features, out), `new Linear(${features}, ${out})`],
  },
};
const HELP = `Layers are ${Object.keys(KINDS).join(', ')}, with semicolons between them: conv 16 3 1 (channels, kernel, stride), pool 2, linear 10`;

/** A layer as it was written: what comes out of it, or why it does not fit what comes before. */
interface Block {
  readonly text: string;
  readonly shape: readonly number[];
  readonly problem: string;
}

/** Makes the layers one after the other, each for what nabla says that the one before gives, until one does not fit. */
function build(text: string, size: number) {
  const layers: Module[] = [];
  const blocks: Block[] = [];
  const lines: string[] = [];
  let shape: number[] = [3, size, size];
  for (const part of text
    .split(/[;\n]/)
    .map((word) => word.trim())
    .filter(Boolean)) {
    const [name, ...words] = part.split(/\s+/);
    const numbers = words.map(Number);
    const kind = KINDS[name];
    const [needs, has] = [kind?.given ?? 'any', shape.length === 3 ? 'map' : 'vector'];
    const before = shape.join(' × ');
    let problem = '';
    if (blocks.some((block) => block.problem)) problem = 'waits for those above';
    else if (!kind) problem = `'${part}' is no layer. ${HELP}.`;
    else if (!numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 4096))
      problem = 'Sizes are whole numbers from 1 to 4096.';
    else if (needs !== 'any' && needs !== has)
      problem =
        has === 'map'
          ? `A linear layer takes a vector, and ${before} is a map. Put flatten before it.`
          : `It takes a map, and ${before} is a vector. Move it before flatten.`;
    else if (layers.length === 60) problem = 'Sixty layers are the most.';
    else
      try {
        const [layer, line] = kind.code(shape, numbers);
        shape = layer.summary([1, ...shape]).rows[0].outputs[0].slice(1);
        if (shape.some((length) => length < 1)) problem = `Nothing is left of ${before}. Use fewer or smaller steps.`;
        else {
          layers.push(layer);
          lines.push(`  ${line}, // ${shape.join(' × ')}`);
        }
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
    blocks.push({ text: part, shape: problem ? [] : shape, problem });
  }
  if (layers.length === 0) throw new Error(`Own network: ${blocks[0]?.problem ?? `it has no layer. ${HELP}.`}`);
  const code = `const model = new Sequential(\n${lines.join('\n')}\n);`;
  return { model: new Sequential(...layers), input: [1, 3, size, size] as Shape, blocks, code };
}

/** Blocks that papers draw as one, by the names of their classes. */
const BLOCK = /^(Inception|BasicBlock|Bottleneck|DenseBlock|Fire|MobileNetV2Block|MBConv)\b/;

/** A part of the drawing: a layer with what belongs to it, or a block with its branches. */
interface Unit {
  readonly name: string;
  readonly path: string;
  /** Numbers of its layers. */
  readonly layers: number[];
}

/** What nabla's summary says of a network: nothing of it is computed, shapes are enough. */
export async function* run(settings: Settings) {
  const own = settings.model === 'own' ? build(settings.own, settings.size) : undefined;
  const { model, input } = own ?? MODELS[settings.model]();
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
    .filter(({ module, parameters }) => own || parameters > 0 || /Pool|Conv|Linear|Flatten/.test(module));
  const at = Math.min(Math.round(settings.layer), layers.length) - 1;

  const blocks = summary.rows.filter(({ module }) => BLOCK.test(module));
  const units: Unit[] = [];
  layers.forEach(({ path, module }, i) => {
    const block = blocks.find((one) => path.startsWith(`${one.path}.`));
    const last = units.at(-1);
    const isPart = block
      ? last?.path === block.path
      : /Norm|Flatten|ReLU|Dropout/.test(module) && last !== undefined && !BLOCK.test(last.name);
    if (isPart) last?.layers.push(i);
    else units.push({ name: block ? block.module : module.split('(')[0], path: block?.path ?? path, layers: [i] });
  });
  // Of a dense block the one layer that is looked at, otherwise the whole unit.
  const unit = units.findIndex((one) => one.layers.includes(at));
  const dense = layers[at].path.match(/^.*denselayer\d+/)?.[0];
  const inside = units[unit].layers.filter((i) => !dense || layers[i].path.startsWith(`${dense}.`));
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
    units,
    unit,
    inside: { name: dense ? 'DenseLayer' : units[unit].name, path: dense ?? units[unit].path, layers: inside },
    notes: own?.blocks.map(({ shape, problem }, i) => ({
      problem,
      shape,
      parameters: layers[i]?.parameters ?? 0,
      multiplyAdds: layers[i]?.multiplyAdds ?? 0,
    })),
    code: own?.code,
  };
}
