// The exams in the order of their dates, then questions of the lectures.

import { endterm202008 } from './endterm-2020-08.js';
import { endterm202107 } from './endterm-2021-07.js';
import { endterm202202 } from './endterm-2022-02.js';
import { endterm202208 } from './endterm-2022-08.js';
import type { Exam } from './exercise.js';
import { lectures2to6 } from './lectures-2-6.js';
import { lectures7to12 } from './lectures-7-12.js';
import { lecturesFurther } from './lectures-further.js';
import { mock2020 } from './mock-2020.js';

export const EXAMS: readonly Exam[] = [
  mock2020,
  endterm202008,
  endterm202107,
  endterm202202,
  endterm202208,
  lectures2to6,
  lectures7to12,
  lecturesFurther,
];

export { questionOf } from './exercise.js';
