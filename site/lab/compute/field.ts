import { type Tensor, avgPool2d, conv2d, ones, tensor } from 'nabla';

export interface Settings {
  /** Layers between semicolons: `conv 3`, `conv 3 2` with a stride, `conv 3 1 2` with a dilation, `pool 2`. */
  layers: string;
  /** The layer whose unit in the middle is looked at. */
  layer: number;
}

interface Layer {
  readonly name: string;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

const SIDE = 65;

function parse(text: string): Layer[] {
  const layers = text
    .split(/[;\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part): Layer => {
      const [, name = '', rest = ''] = /^(conv|pool)\b(.*)$/.exec(part) ?? [];
      const [kernel = NaN, second, third] = rest.split(/\s+/).filter(Boolean).map(Number);
      const [stride, dilation] = [second ?? (name === 'pool' ? kernel : 1), third ?? 1];
      if (!name || ![kernel, stride, dilation].every((n) => Number.isInteger(n) && n >= 1 && n <= 11))
        throw new Error(
          `Layers: '${part}'. Write conv 3, conv 3 2 (with stride), conv 3 1 2 (with dilation) or pool 2.`,
        );
      return { name, kernel, stride, dilation };
    });
  if (layers.length === 0 || layers.length > 8) throw new Error('Layers: one to eight, with semicolons between them.');
  return layers;
}

/** How much of the picture the unit in the middle of each layer sees, a layer a frame: by the rule, and by backpropagation. */
export async function* run(settings: Settings) {
  const layers = parse(settings.layers);
  const sees: { readonly field: number; readonly jump: number }[] = [{ field: 1, jump: 1 }];
  for (const { kernel, stride, dilation } of layers) {
    const { field, jump } = sees.at(-1)!;
    sees.push({ field: field + (kernel - 1) * dilation * jump, jump: jump * stride });
  }
  const isAll = settings.layer > layers.length;
  const depths = isAll ? layers.map((_, i) => i + 1) : [settings.layer];
  for (const depth of depths) {
    // All weights the same: the gradient of one unit counts the ways on which each pixel reaches it.
    const picture: Tensor = ones([1, 1, SIDE, SIDE], { requiresGrad: true });
    let map: Tensor = picture;
    for (const { name, kernel, stride, dilation } of layers.slice(0, depth)) {
      if ((map.shape.at(-1) ?? 0) < dilation * (kernel - 1) + 1)
        throw new Error(`Layers: the map of ${SIDE} pixels is used up before layer ${depth}.`);
      const image = map.reshape([1, 1, map.shape[2], map.shape[3]]);
      map =
        name === 'pool'
          ? avgPool2d(image, kernel, { stride })
          : conv2d(
              image,
              tensor(new Float32Array(kernel * kernel).fill(1 / kernel ** 2), { shape: [1, 1, kernel, kernel] }),
              { stride, dilation },
            );
    }
    const middle = Math.floor((map.shape[2] - 1) / 2);
    map.select(2, middle).select(2, middle).sum().backward();
    const weights = Float32Array.from(await picture.grad!.data());
    const seen = Array.from({ length: SIDE }, (_, c) => weights.some((w, i) => i % SIDE === c && w !== 0));
    const [from, to] = [seen.indexOf(true), seen.lastIndexOf(true)];
    yield {
      values: {
        layer: depth,
        'receptive field': `${sees[depth].field} × ${sees[depth].field}`,
        'counted by gradients': `${to - from + 1} × ${to - from + 1}`,
        'pixels between neighbours': sees[depth].jump,
        map: `${map.shape[2]} × ${map.shape[3]}`,
      },
      weights,
      side: SIDE,
      from,
      to,
      layers,
      sees,
      depth,
    };
  }
}
