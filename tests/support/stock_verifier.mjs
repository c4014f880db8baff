// Other people's verifier over our credential: `node stock_verifier.mjs CREDENTIAL CONTEXTS`; run where its packages are.
import * as vc from '@digitalbazaar/vc';
import * as multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { readFileSync } from 'node:fs';

const [path, folder] = process.argv.slice(2);
const names = {
  'https://www.w3.org/ns/credentials/v2': 'credentials-v2.json',
  'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json': 'open-badges-3.0.3.json',
  'https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json': 'clr-2.0.1.json',
};
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** A packaged context, or the document of a did:key; nothing comes from a network. */
async function documentLoader(url) {
  if (names[url]) return { contextUrl: null, documentUrl: url, document: json(`${folder}/${names[url]}`) };
  const [id] = url.split('#');
  const key = id.replace('did:key:', '');
  const pair = await multikey.from({ type: 'Multikey', controller: id, id: `${id}#${key}`, publicKeyMultibase: key });
  const method = await pair.export({ publicKey: true, includeContext: true });
  const whole = { '@context': ['https://www.w3.org/ns/did/v1'], id, verificationMethod: [method], assertionMethod: [method.id] };
  return { contextUrl: null, documentUrl: url, document: url.includes('#') ? method : whole };
}

const suite = new DataIntegrityProof({ cryptosuite });
const record = json(path);
const badge = record.credentialSubject.verifiableCredential[0];
const said = [];
for (const credential of [record, badge, { ...record, name: 'another' }]) {
  said.push((await vc.verifyCredential({ credential, suite, documentLoader })).verified);
}
console.log(JSON.stringify(said));
