/** Entries, commitments and import envelopes: the lines of a school's log (FORMAT.md, section 5). */
import { b64, concat, hex, hmac256, same, sha256, text, unb64, utf8 } from './bytes.js';
import { must } from './errors.js';
import { leafHash } from './merkle.js';

export const ZERO = new Uint8Array(32);
export const IMPORT_TOPIC = 'transfer.fact-imported.v1';
const LABEL = 'astrack/entry/v1';
const COMMIT = utf8('astrack/commit/v1\0');
const KINDS = ['event', 'import', 'export', 'erasure', 'heads'];
const MAX_ENTRY = 512;
const MAX_NESTING = 16;
const MAX_NESTED = 8 << 20;

/** @typedef {{ kind: string, stream: Uint8Array, seq: number, prev: Uint8Array, commitment: Uint8Array }} Entry */
/** @typedef {{ origin: string, index: number, entry: Uint8Array, salt: Uint8Array, payload: Uint8Array }} Envelope */

/** @param {Uint8Array} salt @param {Uint8Array} payload @returns {Uint8Array} */
export const commitment = (salt, payload) => hmac256(salt, concat(COMMIT, payload));

/** @param {string} kind @param {Uint8Array} stream @param {number} seq @param {Uint8Array} prev @param {Uint8Array} committed */
export const entry = (kind, stream, seq, prev, committed) => utf8(`${LABEL}\n${kind}\n${b64(stream)}\n${seq}\n${b64(prev)}\n${b64(committed)}\n`);

/** The entry in these bytes; only the one exact encoding. @param {Uint8Array} data @returns {Entry} */
export function parseEntry(data) {
  must(data.length <= MAX_ENTRY, 'it is over the limit', 'entry');
  const lines = text(data, 'entry').split('\n');
  must(lines.length === 7 && lines[0] === LABEL && lines[6] === '' && KINDS.includes(lines[1]), 'it is not the encoding of an entry', 'entry');
  must(/^(0|[1-9][0-9]{0,15})$/.test(lines[3]), 'its number is not one', 'entry');
  const made = { kind: lines[1], stream: unb64(lines[2], 'entry'), seq: Number(lines[3]), prev: unb64(lines[4], 'entry', 32), commitment: unb64(lines[5], 'entry', 32) };
  const formed = made.stream.length >= 1 && made.stream.length <= 64 && Number.isSafeInteger(made.seq);
  must(formed && (made.seq === 0) === same(made.prev, ZERO), 'its stream, its number or its prev is not one', 'entry');
  return made;
}

/** @param {Uint8Array} data an entry @returns {Uint8Array} */
export const leaf = leafHash;

/** @param {string} origin @param {Uint8Array} stream @returns {string} the folder of a unit of evidence */
export const unitName = (origin, stream) => hex(sha256(utf8(`${origin}\n${b64(stream)}`))).slice(0, 32);

/** The envelope that a payload carries, or null. @param {Uint8Array} payload @returns {Envelope | null} */
export function imported(payload) {
  must(payload.length <= MAX_NESTED, 'it is over the limit', 'payload');
  /** @type {any} */
  let raw;
  try {
    raw = JSON.parse(text(payload, 'payload'));
  } catch {
    return null;
  }
  if (raw === null || typeof raw !== 'object' || raw.topic !== IMPORT_TOPIC) return null;
  const where = 'import envelope';
  const data = raw.data;
  must(data !== null && typeof data === 'object', 'it is empty', where);
  must(Object.keys(data).sort().join() === 'entry,index,origin,payload,salt', 'it has not exactly its five fields', where);
  const { origin, index } = data;
  must(typeof origin === 'string' && origin.length > 0 && origin.length <= 200, 'its origin is not one', where);
  must(Number.isSafeInteger(index) && index >= 0, 'its index is not one', where);
  const made = { origin, index, entry: unb64(data.entry, where), salt: unb64(data.salt, where, 32), payload: unb64(data.payload, where) };
  must(same(commitment(made.salt, made.payload), parseEntry(made.entry).commitment), 'its entry does not commit to its payload', where);
  return made;
}

/** The envelopes around a fact, outermost first. @param {Uint8Array} payload @returns {Envelope[]} */
export function nested(payload) {
  const found = [];
  for (let inner = imported(payload); inner !== null; inner = imported(inner.payload)) {
    must(found.length < MAX_NESTING, 'a fact passed through too many imports', 'import envelope');
    found.push(inner);
  }
  return found;
}
