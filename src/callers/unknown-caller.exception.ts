import { UnauthorizedException } from '@nestjs/common';

const CHALLENGE = 'Bearer realm="service"';

/** The request shows no key, or one that is not known. */
export class UnknownCallerException extends UnauthorizedException {
  /** For `WWW-Authenticate`. RFC 6750 §3.1: a request without a key gets no error code. */
  readonly challenge: string;

  constructor(authorization: string | undefined) {
    super(
      authorization === undefined
        ? 'The call needs an API key: Authorization: Bearer <key>.'
        : 'The API key is not known: send it as Authorization: Bearer <key>.',
    );
    this.challenge = authorization === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`;
  }
}
