// Gives the service of compose.yaml a key and the simulator its public half. Runs once, before the service starts.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const {
  SIMULATOR_URL,
  SIMULATOR_OPERATOR_TOKEN,
  KEYS = '/keys',
  CLIENT_ID = 'compose',
  KID = 'compose-1',
} = process.env;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const client = {
  clientId: CLIENT_ID,
  orgno: '310000019',
  pem,
  kid: KID,
  scopes: ['altinn:broker.read', 'altinn:broker.write'],
};
const answer = await fetch(`${SIMULATOR_URL}/operator/api/clients`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${SIMULATOR_OPERATOR_TOKEN}` },
  body: JSON.stringify(client),
});
if (!answer.ok) throw new Error(`The simulator answered ${answer.status}: ${await answer.text()}`);
writeFileSync(join(KEYS, 'private-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o400 });

// One caller of the service, whose key is printed here and nowhere kept.
const apiKey = randomBytes(24).toString('base64url');
const sha256 = createHash('sha256').update(apiKey).digest('hex');
writeFileSync(join(KEYS, 'api-keys.json'), JSON.stringify([{ name: 'you', sha256, organisations: ['310000027'] }]));
console.log(`curl -H 'Authorization: Bearer ${apiKey}' http://localhost:3000/broker/transfers`);
