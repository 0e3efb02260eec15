// The script of every page: light and dark, search, and threads where the host sends no headers for them.

import { isolate } from './isolation.js';
import { openSearch } from './search.js';
import { followTheme } from './theme.js';

const root = new URL('.', import.meta.url);
void isolate(root);
followTheme();
openSearch(root);
