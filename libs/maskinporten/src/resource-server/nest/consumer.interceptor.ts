import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { runFor, verifiedFor } from './current-consumer.js';

/** Lets `@CurrentConsumer` find who calls in every kind of handler; brought by the decorators. */
@Injectable()
export class ConsumerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const consumer = verifiedFor(context);
    if (consumer === undefined) return next.handle();
    // Subscribed inside: a handler's cold Observable runs when it is subscribed to.
    return new Observable((subscriber) => runFor(context, consumer, () => next.handle().subscribe(subscriber)));
  }
}
