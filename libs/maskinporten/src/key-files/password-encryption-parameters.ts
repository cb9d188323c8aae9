import {
  AsnConstructedOctetStringConverter,
  AsnProp,
  AsnPropTypes,
  AsnType,
  AsnTypeTypes,
  OctetString,
} from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';

/** PBES2-params, RFC 8018 appendix A.4. */
export class Pbes2Parameters {
  @AsnProp({ type: AlgorithmIdentifier })
  keyDerivation = new AlgorithmIdentifier();

  @AsnProp({ type: AlgorithmIdentifier })
  encryption = new AlgorithmIdentifier();
}

/** PBKDF2-params, RFC 8018 appendix A.2, with the salt in place; HMAC with SHA-1 when no function is named. */
export class Pbkdf2Parameters {
  @AsnProp({ type: OctetString })
  salt = new OctetString();

  @AsnProp({ type: AsnPropTypes.Integer })
  iterations = 0;

  @AsnProp({ type: AsnPropTypes.Integer, optional: true })
  keyLength?: number;

  @AsnProp({ type: AlgorithmIdentifier, optional: true })
  pseudoRandomFunction?: AlgorithmIdentifier;
}

/** scrypt-params, RFC 7914 §7.1. */
export class ScryptParameters {
  @AsnProp({ type: OctetString })
  salt = new OctetString();

  @AsnProp({ type: AsnPropTypes.Integer })
  cost = 0;

  @AsnProp({ type: AsnPropTypes.Integer })
  blockSize = 0;

  @AsnProp({ type: AsnPropTypes.Integer })
  parallelization = 0;

  @AsnProp({ type: AsnPropTypes.Integer, optional: true })
  keyLength?: number;
}

/** pkcs-12PbeParams, RFC 7292 appendix C. */
export class Pkcs12PbeParameters {
  @AsnProp({ type: OctetString })
  salt = new OctetString();

  @AsnProp({ type: AsnPropTypes.Integer })
  iterations = 0;
}

/** [0] IMPLICIT OCTET STRING of EncryptedContentInfo, in one piece or, as BER writers do, in several. */
@AsnType({ type: AsnTypeTypes.Choice })
class EncryptedContent {
  @AsnProp({ type: OctetString, context: 0, implicit: true, optional: true })
  whole?: OctetString;

  @AsnProp({
    type: OctetString,
    converter: AsnConstructedOctetStringConverter,
    context: 0,
    implicit: true,
    optional: true,
    repeated: 'sequence',
  })
  pieces?: OctetString[];
}

class EncryptedContentInfo {
  @AsnProp({ type: AsnPropTypes.ObjectIdentifier })
  contentType = '';

  @AsnProp({ type: AlgorithmIdentifier })
  algorithm = new AlgorithmIdentifier();

  @AsnProp({ type: EncryptedContent, optional: true })
  content?: EncryptedContent;
}

/** EncryptedData of PKCS#7 (RFC 2315 §13), the envelope of certificates in a PKCS#12. */
export class EncryptedData {
  @AsnProp({ type: AsnPropTypes.Integer })
  version = 0;

  @AsnProp({ type: EncryptedContentInfo })
  info = new EncryptedContentInfo();

  get ciphertext(): Buffer {
    const { whole, pieces = [] } = this.info.content ?? {};
    const all = whole === undefined ? pieces : [whole];
    return Buffer.concat(all.map(({ buffer }) => new Uint8Array(buffer)));
  }
}
