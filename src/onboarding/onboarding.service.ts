import {
  type RequestStatus,
  type SystemUserChangeRequest,
  type SystemUserRequest,
  isAltinnError,
  SystemUserService,
} from 'nestjs-maskinporten';
import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';

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

/** Asks customers for a system user with the rights that this service needs, and follows their answers. */
@Injectable()
export class OnboardingService {
  constructor(private readonly systemUsers: SystemUserService) {}

  /** @throws ConflictException when the customer has approved already */
  async ask(organisation: string): Promise<RequestView> {
    try {
      const request = await this.systemUsers.createRequest({ organisation });
      // Whoever asks next is to be told about the request, and not what was true before it.
      this.systemUsers.forget({ organisation });
      return viewOf(request, organisation);
    } catch (error) {
      if (!isAltinnError(error, 'AUTH-00004')) throw error;
      throw new ConflictException('The organisation has approved the system already.');
    }
  }

  /** @throws NotFoundException for a request that is gone, and for that of another organisation all the same */
  async follow(organisation: string, id: string): Promise<RequestView> {
    const request = await this.systemUsers.getRequest(id);
    if (request?.organisation !== organisation) {
      throw new NotFoundException('There is no such request of this organisation.');
    }
    if (request.status !== 'New') this.systemUsers.forget({ organisation });
    return viewOf(request, organisation);
  }
}
