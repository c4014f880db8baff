/** Bytes and texts: the one form of each, as the format writes them. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { must, Refused } from './errors.js';

export { sha256 };

const ENCODER = new TextEncoder();
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map([...LETTERS].map((letter, value) => [letter.charCodeAt(0), value]));

/** @param {string} text @returns {Uint8Array} its UTF-8 */
export const utf8 = (text) => ENCODER.encode(text);

/** The text of UTF-8 bytes. @param {Uint8Array} data @param {string} where @returns {string} @throws {Refused} */
export function text(data, where) {
  try {
    return STRICT.decode(data);
  } catch {
    throw new Refused('it is not UTF-8 text', where);
  }
}

/** @param {Uint8Array} data @returns {string} lower-case hexadecimal */
export const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param {string} digits @returns {Uint8Array} the bytes of hexadecimal digits */
export const unhex = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {Uint8Array} data @returns {string} standard base64 with padding */
export function b64(data) {
  let made = '';
  for (let at = 0; at < data.length; at += 3) {
    const [a, b, c] = [data[at], data[at + 1], data[at + 2]];
    made += LETTERS[a >> 2] + LETTERS[((a & 3) << 4) | ((b ?? 0) >> 4)];
    made += b === undefined ? '=' : LETTERS[((b & 15) << 2) | ((c ?? 0) >> 6)];
    made += c === undefined ? '=' : LETTERS[c & 63];
  }
  return made;
}

/**
 * The bytes of canonical base64. @param {unknown} given @param {string} where @param {number} [size] in bytes
 * @returns {Uint8Array} @throws {Refused}
 */
export function unb64(given, where, size) {
  must(typeof given === 'string' && given.length % 4 === 0, 'it is not base64', where);
  const padded = given.endsWith('==') ? 2 : given.endsWith('=') ? 1 : 0;
  const made = new Uint8Array((given.length / 4) * 3 - padded);
  for (let at = 0, to = 0; at < given.length; at += 4) {
    let four = 0;
    for (let place = 0; place < 4; place += 1) {
      const filling = at + place >= given.length - padded;
      const value = filling ? 0 : VALUES.get(given.charCodeAt(at + place));
      must(value !== undefined, 'it is not base64', where);
      four = (four << 6) | value;
    }
    for (let shift = 16; shift >= 0 && to < made.length; shift -= 8) made[to++] = (four >> shift) & 255;
  }
  const last = given.length - padded - 1;
  const spare = padded === 2 ? 15 : padded === 1 ? 3 : 0;
  must(!padded || ((VALUES.get(given.charCodeAt(last)) ?? 0) & spare) === 0, 'it is not canonical base64', where);
  must(size === undefined || made.length === size, `it is not ${size} bytes`, where);
  return made;
}

/** @param {...Uint8Array} parts @returns {Uint8Array} all of them, one after the other */
export function concat(...parts) {
  const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

/** @param {Uint8Array} a @param {Uint8Array} b @returns {boolean} whether they are the same bytes */
export const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

/** @param {Uint8Array} a @param {Uint8Array} b @returns {number} their order, byte by byte */
export function compare(a, b) {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) if (a[at] !== b[at]) return a[at] - b[at];
  return a.length - b.length;
}

/** @param {Uint8Array} key @param {Uint8Array} message @returns {Uint8Array} HMAC-SHA256 */
export const hmac256 = (key, message) => hmac(sha256, key, message);

/** SHA-256 by the browser itself, for large members. @param {Uint8Array} data @returns {Promise<string>} 64 digits */
export async function digest(data) {
  return hex(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (data))));
}

/** @param {number} value @param {number} size @returns {Uint8Array} big-endian */
export function bigEndian(value, size) {
  const made = new Uint8Array(size);
  let left = BigInt(value);
  for (let at = size - 1; at >= 0; at -= 1) {
    made[at] = Number(left & 255n);
    left >>= 8n;
  }
  return made;
}
