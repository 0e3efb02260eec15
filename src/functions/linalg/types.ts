// Shapes of results: those of matrices [..., m, n] without their rows and columns.

/** The batch dimensions of matrices. */
export type BatchShape<S> = S extends readonly [...infer B extends number[], number, number] ? B : number[];
