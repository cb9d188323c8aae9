/**
 * A GraphQL application that runs in a process of its own: mercurius is CommonJS and requires ES modules, which Jest
 * cannot do on Node 20. Options arrive on stdin as JSON; the addresses of its applications, or why one was refused, leave
 * on stdout in one line.
 */
import 'reflect-metadata';
import { text } from 'node:stream/consumers';
import { Injectable, Module, UseFilters } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Field, GraphQLModule, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { firstValueFrom, map } from 'rxjs';
import {
  MaskinportenExceptionFilter,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  Scopes,
  type MaskinportenOptions,
} from '../index.js';

@Injectable()
class Api {
  constructor(private readonly http: MaskinportenHttpService) {}

  async scope(): Promise<string> {
    return (await this.http.axiosRef.get<{ scope: string }>('/whoami')).data.scope;
  }

  async coldScope(): Promise<string> {
    return firstValueFrom(this.http.get<{ scope: string }>('/whoami').pipe(map(({ data }) => data.scope)));
  }
}

@ObjectType()
class Answer {
  @Field(() => String)
  scope!: string;
}

@Resolver(() => Answer)
@UseFilters(MaskinportenExceptionFilter)
class AnswerResolver {
  constructor(private readonly api: Api) {}

  @Query(() => Answer)
  @Scopes('acme:a')
  async first(): Promise<Answer> {
    return { scope: await this.api.scope() };
  }

  @Query(() => Answer)
  @Scopes('acme:b acme:c')
  async second(): Promise<Answer> {
    return { scope: await this.api.coldScope() };
  }

  @Query(() => Answer, { nullable: true })
  @Scopes('acme:unknown')
  async refused(): Promise<Answer> {
    return { scope: await this.api.scope() };
  }
}

/** A field resolver, which GraphQL runs enhancers around only when its options say so. */
@Resolver(() => Answer)
class FieldResolver {
  constructor(private readonly api: Api) {}

  @ResolveField(() => String)
  @Scopes('acme:c')
  async ofField(): Promise<string> {
    return this.api.scope();
  }
}

const { options, apiUrl } = JSON.parse(await text(process.stdin)) as {
  options: MaskinportenOptions;
  apiUrl: string;
};

/** Where GraphQL runs enhancers around field resolvers: first an application that has none, then one of each kind. */
const APPLICATIONS: readonly (readonly ('guards' | 'interceptors')[] | undefined)[] = [
  undefined,
  ['interceptors'],
  [],
  ['guards'],
];

/** @returns the address, or why the start was refused */
async function start(fieldResolverEnhancers: (typeof APPLICATIONS)[number]): Promise<string> {
  @Module({
    imports: [
      MaskinportenModule.forRoot(options),
      MaskinportenHttpModule.register({ baseURL: apiUrl }),
      GraphQLModule.forRoot<MercuriusDriverConfig>({
        driver: MercuriusDriver,
        autoSchemaFile: true,
        fieldResolverEnhancers: [...(fieldResolverEnhancers ?? [])],
      }),
    ],
    providers: [Api, AnswerResolver, ...(fieldResolverEnhancers === undefined ? [] : [FieldResolver])],
  })
  class AppModule {}
  try {
    const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false, abortOnError: false });
    await app.listen(0, '127.0.0.1');
    return await app.getUrl();
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}

const answers: string[] = [];
for (const enhancers of APPLICATIONS) answers.push(await start(enhancers));
process.stdout.write(`${JSON.stringify(answers)}\n`);
