// How sentences become tokens before n-grams are counted. BLEU depends on it, so that figures are comparable only under a
// tokenisation that all use: 13a is that of the WMT campaigns (NIST's mteval-v13a).

export type Tokenisation = '13a' | 'char' | 'none';

const ENTITIES: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/** Every ASCII sign stands alone, except a period or a comma between digits, an apostrophe, and a dash before other things. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/gu, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '],
  [/([.,])([^0-9])/gu, ' $1 $2'],
  [/([0-9])(-)/gu, '$1 $2 '],
];

/** What separates words: Unicode's white space with the four separators of ASCII, without the byte order mark. */
// oxlint-disable-next-line no-control-regex -- the separators of ASCII count
const SPACE = /[\t-\r\x1c-\x20\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

const words = (text: string) => text.split(SPACE).filter((word) => word !== '');

const TOKENISERS: Readonly<Record<Tokenisation, (text: string) => string[]>> = {
  none: words,
  char: (text) => [...text].filter((c) => words(c).length > 0),
  '13a': (text) => {
    let line = text.replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
    for (const [entity, sign] of ENTITIES) line = line.replaceAll(entity, sign);
    line = ` ${line} `;
    for (const [pattern, replacement] of RULES) line = line.replace(pattern, replacement);
    return words(line);
  },
};

export const TOKENISATIONS = Object.keys(TOKENISERS) as readonly Tokenisation[];

export function tokenize(text: string, how: Tokenisation): string[] {
  // From the end, sign by sign: a regular expression would try each run of blanks on the way there.
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1])) end--;
  return TOKENISERS[how](text.slice(0, end));
}
