// Keys of transformers' files as a model here has them: those of a body alone lack its name in front, those of a whole model have it, and older
// versions called some otherwise.
//   A model in, a function from key to key out. Must not know: files.

import type { Module } from '../../nn/index.js';

/** Buffers that older versions saved; they follow from the model's sizes. */
const FOLLOWS = /(^|\.)(attn\.(masked_)?bias|position_ids|rotary_emb\.inv_freq)$/;

/** What stands in front of a body's keys, in models with a head. */
const PREFIXES = ['transformer.', 'bert.', 'roberta.', 'distilbert.', 'electra.', 'model.', 'vit.'];

/** undefined for keys that nobody needs. */
export function renamed(
  model: Module,
  renames: readonly (readonly [RegExp, string])[] = [],
): (key: string) => string | undefined {
  const own = new Set(Object.keys(model.stateDict()));
  const present = (key: string): string => renames.reduce((name, [old, now]) => name.replace(old, now), key);
  return (key) => {
    // very old files call scale and shift gamma and beta
    const name = present(
      key.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias'),
    );
    if (own.has(name)) return name;
    if (FOLLOWS.test(name)) return undefined;
    const inside = PREFIXES.map((prefix) => prefix + name).find((longer) => own.has(longer));
    const outside = PREFIXES.filter((prefix) => name.startsWith(prefix)).map((prefix) => name.slice(prefix.length));
    return inside ?? outside.find((shorter) => own.has(shorter)) ?? name;
  };
}
