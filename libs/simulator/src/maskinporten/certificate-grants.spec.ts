import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CertificateAuthority, type Issued } from '../certificates.fixtures.js';
import { CUSTOMER, GrantBench, KEY, type Reply, SCOPE, VENDOR, makeClient } from '../grants.fixtures.js';
import { type ExpectedRefusal, expectRefusal } from '../refusals.fixtures.js';

const AUTHENTICATION = 'Invalid assertion. Client authentication failed.';
const invalidCertificate = {
  error: 'invalid_grant',
  text: `${AUTHENTICATION} The JWT is signed with an invalid certificate`,
  code: 'MP-120',
  check: 'certificate.trusted',
} satisfies ExpectedRefusal;
const otherOrganisation: ExpectedRefusal = {
  error: 'invalid_grant',
  text: 'Invalid organization number for client. Does not match certificate orgno',
  code: 'MP-122',
  check: 'certificate.organisation',
};
const badHeader = (check: string): ExpectedRefusal => ({
  error: 'invalid_grant',
  text: `${AUTHENTICATION} Invalid JWT header x5c`,
  code: 'MP-123',
  check,
});
const badSignature = (check: string): ExpectedRefusal => ({
  error: 'invalid_grant',
  text: `${AUTHENTICATION} Invalid JWT signature`,
  code: 'MP-124',
  check,
});

describe('a grant signed with an enterprise certificate', () => {
  const authority = new CertificateAuthority();
  const subject = `/C=NO/O=Acme AS/organizationIdentifier=NTRNO-${VENDOR}/CN=Acme`;
  let root: Issued;
  let intermediate: Issued;
  let leaf: Issued;
  let bench: GrantBench;

  const chained = (certificate: Issued, x5c: unknown = [certificate.der, intermediate.der]): Promise<Reply> =>
    bench.grant({ claims: { iss: 'sealed' }, header: { kid: undefined, x5c }, key: certificate.privateKey });

  beforeAll(async () => {
    root = authority.issue({ subject: '/C=NO/O=Test CA/CN=Root', ca: true });
    intermediate = authority.issue({ subject: '/C=NO/O=Test CA/CN=Business', ca: true, issuer: root });
    leaf = authority.issue({ subject, issuer: intermediate });
    bench = await GrantBench.start({
      clients: [
        makeClient(),
        { clientId: 'sealed', orgno: VENDOR, scopes: [SCOPE], certificate: true, trustedRoots: [root.pem] },
      ],
    });
  });
  afterAll(async () => {
    await bench.close();
  });

  it('with the chain in x5c gives a token that says virksomhetssertifikat', async () => {
    const reply = await chained(leaf);
    expect(reply.status).toBe(200);
    const token = JSON.parse(
      Buffer.from(String(reply.json['access_token']).split('.')[1] ?? '', 'base64url').toString(),
    ) as unknown;
    expect(token).toMatchObject({
      client_amr: 'virksomhetssertifikat',
      client_id: 'sealed',
      consumer: { ID: `0192:${VENDOR}` },
    });
  });

  it('may hold the root in x5c as well', async () => {
    expect(await chained(leaf, [leaf.der, intermediate.der, root.der])).toMatchObject({ status: 200 });
  });

  it('may hold the leaf alone when its issuer is trusted', async () => {
    bench.simulator.operator.clients.add({
      clientId: 'leaf-only',
      orgno: VENDOR,
      scopes: [SCOPE],
      certificate: true,
      trustedRoots: [intermediate.pem],
    });
    const header = { kid: undefined, x5c: [leaf.der] };
    const reply = await bench.grant({ claims: { iss: 'leaf-only' }, header, key: leaf.privateKey });
    expect(reply.status).toBe(200);
  });

  it('may name the organisation in serialNumber, as SEID 1 did', async () => {
    const older = authority.issue({ subject: `/C=NO/O=Acme AS/serialNumber=${VENDOR}/CN=Acme`, issuer: intermediate });
    expect(await chained(older)).toMatchObject({ status: 200 });
  });

  it('may be used by any certificate of the same organisation', async () => {
    expect(await chained(authority.issue({ subject, issuer: intermediate }))).toMatchObject({ status: 200 });
  });

  it('and registered as a key is accepted with kid, with and without x5c', async () => {
    const { n, e } = leaf.certificate.publicKey.export({ format: 'jwk' });
    const jwk = {
      kty: 'RSA',
      use: 'sig',
      alg: 'RS256',
      kid: 'sealed-key',
      n: String(n),
      e: String(e),
      x5c: [leaf.der],
    };
    bench.simulator.operator.clients.add(makeClient({ clientId: 'both', jwks: { keys: [jwk] } }));
    for (const x5c of [undefined, [leaf.der, intermediate.der]]) {
      const header = { kid: 'sealed-key', x5c };
      expect(await bench.grant({ claims: { iss: 'both' }, header, key: leaf.privateKey })).toMatchObject({
        status: 200,
      });
    }
  });

  it('is refused with MP-123 when x5c is a string', async () => {
    expectRefusal(bench, await chained(leaf, leaf.der), badHeader('header.x5c'));
  });

  it('is refused with MP-123 when x5c is base64url', async () => {
    const reply = await chained(leaf, [leaf.certificate.raw.toString('base64url'), intermediate.der]);
    expectRefusal(bench, reply, badHeader('header.x5c'));
  });

  it.each([
    ['empty', []],
    ['no certificate', ['AAAA']],
    ['a list of numbers', [7]],
  ])('is refused with MP-123 when x5c is %s', async (_name, x5c) => {
    expectRefusal(bench, await chained(leaf, x5c), badHeader('header.x5c'));
  });

  it('is refused with MP-123 when it carries neither kid nor x5c', async () => {
    const reply = await bench.grant({ claims: { iss: 'sealed' }, header: { kid: undefined }, key: leaf.privateKey });
    expectRefusal(bench, reply, badHeader('key.known'));
  });

  it('is refused for its kid when the client has no registered keys', async () => {
    const header = { kid: 'key-1', x5c: [leaf.der, intermediate.der] };
    const reply = await bench.grant({ claims: { iss: 'sealed' }, header, key: leaf.privateKey });
    expectRefusal(bench, reply, {
      error: 'invalid_grant',
      text: `${AUTHENTICATION} Unknown key identifier (kid) for client`,
      check: 'key.known',
    });
  });

  it('is refused when the client has registered keys and no kid was sent', async () => {
    const reply = await bench.grant({ header: { kid: undefined, x5c: [leaf.der] }, key: leaf.privateKey });
    expectRefusal(bench, reply, {
      error: 'invalid_grant',
      text: 'Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided',
      check: 'key.known',
    });
  });

  it('is refused when x5c beside a kid belongs to another key', async () => {
    const reply = await bench.grant({ header: { x5c: [leaf.der] }, key: KEY.privateKey });
    expectRefusal(bench, reply, badHeader('key.known'));
  });

  it('is refused with MP-120 when the intermediate is missing', async () => {
    const text = `${invalidCertificate.text}. The simulator lets it pass with "tolerate": ["leaf-only-x5c"].`;
    expectRefusal(bench, await chained(leaf, [leaf.der]), { ...invalidCertificate, text });
  });

  it('is refused with MP-120 when the chain ends elsewhere (a production certificate in test)', async () => {
    const foreignRoot = authority.issue({ subject: '/C=NO/O=Test CA/CN=Root', ca: true });
    const foreign = authority.issue({ subject, issuer: foreignRoot });
    expectRefusal(bench, await chained(foreign, [foreign.der, foreignRoot.der]), invalidCertificate);
  });

  it('is refused with MP-120 when it was issued by another enterprise certificate', async () => {
    const forged = authority.issue({ subject, issuer: leaf });
    expectRefusal(bench, await chained(forged, [forged.der, leaf.der, intermediate.der]), invalidCertificate);
  });

  it('is refused with MP-120 when it is self-signed', async () => {
    const selfSigned = authority.issue({ subject });
    expectRefusal(bench, await chained(selfSigned, [selfSigned.der]), invalidCertificate);
  });

  it('is refused with MP-120 when an intermediate is out of date', async () => {
    const old = authority.issue({
      subject: '/C=NO/O=Test CA/CN=Old',
      ca: true,
      issuer: root,
      notAfter: '20260101000000Z',
    });
    const late = authority.issue({ subject, issuer: old });
    expectRefusal(bench, await chained(late, [late.der, old.der]), invalidCertificate);
  });

  it('is refused with MP-120 when it names no organisation', async () => {
    const website = authority.issue({ subject: '/C=NO/O=Acme AS/CN=acme.example.no', issuer: intermediate });
    expectRefusal(bench, await chained(website), invalidCertificate);
  });

  it('is refused with MP-120 when it belongs to a person', async () => {
    const person = authority.issue({
      subject: '/C=NO/serialNumber=UN:NO-9578-4050-1000/CN=Kari',
      issuer: intermediate,
    });
    expectRefusal(bench, await chained(person), invalidCertificate);
  });

  it('is refused with MP-120 when the number is only written in the common name', async () => {
    const planted = authority.issue({
      subject: `/C=NO/CN=x organizationIdentifier=NTRNO-${VENDOR}`,
      issuer: intermediate,
    });
    expectRefusal(bench, await chained(planted), invalidCertificate);
  });

  it('is refused with MP-122 when it belongs to another organisation', async () => {
    const other = authority.issue({
      subject: `/C=NO/organizationIdentifier=NTRNO-${CUSTOMER}/CN=x`,
      issuer: intermediate,
    });
    expectRefusal(bench, await chained(other), otherOrganisation);
  });

  it('is refused with MP-122 by organizationIdentifier, whatever serialNumber says', async () => {
    const mixed = authority.issue({
      subject: `/C=NO/organizationIdentifier=NTRNO-${CUSTOMER}/serialNumber=${VENDOR}/CN=x`,
      issuer: intermediate,
    });
    expectRefusal(bench, await chained(mixed), otherOrganisation);
  });

  it('is refused with MP-124 when the certificate is expired', async () => {
    const expired = authority.issue({ subject, issuer: intermediate, notAfter: '20260101000000Z' });
    expectRefusal(bench, await chained(expired), badSignature('key.in_date'));
  });

  it('is refused with MP-124 when the certificate is not valid yet', async () => {
    const early = authority.issue({ subject, issuer: intermediate, notBefore: '20300101000000Z' });
    expectRefusal(bench, await chained(early), badSignature('key.in_date'));
  });

  it('is refused with MP-124 when another key signed', async () => {
    const header = { kid: undefined, x5c: [leaf.der, intermediate.der] };
    const reply = await bench.grant({ claims: { iss: 'sealed' }, header, key: KEY.privateKey });
    expectRefusal(bench, reply, badSignature('signature'));
  });

  it('is refused when the certificate holds an elliptic-curve key', async () => {
    const curve = authority.issue({
      subject,
      issuer: intermediate,
      keyArguments: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    });
    const header = { kid: undefined, x5c: [curve.der, intermediate.der] };
    const reply = await bench.grant({ claims: { iss: 'sealed' }, header, key: leaf.privateKey });
    expectRefusal(bench, reply, invalidCertificate);
  });

  it('is refused when it is signed with 1024 bits', async () => {
    const weak = authority.issue({
      subject,
      issuer: intermediate,
      keyArguments: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'],
    });
    const header = { kid: undefined, x5c: [weak.der, intermediate.der] };
    const reply = await bench.grant({ claims: { iss: 'sealed' }, header, key: leaf.privateKey });
    expectRefusal(bench, reply, invalidCertificate);
  });
});
