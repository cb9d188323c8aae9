import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';

/**
 * The `HttpService` that carries Maskinporten tokens, under a name that cannot be confused with the `HttpService` of a
 * plain `HttpModule`. Both names give the same object. `axiosRef` is the faster way to call (performance guide).
 */
@Injectable()
export class MaskinportenHttpService extends HttpService {}
