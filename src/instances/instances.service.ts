import { BadGatewayException, Injectable } from '@nestjs/common';
import { HttpService } from '@nestjs/axios';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsOptional } from 'class-validator';
import { firstValueFrom } from 'rxjs';

const AN_OBJECT = { message: 'must be an object' };

/** What goes into the form of a new instance. The app decides which members it takes. */
export class NewInstance {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'Values the app fills in first.' })
  @IsOptional()
  @IsObject(AN_OBJECT)
  prefill?: Record<string, unknown>;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'The whole main form.' })
  @IsOptional()
  @IsObject(AN_OBJECT)
  data?: Record<string, unknown>;
}

/** What is used of an instance that an app has made. */
export interface CreatedInstance {
  /** Party and GUID, as the app's addresses contain it. */
  readonly id: string;
  /** The main form. */
  readonly formId: string | undefined;
}

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const INSTANCE_ID = /^\d{1,12}\/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The ids become parts of addresses, so nothing but ids is taken. @throws BadGatewayException */
export function readInstance(answer: unknown): CreatedInstance {
  const { id, data } = record(answer);
  if (typeof id !== 'string' || !INSTANCE_ID.test(id)) throw unusable();
  const [form] = Array.isArray(data) ? (data as unknown[]) : [];
  if (form === undefined) return { id, formId: undefined };
  const { id: formId } = record(form);
  if (typeof formId !== 'string' || !GUID.test(formId)) throw unusable();
  return { id, formId };
}

/** Whether the process has come to its end. @throws BadGatewayException */
export function hasEnded(answer: unknown): boolean {
  const { ended } = record(answer);
  return typeof ended === 'string' && ended !== '';
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw unusable();
  return value as Readonly<Record<string, unknown>>;
}

export const unusable = (): BadGatewayException =>
  new BadGatewayException('The Altinn app answered something that is not understood.');

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
