// The best way to give each row of a table a column of its own (Kuhn 1955), by shortest augmenting paths with prices (Jonker and Volgenant 1987).
// Costs in, columns out; O(rows² · columns). Must not know: what is assigned.

/**
 * For each row its column, so that the sum of the costs is the least there is; −1 where there are more rows than columns. `costs` are rows ×
 * columns, all finite. SciPy: linear_sum_assignment.
 */
export function assignRows(costs: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (rows > columns) {
    const turned = Float64Array.from(
      { length: rows * columns },
      (_, i) => costs[(i % rows) * columns + Math.floor(i / rows)],
    );
    const found = new Int32Array(rows).fill(-1);
    assignRows(turned, columns, rows).forEach((row, column) => (found[row] = column));
    return found;
  }
  const [rowPrice, columnPrice] = [new Float64Array(rows), new Float64Array(columns)];
  const rowOf = new Int32Array(columns).fill(-1);
  for (let start = 0; start < rows; start++) {
    // from the new row over columns that are taken, each to its row, to one that is free
    const distance = new Float64Array(columns).fill(Infinity);
    const before = new Int32Array(columns).fill(-1);
    const isDone = new Uint8Array(columns);
    let [row, last, reached] = [start, -1, 0];
    for (;;) {
      let [next, least] = [-1, Infinity];
      for (let column = 0; column < columns; column++) {
        if (isDone[column] === 1) continue;
        const through = reached + costs[row * columns + column] - rowPrice[row] - columnPrice[column];
        if (through < distance[column]) {
          distance[column] = through;
          before[column] = last;
        }
        if (distance[column] < least) [next, least] = [column, distance[column]];
      }
      isDone[next] = 1;
      [last, reached] = [next, least];
      if (rowOf[next] < 0) break;
      row = rowOf[next];
    }
    rowPrice[start] += reached;
    for (let column = 0; column < columns; column++) {
      if (isDone[column] === 0 || column === last) continue;
      columnPrice[column] += distance[column] - reached;
      rowPrice[rowOf[column]] += reached - distance[column];
    }
    for (let column = last; column >= 0; column = before[column])
      rowOf[column] = before[column] < 0 ? start : rowOf[before[column]];
  }
  const found = new Int32Array(rows).fill(-1);
  rowOf.forEach((row, column) => {
    if (row >= 0) found[row] = column;
  });
  return found;
}
