import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { hasEnded, readInstance, unusable } from './app-answer.js';
import type { NewInstance } from './new-instance.dto.js';

/** Most steps that a process is moved on; an app with more needs people. */
const MOST_STEPS = 5;

export interface Submitted {
  readonly id: string;
  readonly submitted: boolean;
}

/** An Altinn app: https://docs.altinn.studio/api/apps/. Its calls carry a token that Altinn has exchanged. */
@Injectable()
export class InstancesService {
  constructor(private readonly http: HttpService) {}

  /**
   * Creates an instance, fills its form and moves its process to the end. What fails in between leaves an unfinished
   * instance with the customer: nothing here deletes what somebody may have seen already.
   */
  async submit(organisation: string, { prefill, data }: NewInstance): Promise<Submitted> {
    const created = await firstValueFrom(
      this.http.post<unknown>('/instances/create', {
        instanceOwner: { organisationNumber: organisation },
        ...(prefill === undefined ? {} : { prefill }),
      }),
    );
    const { id, formId } = readInstance(created.data);
    if (data !== undefined) {
      if (formId === undefined) throw unusable();
      await firstValueFrom(this.http.put(`/instances/${id}/data/${formId}`, data));
    }
    return { id, submitted: await this.#finish(id) };
  }

  /** @returns false when the process waits for something that a system cannot do */
  async #finish(id: string): Promise<boolean> {
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const { data } = await firstValueFrom(this.http.put<unknown>(`/instances/${id}/process/next`));
      if (hasEnded(data)) return true;
    }
    return false;
  }
}
