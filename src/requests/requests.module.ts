import {
  Injectable,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  Global,
  Module,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { DownstreamCalls } from './downstream-calls.js';
import type { AnyRequest } from './request-context.middleware.js';
import { RequestMeta, type Meta } from './request-meta.js';

/** The body of every successful JSON answer to a known caller. */
export interface Envelope {
  readonly data: unknown;
  readonly _meta: Meta;
}

/** Puts what a handler returns into an envelope. Files, CSV among them, go out as they are; their header has the id. */
@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  constructor(private readonly meta: RequestMeta) {}

  intercept(context: ExecutionContext, handler: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AnyRequest>();
    return handler.handle().pipe(map((data: unknown) => this.#wrap(data, request)));
  }

  #wrap(data: unknown, request: AnyRequest): unknown {
    if (data instanceof StreamableFile) return data;
    const meta = this.meta.of(request);
    return meta === undefined ? data : ({ data, _meta: meta } satisfies Envelope);
  }
}

/** What is known of each request while it is served, and what its answer says about that. */
@Global()
@Module({
  providers: [DownstreamCalls, RequestMeta, { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor }],
  exports: [RequestMeta],
})
export class RequestsModule {}
