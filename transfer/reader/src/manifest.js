/** The manifest: what a file is, for whom, and the digest of everything else (FORMAT.md, section 4). */
import { b64, sha256 } from './bytes.js';
import { Fields, load } from './canonical.js';
import { must } from './errors.js';
import { INSTANT } from './keydoc.js';
import { checkName } from './tar.js';

export const FORMAT = 'astrack/file/v1';
const KINDS = ['school', 'student', 'safeguarding', 'audit'];
const BASES = ['legal_obligation', 'public_task', 'vital_interests', 'consent'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const KNOWN = ['manifest.json', 'manifest.note', 'events.jsonl', 'heads.jsonl', 'entries.txt', 'identity.json', 'evidence/',
  'instruments/', 'schemas/', 'actors.json', 'ctf/', 'credential.json', 'attachments/', 'README.txt', 'padding'];
const KEYS = ['format', 'transfer_id', 'kind', 'created', 'not_after', 'sender', 'recipients', 'lawful_basis', 'consent_by',
  'place', 'protected', 'export', 'supersedes', 'sources', 'files', 'omissions', 'critical'];

/**
 * @typedef {{ origin: string, unit: string, stream: string, size: number, root: string, first: number, last: number, head: string }} Source
 * @typedef {{ name: string, size: number, sha256: string }} Listed
 * @typedef {{ transfer_id: string, kind: string, created: string, not_after: string | null, protected: boolean, export: number,
 *   supersedes: string | null, lawful_basis: string, consent_by: string, sender: Record<string, string>,
 *   recipients: { fingerprint: string, for: string }[], sources: Source[], files: Listed[],
 *   omissions: { what: string, why: string }[], critical: string[] }} Manifest
 */

/** @param {Uint8Array} manifest its exact bytes @returns {string} the text that `manifest.note` signs */
export const noteText = (manifest) => `astrack/manifest/v1\n${b64(sha256(manifest))}\n`;

/** The manifest in these exact bytes. @param {Uint8Array} data @returns {Manifest} @throws {import('./errors.js').Refused} */
export function parseManifest(data) {
  const where = 'manifest.json';
  const value = load(data, where);
  const fields = new Fields(value, where);
  must(fields.text('format') === FORMAT, 'its format is a newer one, or none of ours', where);
  fields.like('transfer_id', UUID);
  const kind = fields.oneOf('kind', KINDS);
  fields.like('created', INSTANT);
  must((fields.maybe('not_after') === null) === (kind === 'student' || kind === 'audit'), 'its time limit does not fit its kind', where);
  checkEach(fields, where);
  const sources = fields.items('sources', 256);
  sources.forEach(checkSource);
  fields.items('files', 4096).forEach(checkListed);
  must(sources.length > 0 && sources[0].origin === value.sender.origin, "its first source is not the sender's log", where);
  for (const name of fields.items('critical', 100)) {
    const folder = `${String(name).split('/')[0]}/`;
    must(KEYS.includes(name) || KNOWN.includes(name) || KNOWN.includes(folder), `it is marked critical and this reader does not know it: ${name}`, where);
  }
  return value;
}

/** @param {Fields} fields @param {string} where */
function checkEach(fields, where) {
  const sender = fields.fields('sender');
  ['school_id', 'urn', 'lea', 'estab', 'name', 'origin'].forEach((name) => sender.text(name));
  sender.done();
  const recipients = fields.items('recipients', 16);
  must(recipients.length > 0, 'it is for nobody', where);
  for (const one of recipients) {
    const each = new Fields(one, where);
    each.like('fingerprint', DIGEST);
    each.oneOf('for', ['school', 'student', 'recovery']);
    each.done();
  }
  fields.oneOf('lawful_basis', BASES);
  fields.text('consent_by');
  const place = fields.fields('place');
  [place.maybe('accepted_on'), place.maybe('start_on')].forEach((day) => must(day === null || /^\d{4}-\d\d-\d\d$/.test(day), 'a date is not one', where));
  place.done();
  must(typeof fields.take('protected') === 'boolean', 'it does not say whether it is protected', where);
  fields.number('export');
  const before = fields.maybe('supersedes');
  must(before === null || UUID.test(before), 'an id is not one', where);
  for (const one of fields.items('omissions', 1000)) {
    const each = new Fields(one, where);
    [each.text('what'), each.text('why', 1000)].forEach(String);
    each.done();
  }
}

/** @param {any} value */
function checkSource(value) {
  const fields = new Fields(value, 'manifest.json, sources');
  ['origin', 'stream', 'head'].forEach((name) => fields.text(name));
  fields.like('unit', /^[0-9a-f]{32}$/);
  fields.like('root', DIGEST);
  ['size', 'first', 'last'].forEach((name) => fields.number(name));
  fields.done();
}

/** @param {any} value */
function checkListed(value) {
  const fields = new Fields(value, 'manifest.json, files');
  checkName(fields.text('name'));
  fields.number('size');
  fields.like('sha256', DIGEST);
  fields.done();
}

