// Grey of colours, alike wherever a picture is decoded: ITU-R 601 in whole numbers, Pillow's convert('L').

/** 0 to 255, of red, green and blue from 0 to 255. */
export const greyOf = (r: number, g: number, b: number): number => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
