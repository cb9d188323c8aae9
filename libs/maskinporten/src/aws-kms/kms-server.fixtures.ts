import {
  constants,
  createHash,
  createHmac,
  privateEncrypt,
  randomBytes,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const REGION = 'eu-north-1';
const DIGEST_INFO: Readonly<Record<string, { readonly prefix: string; readonly bytes: number }>> = {
  RSASSA_PKCS1_V1_5_SHA_256: { prefix: '3031300d060960864801650304020105000420', bytes: 32 },
  RSASSA_PKCS1_V1_5_SHA_384: { prefix: '3041300d060960864801650304020205000430', bytes: 48 },
  RSASSA_PKCS1_V1_5_SHA_512: { prefix: '3051300d060960864801650304020305000440', bytes: 64 },
};

export interface KmsKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  usage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT';
  enabled: boolean;
  algorithms: readonly string[];
}

/** What is done to one request instead of answering it. */
export type Misbehaviour =
  | 'hang'
  | 'reset'
  | { readonly status: number; readonly type: string; readonly message?: string }
  | { readonly answer: object };

export interface SeenRequest {
  readonly target: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The part of AWS KMS that signs, on loopback, with the JSON protocol the SDK speaks: the signature (SigV4) of every
 * request is computed again and compared, keys are real, and digests are signed as they are.
 */
export class KmsServer {
  readonly keys = new Map<string, KmsKey>();
  readonly aliases = new Map<string, string>();
  readonly seen: SeenRequest[] = [];
  readonly #accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
  readonly secretAccessKey = randomBytes(30).toString('base64');
  /** For the next requests, one each. */
  script: Misbehaviour[] = [];
  /** For every request, after the script. */
  always: Misbehaviour | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<KmsServer> {
    const kms = new KmsServer();
    await new Promise<void>((resolve) => kms.#server.listen(0, '127.0.0.1', resolve));
    return kms;
  }

  /** As `config` of the SDK's client. */
  get config() {
    const { port } = this.#server.address() as AddressInfo;
    const credentials = { accessKeyId: this.#accessKeyId, secretAccessKey: this.secretAccessKey };
    return { endpoint: `http://127.0.0.1:${port}`, region: REGION, credentials };
  }

  add(pair: Pick<KmsKey, 'privateKey' | 'publicKey'>): string {
    const arn = `arn:aws:kms:${REGION}:111122223333:key/${randomUUID()}`;
    this.keys.set(arn, { ...pair, usage: 'SIGN_VERIFY', enabled: true, algorithms: Object.keys(DIGEST_INFO) });
    return arn;
  }

  signed(): readonly SeenRequest[] {
    return this.seen.filter(({ target }) => target === 'TrentService.Sign');
  }

  cutAll(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks);
    const target = String(request.headers['x-amz-target']);
    const body = JSON.parse(text.toString()) as Record<string, unknown>;
    this.seen.push({ target, body });
    const misbehaviour = this.script.shift() ?? this.always;
    if (misbehaviour === 'hang') return;
    if (misbehaviour === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (misbehaviour !== undefined) {
      if ('answer' in misbehaviour) send(response, 200, misbehaviour.answer);
      else send(response, misbehaviour.status, { __type: misbehaviour.type, message: misbehaviour.message ?? 'no' });
      return;
    }
    const refusal = this.#refusalOf(request, text);
    if (refusal !== undefined) return send(response, 400, { __type: refusal });
    const [status, answer] = this.#perform(target, body);
    send(response, status, answer);
  }

  #perform(target: string, body: Readonly<Record<string, unknown>>): [number, object] {
    const name = String(body['KeyId']);
    const arn = this.aliases.get(name) ?? name;
    const key = this.keys.get(arn);
    if (key === undefined) return [400, { __type: 'NotFoundException', message: `Key '${name}' does not exist` }];
    if (!key.enabled) return [400, { __type: 'DisabledException', message: `${arn} is disabled.` }];
    if (target === 'TrentService.GetPublicKey') {
      const spki = key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      return [200, { KeyId: arn, PublicKey: spki, KeyUsage: key.usage, SigningAlgorithms: key.algorithms }];
    }
    if (target !== 'TrentService.Sign') return [400, { __type: 'UnknownOperationException' }];
    const info = DIGEST_INFO[String(body['SigningAlgorithm'])];
    const message = Buffer.from(String(body['Message']), 'base64');
    if (info === undefined || body['MessageType'] !== 'DIGEST' || message.length !== info.bytes) {
      return [400, { __type: 'ValidationException', message: 'Digest is invalid length for algorithm' }];
    }
    const padded = { key: key.privateKey, padding: constants.RSA_PKCS1_PADDING };
    const signature = privateEncrypt(padded, Buffer.concat([Buffer.from(info.prefix, 'hex'), message]));
    return [200, { KeyId: arn, Signature: signature.toString('base64'), SigningAlgorithm: body['SigningAlgorithm'] }];
  }

  /** Signature Version 4 of the AWS General Reference, from the other side. */
  #refusalOf({ headers, method, url }: IncomingMessage, body: Buffer): string | undefined {
    const given = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      String(headers.authorization),
    );
    if (headers['content-type'] !== 'application/x-amz-json-1.1') return 'SerializationException';
    if (given === null) return 'MissingAuthenticationTokenException';
    const [, credential = '', names = '', signature = ''] = given;
    const [accessKeyId, day = '', region = '', service = '', end = ''] = credential.split('/');
    if (accessKeyId !== this.#accessKeyId) return 'UnrecognizedClientException';
    if (!names.split(';').includes('x-amz-target')) return 'InvalidSignatureException';
    const lines = names.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
    const canonical = [method, url, '', lines.join(''), names, hash(body)].join('\n');
    const scope = [day, region, service, end].join('/');
    const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
    let key = Buffer.from(`AWS4${this.secretAccessKey}`);
    for (const part of [day, region, service, end, toSign]) key = createHmac('sha256', key).update(part).digest();
    return key.toString('hex') === signature ? undefined : 'InvalidSignatureException';
  }
}

const hash = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() });
  response.end(JSON.stringify(body));
}
