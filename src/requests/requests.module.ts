import { Global, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { DownstreamCalls } from './downstream-calls.js';
import { EnvelopeInterceptor } from './envelope.interceptor.js';
import { RequestMeta } from './request-meta.js';

/** What is known of each request while it is served, and what its answer says about that. */
@Global()
@Module({
  providers: [DownstreamCalls, RequestMeta, { provide: APP_INTERCEPTOR, useClass: EnvelopeInterceptor }],
  exports: [RequestMeta],
})
export class RequestsModule {}
