// Text broken into lines that fit. Pure: text in, lines out.

/** Lines of at most `columns` characters; the rest of a line is indented as its beginning, and a little more. */
export function wrapped(text: string, columns: number): string[] {
  const indent = ' '.repeat(text.length - text.trimStart().length);
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = isFirst ? `${line}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Text of at most `columns` characters a line, indented by two. */
export function paragraph(text: string, columns: number): string[] {
  return wrapped(text, columns - 2).map((line) => `  ${line.trimStart()}`);
}
