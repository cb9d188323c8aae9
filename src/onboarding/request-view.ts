import type { RequestStatus, SystemUserChangeRequest, SystemUserRequest } from 'nestjs-maskinporten';

/** What our caller is told about a request to its customer. */
export interface RequestView {
  readonly id: string;
  readonly status: RequestStatus;
  readonly organisation: string;
  /** Where somebody at the customer approves it. */
  readonly confirmUrl?: string;
}

export function viewOf(
  { id, status, confirmUrl }: SystemUserRequest | SystemUserChangeRequest,
  organisation: string,
): RequestView {
  return { id, status, organisation, ...(confirmUrl === undefined ? {} : { confirmUrl }) };
}
