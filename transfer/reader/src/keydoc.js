/** Key documents: which keys speak for a school, and how far a reader knows them (FORMAT.md, section 4). */
import { scrypt } from '@noble/hashes/scrypt.js';
import WORDS from '../../words.txt';
import { concat, hex, sha256, text, unhex, utf8 } from './bytes.js';
import { canonical, Fields, load } from './canonical.js';
import { must } from './errors.js';
import { KINDS, parseNote, parseVkey, requireAll } from './note.js';

const LABEL = 'astrack/keys/v1';
const WHERE = 'key document';
const PURPOSES = /** @type {const} */ (['manifest', 'checkpoint', 'receipt']);
const DIGEST = /^[0-9a-f]{64}$/;
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const MAX_DOCUMENTS = 100;

/**
 * @typedef {import('./note.js').Verifier} Verifier
 * @typedef {{ purpose: string, verifiers: [Verifier, Verifier], keyId: string }} Pair
 * @typedef {{ serial: number, previous: string | null, issuedAt: string, origin: string, pairs: Pair[],
 *   school: { name: string, urn: string | null }, recipients: string[], revoked: { keyId: string, at: string }[],
 *   digest: string, note: import('./note.js').Note }} Document
 * @typedef {{ document: Document, how: 'pinned' | 'self-asserted', name: string }} Standing
 */

/** @param {'manifest' | 'checkpoint' | 'receipt'} purpose */
export const kindsOf = (purpose) => [KINDS.ED25519, purpose === 'checkpoint' ? KINDS.ML_DSA_44 : KINDS.ML_DSA_65];

/** @param {string} purpose @param {string} origin @returns {string} */
export const keyName = (purpose, origin) => (purpose === 'checkpoint' ? origin : `${origin}/${purpose}`);

/** @param {Document} document @param {string} purpose @returns {[Verifier, Verifier]} the pair that signs now */
export function newest(document, purpose) {
  const found = document.pairs.filter((pair) => pair.purpose === purpose).at(-1);
  must(found, 'a purpose has no key', WHERE);
  return found.verifiers;
}

/** The document in a note, signed by its own keys. @param {Uint8Array} data @returns {Document} @throws {import('./errors.js').Refused} */
export function openDocument(data) {
  const note = parseNote(data, WHERE);
  const [label, body, rest, ...more] = note.text.split('\n');
  must(label === LABEL && rest === '' && more.length === 0, 'it is malformed', WHERE);
  const value = load(utf8(body), WHERE);
  const made = { ...documentOf(new Fields(value, WHERE)), digest: hex(sha256(utf8(note.text))), note };
  must(note.text === `${LABEL}\n${canonical(value)}\n`, 'it is not in its one form', WHERE);
  requireAll(note, proving(made), WHERE);
  return made;
}

/** @param {Document} document @returns {Verifier[]} the keys that sign it, and the next */
const proving = (document) => [...newest(document, 'manifest'), ...newest(document, 'receipt')];

/** @param {Fields} fields @returns {Omit<Document, 'digest' | 'note'>} */
function documentOf(fields) {
  must(fields.text('format') === LABEL, 'its format is not known', WHERE);
  const school = fields.fields('school');
  const made = {
    serial: fields.number('serial'), previous: fields.maybe('previous'), issuedAt: fields.like('issued_at', INSTANT),
    origin: fields.like('origin', /^[!-*,-~]{1,200}$/),
    school: { name: school.text('name'), urn: school.maybe('urn'), lea: school.maybe('lea'), estab: school.maybe('estab') },
    recipients: fields.items('recipients', 16).map((one) => recipient(new Fields(one, WHERE))),
    pairs: fields.items('signing', 32).map((one) => pair(new Fields(one, WHERE))),
    revoked: fields.items('revoked', 64).map((one) => revocation(new Fields(one, WHERE))),
  };
  school.done();
  fields.done();
  check(made);
  return made;
}

/** @param {Omit<Document, 'digest' | 'note'>} made */
function check(made) {
  must(made.serial >= 1 && (made.serial === 1) === (made.previous === null), 'only the first has none before it', WHERE);
  must(made.previous === null || DIGEST.test(made.previous), 'it names nothing before it', WHERE);
  const publics = new Set();
  for (const { purpose, verifiers } of made.pairs) {
    verifiers.forEach((key, at) => {
      const right = key.name === keyName(purpose, made.origin) && key.kind === kindsOf(/** @type {any} */ (purpose))[at];
      must(right, 'a key has not the name and kind of its purpose', WHERE);
      publics.add(hex(key.public));
    });
  }
  must(publics.size === made.pairs.length * 2, 'a key stands twice', WHERE);
  for (const purpose of PURPOSES) {
    const found = made.pairs.filter((one) => one.purpose === purpose).at(-1);
    must(found && !made.revoked.some((one) => one.keyId === found.keyId && one.at <= made.issuedAt),
      'the newest key of a purpose is missing or revoked', WHERE);
  }
}

/** @param {Fields} fields */
function dated(fields) {
  must(fields.like('valid_from', INSTANT) < fields.like('valid_until', INSTANT), 'a key ends before it begins', WHERE);
}

/** @param {Fields} fields @returns {string} */
function recipient(fields) {
  dated(fields);
  const made = fields.text('recipient', 4096);
  fields.done();
  return made;
}

/** @param {Fields} fields @returns {Pair} */
function pair(fields) {
  dated(fields);
  const purpose = fields.oneOf('purpose', PURPOSES);
  const verifiers = /** @type {[Verifier, Verifier]} */ ([parseVkey(fields.text('ed25519', 4096)), parseVkey(fields.text('ml_dsa', 4096))]);
  fields.done();
  return { purpose, verifiers, keyId: hex(sha256(concat(...verifiers.map((key) => key.public)))) };
}

/** @param {Fields} fields */
function revocation(fields) {
  const made = { keyId: fields.like('key_id', DIGEST), at: fields.like('at', INSTANT) };
  fields.done();
  return made;
}

/** Each follows the one before it, signed by its keys, and forgets no revocation. @param {Document[]} run */
export function checkChain(run) {
  run.slice(1).forEach((after, at) => {
    const before = run[at];
    const chained = after.serial === before.serial + 1 && after.previous === before.digest && after.origin === before.origin;
    must(chained && after.issuedAt >= before.issuedAt, `it does not follow document ${before.serial}`, WHERE);
    const kept = before.revoked.every((one) => after.revoked.some((each) => each.keyId === one.keyId && each.at <= one.at));
    must(kept, 'it forgets that a key was revoked', WHERE);
    requireAll(after.note, proving(before), WHERE);
  });
}

/** All the documents of a school in one file, oldest first. @param {Uint8Array} data @returns {Document[]} */
export function openDocuments(data) {
  const parts = text(data, WHERE).split(new RegExp(`^(?=${LABEL}\n)`, 'm'));
  must(parts.length <= MAX_DOCUMENTS, 'there are too many', WHERE);
  const run = parts.map((one) => openDocument(utf8(one)));
  checkChain(run);
  return run;
}

/**
 * How the newest of these documents is known. @param {string} origin @param {Uint8Array[]} notes
 * @param {Document[][]} trusted runs of documents that the reader knows to be theirs @returns {Standing}
 */
export function judge(origin, notes, trusted) {
  must(notes.length > 0 && notes.length <= MAX_DOCUMENTS, 'there are not 1 to 100 key documents', `the log ${origin}`);
  const theirs = notes.map(openDocument);
  checkChain(theirs);
  const document = theirs[theirs.length - 1];
  must(document.origin === origin, 'it is of another log', `the log ${origin}`);
  const ours = trusted.find((run) => run[0].origin === origin);
  const known = ours !== undefined && linked(ours, theirs);
  must(known || !ours || document.serial < ours[0].serial, 'it is not the key document that is known here', `the log ${origin}`);
  return { document, how: known ? 'pinned' : 'self-asserted', name: document.school.name || 'a school withheld by law' };
}

/** @param {Document[]} ours @param {Document[]} theirs */
function linked(ours, theirs) {
  const given = theirs.map((one) => one.digest);
  const known = ours.map((one) => one.digest);
  if (known.some((one) => given.includes(one)) || given.includes(ours[0].previous ?? '')) return true;
  const before = ours.find((one) => one.digest === theirs[0].previous);
  if (before) checkChain([before, theirs[0]]);
  return before !== undefined;
}

/** The eight words that two people compare over the telephone. @param {Document} document @returns {string} */
export function eightWords(document) {
  const words = WORDS.split(/\s+/).filter(Boolean);
  const drawn = scrypt(unhex(document.digest), utf8('astrack/words/v1'), { N: 1 << 15, r: 8, p: 1, dkLen: 8 });
  return Array.from(drawn, (byte) => words[byte]).join(' ');
}
