/** The inner tar (FORMAT.md, section 3): one encoding for one content, so every header is compared with the one made. */
import { concat, same, utf8 } from './bytes.js';
import { must } from './errors.js';

const BLOCK = 512;
const MAX_MEMBERS = 4096;
const MEBI = 1 << 20;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}$/;
const ORDER = ['manifest.json', 'manifest.note', 'events.jsonl', 'heads.jsonl', 'entries.txt', 'identity.json',
  'evidence/', 'instruments/', 'schemas/', 'actors.json', 'ctf/', 'credential.json', 'attachments/', 'README.txt'];
/** @type {Record<string, number>} */
const CAPS = { 'manifest.json': 4 * MEBI, 'manifest.note': MEBI >> 4, 'events.jsonl': 256 * MEBI, 'attachments/': 1024 * MEBI };
const CAP = 64 * MEBI;
const PADDING = 'padding';

/** @param {string} name @returns {number} the place of its kind in the archive */
export function rank(name) {
  if (name === PADDING) return ORDER.length + 1;
  const folder = `${name.split('/')[0]}/`;
  const place = ORDER.findIndex((known) => known === name || known === folder);
  return place < 0 ? ORDER.length : place;
}

/** @param {string} a @param {string} b @returns {number} the order of two names in the archive */
export const inOrder = (a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);

/** @param {string} name @returns {string} @throws {import('./errors.js').Refused} */
export function checkName(name) {
  must(name.length <= 100 && NAME.test(name), 'its name is not one the format allows', `member '${name.slice(0, 100)}'`);
  return name;
}

/** @param {string} name @param {number} size in bytes @returns {Uint8Array} the one ustar header */
export function header(name, size) {
  const made = new Uint8Array(BLOCK);
  const put = (/** @type {string} */ text, /** @type {number} */ at) => made.set(utf8(text), at);
  put(checkName(name), 0);
  put('0000644\0' + '0000000\0' + '0000000\0', 100);
  put(`${size.toString(8).padStart(11, '0')}\0` + '00000000000\0' + ' '.repeat(8) + '0', 124);
  put('ustar\0' + '00', 257);
  put('0000000\0' + '0000000\0', 329);
  put(`${made.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, 148);
  return made;
}

const filled = (/** @type {number} */ size) => Math.ceil(size / BLOCK) * BLOCK;

/** How many zeros the padding holds: Padmé (Nikitin and others 2019, section 4). @param {number} total bytes before it */
export function paddingSize(total) {
  const plain = total + 3 * BLOCK;
  const exponent = Math.floor(Math.log2(plain));
  const bits = Math.floor(Math.log2(exponent)) + 1;
  const step = Math.max(2 ** (exponent - bits), BLOCK);
  return Math.ceil(plain / step) * step - plain;
}

/**
 * The members of an archive, in their order. @param {Uint8Array} data @returns {Map<string, Uint8Array>}
 * @throws {import('./errors.js').Refused}
 */
export function readTar(data) {
  const found = new Map();
  const lower = new Set();
  let [at, last] = [0, ''];
  for (;;) {
    must(at + BLOCK <= data.length, 'it is cut short', 'archive');
    const block = data.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) break;
    const { name, size } = headerOf(block);
    must(!lower.has(name.toLowerCase()), 'it is there twice', `member ${name}`);
    must(!last || inOrder(last, name) < 0, 'it is not in its place', `member ${name}`);
    must(last !== PADDING && found.size < MAX_MEMBERS, 'there are too many members, or one after the padding', 'archive');
    if (name === PADDING) must(size === paddingSize(at), 'it is not as long as the format makes it', PADDING);
    else must(size <= (CAPS[name] ?? CAPS[`${name.split('/')[0]}/`] ?? CAP), `${size} bytes are over the limit`, name);
    must(at + BLOCK + filled(size) <= data.length, 'it is cut short', `member ${name}`);
    const content = data.subarray(at + BLOCK, at + BLOCK + size);
    const filling = data.subarray(at + BLOCK + size, at + BLOCK + filled(size));
    must(filling.every((byte) => byte === 0), 'the filling after it is not zeros', `member ${name}`);
    must(name !== PADDING || content.every((byte) => byte === 0), 'it is not zeros', PADDING);
    lower.add(name.toLowerCase());
    found.set(name, content);
    last = name;
    at += BLOCK + filled(size);
  }
  must(last === PADDING, 'there is no padding at its end', 'archive');
  const end = data.subarray(at);
  must(end.length === 2 * BLOCK && end.every((byte) => byte === 0), 'it does not end with just two empty blocks', 'archive');
  found.delete(PADDING);
  return found;
}

/** @param {Uint8Array} block @returns {{ name: string, size: number }} */
function headerOf(block) {
  const ascii = (/** @type {number} */ from, /** @type {number} */ to) => String.fromCharCode(...block.subarray(from, to));
  const name = checkName(ascii(0, 100).replace(/\0+$/, ''));
  const digits = ascii(124, 135);
  must(/^[0-7]{11}$/.test(digits), 'a header has no size', 'archive');
  const size = parseInt(digits, 8);
  must(same(header(name, size), block), 'its header is not the one the format prescribes', `member ${name}`);
  return { name, size };
}

/** The archive of these members, sorted and padded. @param {Map<string, Uint8Array>} members @returns {Uint8Array} */
export function writeTar(members) {
  const parts = [];
  let total = 0;
  for (const name of [...members.keys()].sort(inOrder)) {
    const content = /** @type {Uint8Array} */ (members.get(name));
    parts.push(header(name, content.length), content, new Uint8Array(filled(content.length) - content.length));
    total += BLOCK + filled(content.length);
  }
  const size = paddingSize(total);
  return concat(...parts, header(PADDING, size), new Uint8Array(filled(size)), new Uint8Array(2 * BLOCK));
}
