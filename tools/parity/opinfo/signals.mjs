// Fourier transforms and windows of signals: PyTorch's name → the call of nabla. Complex numbers are pairs [.., 2]; a real input in the
// place of a complex one becomes complex.

import * as n from 'nabla';
import { differs } from './samples.mjs';

/** PyTorch's -1 in a list of sizes is a size that stays. */
const several = ({ s, dim, norm }) => {
  if (s?.includes(-1)) return differs('-1 in s: leave it out');
  return { s, dim: typeof dim === 'number' ? [dim] : dim, norm };
};

const transforms = {
  fft: ({ input, n: size, dim, norm }) => n.fft(n.complex(input), { n: size, dim, norm }),
  ifft: ({ input, n: size, dim, norm }) => n.ifft(n.complex(input), { n: size, dim, norm }),
  rfft: ({ input, n: size, dim, norm }) => n.rfft(input, { n: size, dim, norm }),
  irfft: ({ input, n: size, dim, norm }) => n.irfft(n.complex(input), { n: size, dim, norm }),
  hfft: ({ input, n: size, dim, norm }) => n.hfft(n.complex(input), { n: size, dim, norm }),
  ihfft: ({ input, n: size, dim, norm }) => n.ihfft(input, { n: size, dim, norm }),
  fft2: ({ input, s, dim, norm }) => n.fft2(n.complex(input), several({ s, dim, norm })),
  ifft2: ({ input, s, dim, norm }) => n.ifft2(n.complex(input), several({ s, dim, norm })),
  fftn: ({ input, s, dim, norm }) => n.fftn(n.complex(input), several({ s, dim, norm })),
  ifftn: ({ input, s, dim, norm }) => n.ifftn(n.complex(input), several({ s, dim, norm })),
  rfft2: ({ input, s, dim, norm }) => n.rfft2(input, several({ s, dim, norm })),
  irfft2: ({ input, s, dim, norm }) => n.irfft2(n.complex(input), several({ s, dim, norm })),
  rfftn: ({ input, s, dim, norm }) => n.rfftn(input, several({ s, dim, norm })),
  irfftn: ({ input, s, dim, norm }) => n.irfftn(n.complex(input), several({ s, dim, norm })),
  hfft2: ({ input, s, dim, norm }) => n.hfft2(n.complex(input), several({ s, dim, norm })),
  ihfft2: ({ input, s, dim, norm }) => n.ihfft2(input, several({ s, dim, norm })),
  hfftn: ({ input, s, dim, norm }) => n.hfftn(n.complex(input), several({ s, dim, norm })),
  ihfftn: ({ input, s, dim, norm }) => n.ihfftn(input, several({ s, dim, norm })),
  fftshift: ({ input, dim }) => n.fftshift(input, dim),
  ifftshift: ({ input, dim }) => n.ifftshift(input, dim),
};

const spectra = {
  stft: ({ input, nFft, hopLength, winLength, window, center, padMode, normalized, onesided, returnComplex }) => {
    const options = { hopLength, winLength, window, center, padMode, normalized };
    return n.stft(input, nFft, { ...options, onesided: returnComplex === undefined ? undefined : onesided });
  },
  istft: ({ input, nFft, hopLength, winLength, window, center, normalized, onesided, length }) =>
    n.istft(input, nFft, { hopLength, winLength, window, center, normalized, onesided, length }),
};

const windows = {
  bartlett: ({ M, sym, dtype }) => n.bartlettWindow(M, { periodic: sym === false, dtype }),
  blackman: ({ M, sym, dtype }) => n.blackmanWindow(M, { periodic: sym === false, dtype }),
  cosine: ({ M, sym, dtype }) => n.cosineWindow(M, { periodic: sym === false, dtype }),
  exponential: ({ M, center, tau, sym, dtype }) =>
    n.exponentialWindow(M, { center, tau, periodic: sym === false, dtype }),
  gaussian: ({ M, std, sym, dtype }) => n.gaussianWindow(M, { std, periodic: sym === false, dtype }),
  general_cosine: ({ M, a, sym, dtype }) => n.generalCosineWindow(M, a, { periodic: sym === false, dtype }),
  general_hamming: ({ M, alpha, sym, dtype }) => n.generalHammingWindow(M, { alpha, periodic: sym === false, dtype }),
  hamming: ({ M, alpha, sym, dtype }) => n.hammingWindow(M, { alpha, periodic: sym === false, dtype }),
  hann: ({ M, sym, dtype }) => n.hannWindow(M, { periodic: sym === false, dtype }),
  kaiser: ({ M, beta, sym, dtype }) => n.kaiserWindow(M, { beta, periodic: sym === false, dtype }),
  nuttall: ({ M, sym, dtype }) => n.nuttallWindow(M, { periodic: sym === false, dtype }),
};

const within = (prefix, rows) => Object.fromEntries(Object.entries(rows).map(([name, call]) => [prefix + name, call]));

export const SIGNALS = { ...within('fft.', transforms), ...spectra, ...within('signal.windows.', windows) };
