// Tiny Shakespeare: 1.1 MB of plays for character models, collected by A. Karpathy (char-rnn, MIT licence); the text is in
// the public domain.

import { checkOptions } from '../../tensor/library.js';
import { readText } from '../read.js';
import { locate, namesOf, type RemoteFile, SET_OPTIONS, type SetOptions } from './files.js';

/** What is published; tests put a size and a digest of their own here. */
export const SHAKESPEARE: RemoteFile = {
  name: 'tinyshakespeare.txt',
  url: 'https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt',
  bytes: 1115394,
  sha256: '86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed',
};

/** The text, 1,115,394 characters of which 65 are different. Throws NablaError if the file is not there. */
export async function tinyShakespeare(options: SetOptions = {}): Promise<string> {
  checkOptions('tinyShakespeare', options, SET_OPTIONS);
  const layouts = [{ text: namesOf(SHAKESPEARE.name, 'text') }];
  const { paths } = await locate({ name: 'tinyshakespeare', call: 'tinyShakespeare', layouts }, [SHAKESPEARE], options);
  return readText(paths['text']);
}
