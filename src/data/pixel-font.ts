// Letters of 3 × 5 pixels for labels in pictures: capitals, digits and some signs. Text in, pixels set by a callback out.
// Must not know: images.

/** Each letter with its five rows from top to bottom, octal digits whose bits are the three pixels. */
const GLYPHS = `
  075557 126227 271747 371717 455711 574717 674757 771122 875757 975717 A25755 B65656 C34443 D65556 E74647 F74644 G34553
  H55755 I72227 J11152 K55655 L44447 M57755 N65555 O25552 P65644 Q25563 R65655 S34216 T72222 U55557 V55552 W55775 X55255
  Y55222 Z71247 .00002 ,00024 -00700 +02720 :02020 /11244 =07070 %51245 (12221 )42224 _00007 ×05250 °25200 ?61202 !22202
  #57575 '22000`;

const LETTERS = new Map(
  GLYPHS.trim()
    .split(/\s+/)
    .map((glyph) => [glyph[0], glyph.slice(1)]),
);
LETTERS.set(' ', '00000');

/** Height of a letter. */
export const LETTER_HEIGHT = 5;

/** Width of a text: three pixels a letter and one between. */
export function textWidth(text: string): number {
  return Math.max(4 * [...text].length - 1, 0);
}

/** Calls `set(x, y)` for every pixel of the text; small letters become capitals, unknown ones question marks. */
export function drawText(text: string, set: (x: number, y: number) => void): void {
  [...text.toUpperCase()].forEach((letter, position) => {
    const rows = LETTERS.get(letter) ?? LETTERS.get('?') ?? '';
    for (let y = 0; y < LETTER_HEIGHT; y++) {
      for (let x = 0; x < 3; x++) if ((Number(rows[y]) >> (2 - x)) & 1) set(4 * position + x, y);
    }
  });
}
