/** The sealed container: age v1, hybrid post-quantum recipients only (FORMAT.md, section 2). */
import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption';
import { bech32 } from '@scure/base';
import { digest } from './bytes.js';
import { must, Refused } from './errors.js';

const VERSION = 'age-encryption.org/v1\n';
const CLASSICAL = ['X25519', 'scrypt', 'p256tag', 'mlkem768p256tag', 'ssh-rsa', 'ssh-ed25519', 'piv-p256'];
const IDENTITY = /AGE-SECRET-KEY-PQ-1[A-Z0-9]+/g;
const MAX_HEADER = 1 << 16;

/**
 * The keys in a text: a key file, a line, or what a person typed from paper with spaces and small letters.
 * @param {string} given @returns {string[]} identities, AGE-SECRET-KEY-PQ-1…
 */
export function keysIn(given) {
  must(!/AGE-SECRET-KEY-1/i.test(given), 'it is a key of the older kind, which this record is never sealed for', 'key');
  const plain = given.replace(/^#.*$/gm, '').toUpperCase().replace(/[^A-Z0-9-]/g, '');
  const found = [...new Set(plain.replaceAll('AGE-SECRET-KEY-PQ-1', '\nAGE-SECRET-KEY-PQ-1').match(IDENTITY) ?? [])];
  must(found.length > 0, 'it begins AGE-SECRET-KEY-PQ-1, and there is no such key here', 'key');
  found.forEach(seedOf);
  return found;
}

/** @param {string} identity @returns {Uint8Array} its 32 secret bytes @throws {Refused} */
export function seedOf(identity) {
  try {
    const { prefix, bytes } = bech32.decodeToBytes(identity);
    must(prefix === 'age-secret-key-pq-' && bytes.length === 32, 'it is not a key of this kind', 'key');
    return bytes;
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused('a letter of it is wrong or missing: compare it with the sheet', 'key');
  }
}

/** @param {string} identity @returns {Promise<string>} its recipient, age1pq1… */
export const recipientOf = (identity) => identityToRecipient(identity);

/** @param {string} recipient age1pq1… @returns {Promise<string>} how manifests name it: SHA-256 of the public key */
export async function fingerprint(recipient) {
  const { prefix, bytes } = bech32.decodeToBytes(recipient);
  must(prefix === 'age1pq' && bytes.length === 1216, 'it is not a recipient of this kind', 'recipient');
  return digest(bytes);
}

/** Nothing that an older key opens. @param {Uint8Array} data @throws {Refused} */
function checkHeader(data) {
  const head = Array.from(data.subarray(0, MAX_HEADER), (byte) => String.fromCharCode(byte)).join('');
  must(head.startsWith(VERSION), 'it is not a sealed record: choose the file that ends in .tar.age', 'file');
  const end = head.indexOf('\n---');
  must(end > 0, 'its header does not end', 'file');
  for (const line of head.slice(0, end).split('\n').slice(1)) {
    const weak = line.startsWith('-> ') && CLASSICAL.includes(line.split(' ')[1]);
    must(!weak, 'it was sealed for a key of the older kind as well, which this format forbids', 'file');
  }
}

/**
 * Decrypt with the first key that opens it. @param {Uint8Array} data @param {string[]} identities
 * @returns {Promise<{ tar: Uint8Array, identity: string }>} @throws {Refused}
 */
export async function unseal(data, identities) {
  checkHeader(data);
  let why = 'none of the keys given opens it: it was sealed for another key';
  for (const identity of identities) {
    const opener = new Decrypter();
    opener.addIdentity(identity);
    try {
      return { tar: await opener.decrypt(data), identity };
    } catch (error) {
      if (!/no identity matched/i.test(String(error))) why = 'it was damaged or altered: fetch it again';
    }
  }
  throw new Refused(why, 'file');
}

/** @param {Uint8Array} tar @param {string[]} recipients @returns {Promise<Uint8Array>} */
export async function seal(tar, recipients) {
  const closer = new Encrypter();
  recipients.forEach((one) => closer.addRecipient(one));
  return closer.encrypt(tar);
}
