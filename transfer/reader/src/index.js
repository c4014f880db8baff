/** The import contract of a student's record: read and verify it, tell it, disclose from it, go on with it. */
export { Refused } from './errors.js';
export { cloudEvents } from './cloudevents.js';
export { keysIn, recipientOf, fingerprint } from './age.js';
export { open, verdict, givenBy } from './file.js';
export { openDocuments, eightWords } from './keydoc.js';
export { parseVkey } from './note.js';
export { story, picture, corrected } from './journey.js';
export { svg } from './picture.js';
export { disclose, verifyProof } from './proof.js';
export { continueStory, here, TOPICS } from './student.js';
