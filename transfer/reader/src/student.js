/**
 * The story goes on after 18: the student's own reflections and sittings, in a log of their own, signed with keys drawn
 * from the student's key. What comes out is a sealed file like the school's, which every reader of the format verifies.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { fingerprint, recipientOf, seal, seedOf } from './age.js';
import { b64, concat, digest, same, sha256, text, utf8 } from './bytes.js';
import { canonical, dump, load } from './canonical.js';
import { commitment, entry, IMPORT_TOPIC, leaf, parseEntry, unitName, ZERO } from './chain.js';
import { cloudEvents, MEMBER as CLOUD } from './cloudevents.js';
import { must } from './errors.js';
import { headLeaf, proofMember, prove, readUnits, sourceOf } from './evidence.js';
import { check } from './file.js';
import { keyName, kindsOf, newest, openDocument } from './keydoc.js';
import { FORMAT, noteText } from './manifest.js';
import { inclusionProof, multiProof, rootOf } from './merkle.js';
import { signer, signNote, vkey } from './note.js';
import { dumpLines, parseLines, threadOf, threadsOf } from './story.js';
import { inOrder, readTar, writeTar } from './tar.js';

const LABEL = 'astrack/student-keys/v1';
const PURPOSES = /** @type {const} */ (['manifest', 'checkpoint', 'receipt']);
const NOBODY = '00000000-0000-0000-0000-000000000000';
const LOG = 'log.txt';
const FOREVER = '2199-01-01T00:00:00.000000Z';
export const TOPICS = /** @type {const} */ (['student.reflection-written.v1', 'student.sitting-taken.v1']);

/**
 * @typedef {import('./story.js').Line} Line
 * @typedef {{ topic: typeof TOPICS[number], data: Record<string, any> }} Own
 * @typedef {{ at: Date, random: (size: number) => Uint8Array, newId: () => string }} Outside what comes from outside
 * @typedef {{ entries: Uint8Array[], stream: Uint8Array, ownStream: Uint8Array, indexes: number[], lines: Line[] }} Log
 */

/** Time, randomness and ids of this machine. @returns {Outside} */
export const here = () => ({ at: new Date(), random: (size) => globalThis.crypto.getRandomValues(new Uint8Array(size)), newId: () => uuid7(new Date()) });

/** @param {Date} at @returns {string} a UUID of version 7 */
export function uuid7(at) {
  const random = globalThis.crypto.getRandomValues(new Uint8Array(10));
  const digits = at.getTime().toString(16).padStart(12, '0') + Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'[parseInt(digits[16], 16) & 3];
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-7${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** @param {Date} at @returns {string} an instant as the format writes it */
export const instant = (at) => at.toISOString().replace(/\.(\d{3})Z$/, '.$1000Z');

/** The signing keys of a student: HKDF-SHA256 of the seed of their age key. @param {string} identity @param {string} origin */
export function studentKeys(identity, origin) {
  const drawn = hkdf(sha256, seedOf(identity), undefined, utf8(LABEL), 6 * 32);
  return Object.fromEntries(PURPOSES.map((purpose, at) => [purpose, kindsOf(purpose).map((kind, half) => (
    signer(keyName(purpose, origin), kind, drawn.subarray((2 * at + half) * 32, (2 * at + half + 1) * 32))))]));
}

/** @param {string} print the fingerprint of the student's key @returns {string} */
export const originOf = (print) => `student.invalid/${print.slice(0, 32)}`;

/** The student's key document. @param {string} identity @param {string} recipient @param {string} issued @returns {Promise<Uint8Array>} */
export async function studentDocument(identity, recipient, issued) {
  const origin = originOf(await fingerprint(recipient));
  const keys = studentKeys(identity, origin);
  const valid = { valid_from: issued, valid_until: FOREVER };
  const made = canonical({
    format: 'astrack/keys/v1', serial: 1, previous: null, issued_at: issued, origin, revoked: [],
    school: { name: 'The student', urn: null, lea: null, estab: null }, recipients: [{ ...valid, recipient }],
    signing: PURPOSES.map((purpose) => ({ ...valid, purpose, ed25519: vkey(keys[purpose][0].verifier), ml_dsa: vkey(keys[purpose][1].verifier) })),
  });
  return signNote(`astrack/keys/v1\n${made}\n`, [...keys.manifest, ...keys.receipt], 0);
}

/**
 * The record with the student's own facts appended, sealed anew for the same keys.
 * @param {import('./file.js').Found} found a student's copy, or what this function made of one
 * @param {Own[]} own at least one @param {Outside} outside
 * @returns {Promise<{ name: string, data: Uint8Array }>} @throws {import('./errors.js').Refused}
 */
export async function continueStory(found, own, outside) {
  must(found.manifest.kind === 'student', 'only a student goes on with a record', 'file');
  must(own.length > 0 && own.every((one) => TOPICS.includes(one.topic)), 'there is nothing of your own to add', 'file');
  const mine = await recipientOf(found.identity);
  const print = await fingerprint(mine);
  must(found.manifest.recipients.some((one) => one.fingerprint === print && one.for === 'student'), 'open it with your own key, not with the one on paper', 'key');
  const origin = originOf(print);
  const keys = studentKeys(found.identity, origin);
  const at = instant(outside.at);
  const going = found.manifest.sender.origin === origin;
  const document = going ? ownUnit(found).unit.keys[0] : await studentDocument(found.identity, mine, at);
  const log = going ? logOf(found) : begin(found, at, outside);
  for (const one of own) append(log, 'event', log.stream, fact(one.topic, at, outside.newId(), one.data), outside);
  const members = membersOf(found, log, { origin, keys, document, at, outside });
  const given = recipientsIn(found) ?? [mine];
  const manifest = await manifestOf(found, members, { origin, at, going, id: outside.newId(), given });
  const signed = signNote(noteText(manifest), keys.manifest, 0);
  const tar = writeTar(new Map([['manifest.json', manifest], ['manifest.note', signed], ...members]));
  await check(readTar(tar), print, {}); // nothing is sealed that would not be read again
  return { name: `${load(manifest, 'manifest.json').transfer_id}.tar.age`, data: await seal(tar, given) };
}

/** @param {import('./file.js').Found} found */
const ownUnit = (found) => /** @type {import('./evidence.js').Proved} */ (found.proved.get(found.manifest.sources[0].unit));

/** @param {string} topic @param {string} at @param {string} id @param {any} data @param {string} [role] @returns {Uint8Array} */
const fact = (topic, at, id, data, role = 'student') => utf8(JSON.stringify({ topic, event_id: id, recorded_at: at, by: { id: NOBODY, role }, data }));

/** A log of the student's own, begun with every fact of the school's file in its envelope. @param {import('./file.js').Found} found @param {string} at @param {Outside} outside @returns {Log} */
function begin(found, at, outside) {
  /** @type {Log} */
  const log = { entries: [], stream: outside.random(16), ownStream: outside.random(16), indexes: [], lines: [] };
  const source = ownUnit(found).unit;
  found.lines.forEach((line, place) => {
    if (!line.payload || !line.salt) return;
    const envelope = { origin: source.origin, index: source.indexes[place], entry: b64(line.entry), salt: b64(line.salt), payload: b64(line.payload) };
    append(log, 'import', log.stream, fact(IMPORT_TOPIC, at, outside.newId(), envelope), outside);
  });
  return log;
}

/** The student's log as the file holds it, checked against the checkpoint that they signed. @param {import('./file.js').Found} found @returns {Log} */
function logOf(found) {
  const { unit, size, root } = ownUnit(found);
  const lines = text(found.members.get(LOG) ?? new Uint8Array(), LOG).split('\n');
  const entries = Array.from({ length: Math.floor(lines.length / 6) }, (_, at) => utf8(`${lines.slice(at * 6, at * 6 + 6).join('\n')}\n`));
  must(entries.length === size && same(rootOf(entries.map(leaf)), root), 'it is not the log that was signed', LOG);
  return { entries, stream: unit.stream, ownStream: parseEntry(unit.heads.entry).stream, indexes: [...unit.indexes], lines: [...found.lines] };
}

/** @param {Log} log @param {string} kind @param {Uint8Array} stream @param {Uint8Array} payload @param {Outside} outside @returns {Line} */
function append(log, kind, stream, payload, outside) {
  const before = log.entries.filter((one) => same(parseEntry(one).stream, stream));
  const prev = before.length ? leaf(before[before.length - 1]) : ZERO;
  const salt = outside.random(32);
  const line = { entry: entry(kind, stream, before.length, prev, commitment(salt, payload)), payload, salt, omitted: '' };
  if (kind !== 'heads') {
    log.indexes.push(log.entries.length);
    log.lines.push(line);
  }
  log.entries.push(line.entry);
  return line;
}

/**
 * Every member after the note. @param {import('./file.js').Found} found @param {Log} log
 * @param {{ origin: string, keys: any, document: Uint8Array, at: string, outside: Outside }} how
 */
function membersOf(found, log, { origin, keys, document, at, outside }) {
  const covers = log.entries.length;
  const last = leaf(log.lines[log.lines.length - 1].entry);
  const heads = [headLeaf(log.stream, log.lines.length - 1, last)];
  const stated = { covers, streams: 1, root: Array.from(heads[0], (byte) => byte.toString(16).padStart(2, '0')).join('') };
  const shown = append(log, 'heads', log.ownStream, fact('school.heads-published.v1', at, outside.newId(), stated), outside);
  const leaves = log.entries.map(leaf);
  const root = rootOf(leaves);
  const checkpoint = signNote(`${origin}\n${leaves.length}\n${b64(root)}\n`, keys.checkpoint, Math.floor(outside.at.getTime() / 1000));
  const unit = { name: unitName(origin, log.stream), origin, stream: log.stream, checkpoint, indexes: log.indexes,
    nodes: multiProof(leaves, [...log.indexes, covers]), keys: [document], others: [], members: new Map(),
    heads: { index: covers, entry: shown.entry, salt: /** @type {Uint8Array} */ (shown.salt), payload: /** @type {Uint8Array} */ (shown.payload), place: 0, nodes: inclusionProof(heads, 0) } };
  const folder = `evidence/${unit.name}/`;
  /** @type {Map<string, Uint8Array>} */
  const made = new Map([[`${folder}checkpoint`, checkpoint], [`${folder}proof.json`, proofMember(unit)], [`${folder}keys/000001`, document],
    ['events.jsonl', dumpLines(log.lines)], [CLOUD, cloudEvents(origin, log.lines)], [LOG, utf8(log.entries.map((one) => text(one, LOG)).join(''))], ...handedOn(found, log, origin)]);
  return new Map([...made].sort(([a], [b]) => inOrder(a, b)));
}

/** What goes on as it is, and the school's manifest too. @param {import('./file.js').Found} found @param {Log} log @param {string} origin @returns {[string, Uint8Array][]} */
function handedOn(found, log, origin) {
  const [source] = found.manifest.sources;
  const going = source.origin === origin;
  const leave = ['manifest.json', 'manifest.note', 'events.jsonl', CLOUD, LOG];
  const kept = [...found.members].filter(([name]) => !leave.includes(name) && !(going && name.startsWith(`evidence/${source.unit}/`)));
  if (going) return kept;
  const member = (/** @type {string} */ name) => /** @type {Uint8Array} */ (found.members.get(name));
  const withheld = unshown(found, log, origin);
  return [...kept.filter(([name]) => name !== `evidence/${source.unit}/entries.jsonl`), ...withheld,
    ['given/manifest.json', member('manifest.json')], ['given/manifest.note', member('manifest.note')]];
}

/** The entries of the school's stream that no envelope of the new log holds: what it withheld. @param {import('./file.js').Found} found @param {Log} log @param {string} origin @returns {[string, Uint8Array][]} */
function unshown(found, log, origin) {
  const { unit, entries } = ownUnit(found);
  const shown = threadsOf(origin, log.indexes, log.lines).get(threadOf(unit.origin, unit.stream))?.entries;
  const reasons = new Map(found.lines.map((line) => [b64(line.entry), line.omitted]));
  const lines = unit.indexes.flatMap((index, at) => (shown?.has(index) ? []
    : [{ entry: entries[at], payload: null, salt: null, omitted: reasons.get(b64(entries[at])) || 'not in the story' }]));
  return lines.length ? [[`evidence/${unit.name}/entries.jsonl`, dumpLines(lines)]] : [];
}

/** The recipients that the school named in full. @param {import('./file.js').Found} found @returns {string[] | null} */
function recipientsIn(found) {
  const data = found.members.get('student.json');
  return data ? load(data, 'student.json').recipients.map((/** @type {any} */ one) => one.recipient) : null;
}

/**
 * @param {import('./file.js').Found} found @param {Map<string, Uint8Array>} members
 * @param {{ origin: string, at: string, going: boolean, id: string, given: string[] }} how @returns {Promise<Uint8Array>}
 */
async function manifestOf(found, members, { origin, at, going, id, given }) {
  const before = found.manifest;
  const stated = checkOwn(members, origin);
  const files = await Promise.all([...members].map(async ([name, data]) => ({ name, size: data.length, sha256: await digest(data) })));
  const recipients = await Promise.all(given.map(async (one, at) => ({ fingerprint: await fingerprint(one), for: at ? 'recovery' : 'student' })));
  const earlier = going ? before.sources.slice(1) : before.sources;
  return dump({
    format: FORMAT, transfer_id: id, kind: 'student', created: at, not_after: null,
    sender: { school_id: '', urn: '', lea: '', estab: '', name: '', origin }, recipients, lawful_basis: 'consent', consent_by: 'the student',
    place: { accepted_on: null, start_on: null }, protected: false, export: going ? before.export + 1 : 0, supersedes: before.transfer_id,
    sources: [stated, ...[...earlier].sort((a, b) => (a.unit < b.unit ? -1 : 1))], files, omissions: before.omissions, critical: [],
  });
}

/** What the manifest states of the student's own unit. @param {Map<string, Uint8Array>} members @param {string} origin */
function checkOwn(members, origin) {
  const units = [...readUnits(members).values()];
  const unit = units.find((one) => one.origin === origin);
  must(unit, 'it was not made', 'evidence');
  const lines = parseLines(/** @type {Uint8Array} */ (members.get('events.jsonl')), 'events.jsonl');
  const thread = threadsOf(origin, unit.indexes, lines).get(threadOf(origin, unit.stream));
  const document = openDocument(unit.keys[0]);
  return sourceOf(prove(unit, thread?.entries ?? new Map(), newest(document, 'checkpoint'), []));
}
