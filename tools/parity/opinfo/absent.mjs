// Operators of PyTorch that nabla does not have, and why.

const COMPLEX = 'complex numbers';
const PAIRS = 'samples of complex numbers alone, which are pairs here: istft and imag have tests of their own';
const LINALG = 'deprecated, or packed as LAPACK has it: qr, lu, ldl, svd, eigh and solve of nabla/linalg';
const EIG =
  'PyTorch refuses the gradient of eigenvectors whose factors are left open: eig of nabla/linalg has its own tests';
const SPARSE = 'sparse tensors';
const MEMORY = 'memory that is not initialised, or seen through strides: tensors are values';
const INTERNAL = 'internal to PyTorch';
const RARE = 'rarely used in deep learning';

/** Names, or beginnings of names with a star behind. */
const REASONS = [
  [COMPLEX, 'cdouble cfloat chalf'],
  [PAIRS, 'istft imag view_as_real view_as_complex'],
  ['dtypes of other widths: int32, uint8', 'char short'],
  [
    LINALG,
    'geqrf lu_unpack ormqr svd_lowrank pca_lowrank linalg.ldl_factor linalg.ldl_factor_ex linalg.ldl_solve linalg.matrix_sqrth linalg.polar',
  ],
  [EIG, 'linalg.eig'],
  [SPARSE, 'sparse.* to_sparse'],
  [
    MEMORY,
    `as_strided as_strided_copy as_strided_scatter as_strided_partial_views empty empty_like empty_permuted empty_strided new_empty
    new_empty_strided resize_ resize_as_`,
  ],
  ['kernels written in CUDA', 'jiterator_*'],
  [
    INTERNAL,
    `_* native_* torch._* torch.ops.* max_pool2d_with_indices_backward grid_sampler_2d grid_sampler_3d
    nn.functional.linear_cross_entropy hash_tensor nonzero_static`,
  ],
  ['torch.masked is a prototype: where and maskedFill', 'masked.*'],
  [RARE, 'special.*'],
];

const table = REASONS.flatMap(([reason, names]) => names.split(/\s+/).map((name) => [name, reason]));

export function absentReason(name) {
  const exact = table.find(([given]) => given === name);
  const found = exact ?? table.find(([given]) => given.endsWith('*') && name.startsWith(given.slice(0, -1)));
  return found?.[1] ?? 'not there yet';
}
