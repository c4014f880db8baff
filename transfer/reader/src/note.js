/** Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature): parsed, checked and signed. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { ml_dsa44, ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { b64, bigEndian, concat, hex, same, sha256, text, unb64, utf8 } from './bytes.js';
import { must } from './errors.js';

const MAX_NOTE = 1 << 20;
const MAX_SIGNATURES = 64;
const DASH = '\u2014 ';
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
const STAMP = 8;

/**
 * @typedef {{ name: string, label: Uint8Array, publicBytes: number, signatureBytes: number, timed: boolean,
 *   verify: (signature: Uint8Array, message: Uint8Array, key: Uint8Array) => boolean,
 *   keys: (seed: Uint8Array) => { publicKey: Uint8Array, sign: (message: Uint8Array) => Uint8Array } }} Kind
 * @typedef {{ name: string, id: string, data: Uint8Array }} Signature
 * @typedef {{ text: string, signatures: Signature[] }} Note
 * @typedef {{ name: string, kind: Kind, public: Uint8Array, id: string }} Verifier
 * @typedef {{ verifier: Verifier, sign: (message: Uint8Array) => Uint8Array }} Signer
 * @typedef {{ origin: string, size: number, root: Uint8Array }} Checkpoint
 */

const edKeys = (/** @type {Uint8Array} */ seed) => (
  { publicKey: ed25519.getPublicKey(seed), sign: (/** @type {Uint8Array} */ message) => ed25519.sign(message, seed) });
const edVerify = (/** @type {Uint8Array} */ s, /** @type {Uint8Array} */ m, /** @type {Uint8Array} */ k) => (
  ed25519.verify(s, m, k, { zip215: false }));
const pq = (/** @type {typeof ml_dsa44} */ scheme) => ({
  verify: (/** @type {Uint8Array} */ s, /** @type {Uint8Array} */ m, /** @type {Uint8Array} */ k) => scheme.verify(s, m, k),
  keys: (/** @type {Uint8Array} */ seed) => {
    const pair = scheme.keygen(seed);
    return { publicKey: pair.publicKey, sign: (/** @type {Uint8Array} */ m) => scheme.sign(m, pair.secretKey) };
  },
});

/** @type {Record<string, Kind>} */
export const KINDS = {
  ED25519: { name: 'ED25519', label: Uint8Array.of(1), publicBytes: 32, signatureBytes: 64, timed: false, verify: edVerify, keys: edKeys },
  COSIGNATURE: { name: 'COSIGNATURE', label: Uint8Array.of(4), publicBytes: 32, signatureBytes: 64, timed: true, verify: edVerify, keys: edKeys },
  ML_DSA_44: { name: 'ML_DSA_44', label: Uint8Array.of(6), publicBytes: 1312, signatureBytes: 2420, timed: true, ...pq(ml_dsa44) },
  ML_DSA_65: { name: 'ML_DSA_65', label: concat(Uint8Array.of(255), utf8('astrack/ml-dsa-65')), publicBytes: 1952, signatureBytes: 3309, timed: false, ...pq(ml_dsa65) },
};

/** @param {string} name @returns {string} */
function keyName(name) {
  must(/^[^\s+\x00-\x20]+$/u.test(name) && utf8(name).length <= 255, 'a key name is not one', 'signed note');
  return name;
}

/** @param {Uint8Array} data @param {string} [where] @returns {Note} none of its signatures checked yet */
export function parseNote(data, where = 'signed note') {
  must(data.length <= MAX_NOTE, 'it is over the limit', where);
  const whole = text(data, where);
  const blank = whole.lastIndexOf('\n\n');
  const lines = whole.slice(blank + 2).split('\n');
  must(blank >= 0 && lines.pop() === '' && lines.length > 0 && !CONTROL.test(whole), 'it is not text, an empty line and signature lines', where);
  must(lines.length <= MAX_SIGNATURES, 'it has too many signatures', where);
  return { text: whole.slice(0, blank + 1), signatures: lines.map((line) => signatureOf(line, where)) };
}

/** @param {string} line @param {string} where @returns {Signature} */
function signatureOf(line, where) {
  const parts = line.split(' ');
  must(parts.length === 3 && `${parts[0]} ` === DASH, 'a signature line is a dash, a key name and base64', where);
  const data = unb64(parts[2], where);
  must(data.length >= 5, 'a signature line is too short', where);
  return { name: keyName(parts[1]), id: hex(data.subarray(0, 4)), data: data.subarray(4) };
}

/** @param {string} name @param {Kind} kind @param {Uint8Array} key @returns {Verifier} */
export function verifier(name, kind, key) {
  must(key.length === kind.publicBytes, `a ${kind.name} key has ${kind.publicBytes} bytes`, name);
  const id = hex(sha256(concat(utf8(keyName(name)), utf8('\n'), kind.label, key)).subarray(0, 4));
  return { name, kind, public: key, id };
}

/** @param {Verifier} key @returns {string} name+id+base64 (signed-note, Verifier keys) */
export const vkey = (key) => `${key.name}+${key.id}+${b64(concat(key.kind.label, key.public))}`;

/** @param {string} given @returns {Verifier} */
export function parseVkey(given) {
  must(given.length <= 4096, 'it is too long', 'verifier key');
  const [name, , ...rest] = given.split('+');
  const data = unb64(rest.join('+'), 'verifier key');
  const kind = Object.values(KINDS).find((one) => same(data.subarray(0, one.label.length), one.label));
  must(kind, 'it is of no known type', 'verifier key');
  const made = verifier(name, kind, data.subarray(kind.label.length));
  must(vkey(made) === given, 'it is not name+id+key', 'verifier key');
  return made;
}

/** @param {Verifier} key @param {string} signed @param {number | null} stamp @returns {Uint8Array} what its type signs */
function message(key, signed, stamp) {
  if (stamp === null) return utf8(signed);
  if (key.kind === KINDS.COSIGNATURE) return utf8(`cosignature/v1\ntime ${stamp}\n${signed}`);
  const head = parseCheckpoint(signed);
  const [name, origin] = [utf8(key.name), utf8(head.origin)];
  return concat(utf8('subtree/v1\n\0'), bigEndian(name.length, 1), name, bigEndian(stamp, 8), bigEndian(origin.length, 1),
    origin, bigEndian(0, 8), bigEndian(head.size, 8), head.root);
}

/** @param {Verifier} key @param {string} signed @param {Signature} given @returns {number | null} its time, Unix seconds */
function check(key, signed, given) {
  const timed = key.kind.timed;
  const stamp = timed ? Number(given.data.subarray(0, STAMP).reduce((sum, byte) => sum * 256 + byte, 0)) : null;
  const body = timed ? given.data.subarray(STAMP) : given.data;
  const formed = body.length === key.kind.signatureBytes && (stamp === null || (stamp > 0 && Number.isSafeInteger(stamp)));
  let good = false;
  try {
    good = formed && key.kind.verify(body, message(key, signed, stamp), key.public);
  } catch {
    good = false; // a key or signature that is no point of the curve
  }
  must(good, `the ${key.kind.name} signature is not over this text`, key.name);
  return stamp;
}

/** Which of the known keys signed. @param {Note} note @param {Verifier[]} known @returns {Map<Verifier, number | null>} */
export function verifyNote(note, known) {
  const found = new Map();
  for (const given of note.signatures) {
    const key = known.find((one) => one.name === given.name && one.id === given.id);
    if (!key) continue;
    must(!found.has(key), 'the same key signed twice', key.name);
    found.set(key, check(key, note.text, given));
  }
  return found;
}

/** As `verifyNote`, and every one must have signed. @param {Note} note @param {Verifier[]} keys @param {string} where */
export function requireAll(note, keys, where) {
  const found = verifyNote(note, keys);
  must(keys.length > 0 && keys.every((key) => found.has(key)), 'a required signature is missing', where);
  return found;
}

/** Just these keys, one of each kind, and nobody else. @param {Note} note @param {Verifier[]} keys @param {Kind[]} kinds @param {string} where */
export function requireExactly(note, keys, kinds, where) {
  const names = (/** @type {Kind[]} */ some) => some.map((kind) => kind.name).sort().join();
  must(names(keys.map((key) => key.kind)) === names(kinds), 'the key document has not one key of each kind', where);
  requireAll(note, keys, where);
  must(note.signatures.length === keys.length, 'somebody signed who has no place here', where);
}

/** @param {string} signed @returns {Checkpoint} @throws {import('./errors.js').Refused} */
export function parseCheckpoint(signed) {
  const lines = signed.split('\n');
  const formed = lines.length === 4 && lines[3] === '' && utf8(lines[0]).length > 0 && utf8(lines[0]).length <= 255;
  must(formed, 'it is not an origin, a size and a root', 'checkpoint');
  const size = /^(0|[1-9][0-9]{0,15})$/.test(lines[1]) ? Number(lines[1]) : NaN;
  must(Number.isSafeInteger(size), 'its size is not one', 'checkpoint');
  return { origin: lines[0], size, root: unb64(lines[2], 'checkpoint', 32) };
}

/** @param {string} name @param {Kind} kind @param {Uint8Array} seed 32 secret bytes @returns {Signer} */
export function signer(name, kind, seed) {
  const { publicKey, sign } = kind.keys(seed);
  return { verifier: verifier(name, kind, publicKey), sign };
}

/** A note of `signed`, a line for each signer. @param {string} signed @param {Signer[]} signers @param {number} at Unix seconds */
export function signNote(signed, signers, at) {
  const lines = signers.map(({ verifier: key, sign }) => {
    const stamp = key.kind.timed ? at : null;
    const head = stamp === null ? new Uint8Array() : bigEndian(stamp, STAMP);
    const id = Uint8Array.from(key.id.match(/../g) ?? [], (pair) => parseInt(pair, 16));
    return `${DASH}${key.name} ${b64(concat(id, head, sign(message(key, signed, stamp))))}\n`;
  });
  return utf8(`${signed}\n${lines.join('')}`);
}
