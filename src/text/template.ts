// What stands around texts: the post-processor of a tokenizer.json.

/** A text, 'A' or 'B', or a special token; and the kind of tokens that it is of. */
export type Part = readonly [what: string, type: 0 | 1];

/** `single`: around one text; `pair`: around two. */
export function template(
  single: readonly Part[],
  pair: readonly Part[],
  idOf: (token: string) => number | undefined,
): object {
  const isText = (what: string): boolean => what === 'A' || what === 'B';
  const written = (parts: readonly Part[]): object[] =>
    parts.map(([id, type]) =>
      isText(id) ? { Sequence: { id, type_id: type } } : { SpecialToken: { id, type_id: type } },
    );
  const tokens = new Set([...single, ...pair].map(([what]) => what).filter((what) => !isText(what)));
  return {
    type: 'TemplateProcessing',
    single: written(single),
    pair: written(pair),
    special_tokens: Object.fromEntries(
      Array.from(tokens, (token) => [token, { id: token, ids: [idOf(token)], tokens: [token] }]),
    ),
  };
}
